// A group that is refused is tried under another lease, so many times and no more, whoever writes it; and nothing of it is in the store then.
import { describe, expect, it } from 'vitest';
import { type BlockId, hexOf } from '../../lib/foundation/ids.ts';
import { GROUP_ATTEMPTS_MAX } from '../../lib/limits/volume.ts';
import { PandaConflict } from '../../lib/panda/conflict.ts';
import type { Write } from '../../lib/panda/panda.ts';
import { newRunId } from '../../lib/volume/runs/runs.ts';
import { appendGroup } from '../../lib/volume/write/append.ts';
import { appendBulk } from '../../lib/volume/write/append-bulk.ts';
import { mergeBuckets } from '../../lib/volume/write/merge-buckets.ts';
import { moveBuckets } from '../../lib/volume/write/move.ts';
import { ReadingWorld, type Stored } from './reading-world.ts';

const LENGTHS = [700, 64, 300, 150];

/** Transactions with such a write are refused, as if somebody else had been first; how often. */
function refuse(world: ReadingWorld, isHit: (write: Write) => boolean): (readonly Write[])[] {
  const transact = world.panda.transact.bind(world.panda);
  const refused: (readonly Write[])[] = [];
  world.panda.transact = async (writes) => {
    if (!writes.some(isHit)) return transact(writes);
    refused.push(writes);
    throw new PandaConflict([0]);
  };
  return refused;
}

/** Of those that write some before or behind it. */
const NEW_BUCKETS: Readonly<Record<string, number>> = { 'APPEND_FAILED in bulk, of two buckets': 2, MOVE_FAILED: 0 };

const isGroup = ({ kind, partition }: Write): boolean => kind === 'put' && partition.startsWith('group/');

function recordsOf(world: ReadingWorld) {
  return LENGTHS.map((bytes) => ({ blockId: hexOf(world.random.bytes(32)) as BlockId, ...world.newRecord(bytes) }));
}

async function mergeOf(world: ReadingWorld, stored: readonly Stored[]) {
  const { volume } = await world.bucketRow(stored[0]?.bucket as Stored['bucket']);
  return stored.map(({ bucket, slot, recordId, record }) => ({
    blockId: hexOf(world.random.bytes(32)) as BlockId,
    source: volume,
    from: { bucket, slot },
    recordId,
    record,
  }));
}

const WRITERS: Readonly<Record<string, (world: ReadingWorld) => Promise<() => Promise<unknown>>>> = {
  APPEND_FAILED: async (world) => () => appendGroup(world.store, recordsOf(world), 1),
  'APPEND_FAILED in bulk': async (world) => () => appendBulk(world.store, [recordsOf(world)], 1),
  'APPEND_FAILED in bulk, of two buckets': async (world) => {
    const parts = [recordsOf(world), recordsOf(world)];
    world.store = Object.create(world.store, {
      components: {
        value: { ...world.components, settings: { ...world.components.settings, slotsPerBucketMax: LENGTHS.length } },
      },
    }) as ReadingWorld['store'];
    return () => appendBulk(world.store, parts, 1);
  },
  MOVE_FAILED: async (world) => {
    const records = await world.virtualBucket(LENGTHS);
    const bucket = await world.bucketRow((records[0] as Stored).bucket);
    return () => moveBuckets(world.store, newRunId(world.components, 'l2'), [{ source: {}, bucket, records }] as never);
  },
  MERGE_FAILED: async (world) => {
    const records = await mergeOf(world, await world.virtualBucket(LENGTHS));
    return () => mergeBuckets(world.store, newRunId(world.components, 'merge'), [{ records, createdAtMs: 0 }]);
  },
};

describe('a group whose row is refused', () => {
  it.each(Object.entries(WRITERS))('%s after so many attempts', async (name, prepare) => {
    const world = new ReadingWorld({ warm: 'xor-2-1' });
    const write = await prepare(world);
    const refused = refuse(world, isGroup);
    await expect(write()).rejects.toMatchObject({ kind: 'retry', code: name.split(' ')[0] });
    expect(refused).toHaveLength(GROUP_ATTEMPTS_MAX);
    const buckets = (refused[0] ?? []).filter(({ partition }) => partition.startsWith('bucket/'));
    expect(buckets).toHaveLength(NEW_BUCKETS[name] ?? 1);
    expect(world.panda.snapshot().filter(({ partition }) => partition.startsWith('group/'))).toEqual([]);
  });
});
