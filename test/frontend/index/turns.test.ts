// How the transactions of a batch are cut beside the row that guards them, and that batches of one shared group take turns.
import { expect, it } from 'vitest';
import { retryLater } from '../../../lib/foundation/errors.ts';
import type { BlockId } from '../../../lib/foundation/ids.ts';
import { IndexBatch, type IndexBatchRequest } from '../../../lib/frontend/index-batch.ts';
import type { ObjectChange } from '../../../lib/frontend/index-plan.ts';
import { TRANSACTION_ITEMS_MAX } from '../../../lib/limits/panda.ts';
import { MemoryPanda } from '../../../lib/panda/memory-panda.ts';
import type { BlockRow } from '../../../lib/panda/rows/block-row.ts';
import { putBlock, rowOf } from '../../gc/removed-rows.ts';
import { fine, grouped, idOf, put } from './grouped.ts';

it.each([
  // Names, each with a block that comes out of trash: three rows. Then such without blocks, and one with the new block.
  [1, [TRANSACTION_ITEMS_MAX]],
  [2, [TRANSACTION_ITEMS_MAX - 1, 3]],
])('a batch is as few transactions as it can be beside the row that guards it (%i names more)', async (more, sizes) => {
  const { panda, run, ended } = await grouped([1]);
  const trash = Array.from({ length: 32 }, (_, n) => rowOf(n, { state: 'trash', refs: 0 }));
  for (const row of trash) await panda.transact([putBlock(row)]);
  const keyOf = (n: number): string => String.fromCharCode(100 + n);
  const ofTrash = trash.map(({ id }, n): ObjectChange => {
    const { next, ...change } = put(keyOf(n), []);
    return { ...change, next: next && { ...next, blocks: [id] } };
  });
  const others = Array.from({ length: more }, (_, n) => put(keyOf(50 + n), []));
  const sent: number[] = [];
  panda.before = async (writes) => void sent.push(writes.length);
  const rows = new Map<BlockId, BlockRow | undefined>(trash.map((row) => [row.id, row]));
  rows.set(idOf(1), undefined);
  expect(await run([...ofTrash, ...others, put('A', [1])], { rows })).toEqual(fine);
  expect([sent, ended]).toEqual([sizes, ['finished']]);
});

it('batches of one group take turns, also when one of them fails', async () => {
  const { panda, components, group, fresh, other } = await grouped([1], { isShared: true });
  let now = 0;
  let most = 0;
  const { transact } = MemoryPanda.prototype;
  panda.transact = async (writes) => {
    now += 1;
    most = Math.max(most, now);
    for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
    try {
      if (writes.some(({ sort }) => sort === 'a')) throw retryLater('PANDA_FULL', 'full');
      await transact.call(panda, writes);
    } finally {
      now -= 1;
    }
  };
  const run = (key: string, n: number, appended: IndexBatchRequest['appended']) => {
    const request = { changes: [put(key, [n])], rows: new Map([[idOf(n), undefined]]), lost: new Map(), appended };
    return new IndexBatch(components, { ...request, olds: [undefined], named: new Map() }).run();
  };
  const done = await Promise.allSettled([run('a', 1, { group, fresh }), run('b', 99, other)]);
  expect(done.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
  expect(most).toBe(1);
});
