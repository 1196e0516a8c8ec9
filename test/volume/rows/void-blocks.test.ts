// Which blocks are void, by the rows of their buckets, and that only such are changed as void ones.
import { describe, expect, it } from 'vitest';
import type { BucketId, ObjectVersion } from '../../../lib/foundation/ids.ts';
import { SeededRandomness } from '../../../lib/foundation/randomness.ts';
import { type BlockRow, blockAttributes, blockKey } from '../../../lib/panda/rows/block-row.ts';
import { bucketAttributes, bucketKey, deadKey } from '../../../lib/panda/rows/bucket-row.ts';
import type { Components } from '../../../lib/volume/rows/components.ts';
import { isThatVoid, mayBeVoid, voidBlocks } from '../../../lib/volume/rows/void-blocks.ts';
import { SeededRows } from '../../golden/seeded-rows.ts';
import { TINY } from '../../store/harness.ts';
import { ToldPanda } from './told-panda.ts';

const CELL = TINY.cell;
const rows = new SeededRows(new SeededRandomness(5));

function storeOf() {
  const panda = new ToldPanda();
  const components = { panda, settings: TINY } as unknown as Components;
  return { panda, components };
}

describe('void blocks', () => {
  const version = '0123456789abcdef01234567' as ObjectVersion;
  const named = (changes: Partial<BlockRow>): BlockRow =>
    rows.block({ state: 'live', refs: 1, named: version, isOld: undefined, ...changes } as Partial<BlockRow>);
  const bucket = (n: number): BucketId => `00000000000000b${n}` as BucketId;

  it('are named and not counted, in a slot that is dead or a bucket that is gone', async () => {
    const { panda, components } = storeOf();
    const attributes = bucketAttributes(rows.bucket({ move: 0 }));
    await panda.plant(bucketKey(CELL, bucket(1)), attributes);
    await panda.plant(bucketKey(CELL, bucket(2)), attributes);
    await panda.plant(deadKey(CELL, bucket(1)), { v: 1, b: new Uint8Array([0b10]) });
    const alive = named({ bucket: bucket(1), slot: 0 });
    const dead = named({ bucket: bucket(1), slot: 1 });
    const whole = named({ bucket: bucket(2), slot: 1 });
    const gone = named({ bucket: bucket(3), slot: 0 });
    const counted = named({ bucket: bucket(3), slot: 0, refs: 2 });
    const unnamed = rows.block({ state: 'live', refs: 1, bucket: bucket(3), named: undefined } as Partial<BlockRow>);
    const all = [alive, undefined, dead, whole, gone, counted, unnamed];
    expect(all.map(mayBeVoid)).toEqual([true, false, true, true, true, false, false]);
    expect(await voidBlocks(components, all)).toEqual(new Set([dead.id, gone.id]));
    expect(panda.taken()).toEqual(['getMany 6']);
    expect(await voidBlocks(components, [undefined, counted, unnamed])).toEqual(new Set());
    expect(panda.taken()).toEqual([]);
  });

  it('are changed only as they were found', async () => {
    const { panda } = storeOf();
    const one = named({ bucket: bucket(1), slot: 4 });
    const holds = async (of: BlockRow): Promise<boolean> => {
      await panda.plant(blockKey(of.id), blockAttributes(of));
      return panda.transact([{ kind: 'check', ...blockKey(of.id), if: isThatVoid(one) }]).then(
        () => true,
        () => false,
      );
    };
    expect(await holds(one)).toBe(true);
    expect(await holds({ ...one, recordId: rows.block().recordId })).toBe(false);
    expect(await holds({ ...one, slot: 5 })).toBe(false);
    expect(await holds({ ...one, bucket: bucket(2) })).toBe(false);
    expect(await holds({ ...one, refs: 2 })).toBe(false);
    expect(await holds({ ...one, named: '1123456789abcdef01234567' as ObjectVersion })).toBe(false);
  });
});
