// What indexes a whole batch in the transaction that commits its records, and what is left to transactions of its own.
import { describe, expect, it } from 'vitest';
import type { BlockId } from '../../../lib/foundation/ids.ts';
import { indexAlong } from '../../../lib/frontend/index-objects.ts';
import type { FreshBlock, ObjectChange } from '../../../lib/frontend/index-plan.ts';
import { COMMIT_ROWS, TRANSACTION_ITEMS_MAX } from '../../../lib/limits/panda.ts';
import type { BlockRow } from '../../../lib/panda/rows/block-row.ts';
import type { ObjectRow } from '../../../lib/panda/rows/object-row.ts';
import { block, objectOf, rowOf, version, worldWith } from '../../gc/removed-rows.ts';

const put = (row: ObjectRow, ifVersion?: string): ObjectChange => ({
  ...{ namespace: row.namespace, key: row.key, next: row },
  ...(ifVersion === undefined ? {} : { ifVersion }),
});
const freshOf = (n: number): FreshBlock => {
  const { refs: _, state: __, ...fresh } = rowOf(n);
  return fresh;
};
const freshBlocks = (...of: number[]) => new Map<BlockId, FreshBlock>(of.map((n) => [block(n), freshOf(n)]));

describe('what is indexed in the transaction that commits its records', () => {
  const rows = (...of: BlockRow[]) => new Map<BlockId, BlockRow | undefined>(of.map((row) => [row.id, row]));
  const change = put(objectOf(1, [1, 2]));
  const along = async (
    changes: readonly ObjectChange[] = [change],
    olds: readonly (ObjectRow | undefined)[] = changes.map(() => undefined),
    known = rows(rowOf(1)),
    fresh = freshBlocks(2),
  ) => {
    const { components } = await worldWith([]);
    return indexAlong(components, { changes, olds, rows: known }, fresh)?.map(({ kind }) => kind);
  };

  it('is a whole batch, all of whose new blocks it uses', async () => {
    expect(await along()).toEqual(['update', 'put', 'put']);
    expect(await along([change], [objectOf(1, [1])])).toEqual(['update', 'put', 'put', 'put']);
    expect(await along([change], undefined, rows(rowOf(1)), freshBlocks(2, 3))).toBeUndefined();
    expect(await along([change], undefined, rows(), freshBlocks(2))).toBeUndefined();
  });

  it('is nothing that depends on more than was read', async () => {
    expect(await along([change], [objectOf(1, [1], true)])).toBeUndefined();
    expect(await along([put(objectOf(1, [1, 2]), version(5))])).toBeUndefined();
    expect(await along([change], undefined, rows(rowOf(1, { state: 'trash', refs: 1 })))).toBeUndefined();
  });

  it('is one transaction, with room for the commit', async () => {
    const most = TRANSACTION_ITEMS_MAX - COMMIT_ROWS;
    const trash = (count: number) => Array.from({ length: count }, (_, n) => rowOf(n, { state: 'trash', refs: 0 }));
    // A name, a new block, and two rows for each that is in trash.
    const of = (count: number) =>
      along(
        [put(objectOf(1, [...trash(count).map((_, n) => n), 90]))],
        undefined,
        rows(...trash(count)),
        freshBlocks(90),
      );
    expect((await of(Math.floor((most - 2) / 2)))?.length).toBe(2 + 2 * Math.floor((most - 2) / 2));
    expect(await of(Math.floor((most - 2) / 2) + 1)).toBeUndefined();
    const two = [
      put(
        objectOf(
          1,
          Array.from({ length: 40 }, (_, n) => n),
        ),
      ),
      put(
        objectOf(
          2,
          Array.from({ length: 9 }, (_, n) => n + 40),
        ),
      ),
    ];
    const all = Array.from({ length: 49 }, (_, n) => n);
    expect(await along(two, undefined, rows(), freshBlocks(...all))).toBeUndefined();
  });
});
