// Steps of groups that are written, with what may happen meanwhile.

import type { RunId } from '../../../lib/foundation/ids.ts';
import { blockFromRow } from '../../../lib/panda/rows/block-row.ts';
import type { VolumeRow } from '../../../lib/panda/rows/volume-row.ts';
import { takeRun } from '../../../lib/volume/runs/runs.ts';
import { VolumeStore } from '../../../lib/volume/volume-store.ts';
import { appendGroup } from '../../../lib/volume/write/append.ts';
import { appendBulk } from '../../../lib/volume/write/append-bulk.ts';
import type { AppendedGroup } from '../../../lib/volume/write/appended-group.ts';
import { type MergeRecord, mergeBuckets } from '../../../lib/volume/write/merge-buckets.ts';
import { moveBuckets } from '../../../lib/volume/write/move.ts';
import type { Process, World } from '../../store/harness.ts';
import { told } from '../told.ts';
import { BLOCKS, BUCKETS, OPEN, PENDING, SEALED } from './changes.ts';
import type { Step } from './lines.ts';
import { contentsOf, encodedWorld, recordsOf, storeWith, thinned, volumeIn } from './world.ts';

export const RUN = 'l2/p0/000000000001' as RunId;
const REFUSED = { kind: 'put', partition: 'note/c0', sort: 'a', attributes: { v: 1 } } as const;

/** An append, and how it ends. */
const append =
  (end: (group: AppendedGroup) => Promise<unknown>) =>
  async ({ volumes }: Process): Promise<unknown> => {
    const group = await appendGroup(volumes, recordsOf([300, 200, 700]), 1);
    return [group.placed, group.storedBytes, group.isIndexed, await told(() => end(group))];
  };

/** Two parts that are a bucket each. */
const bulk =
  (end: (group: Awaited<ReturnType<typeof appendBulk>>) => Promise<unknown>) =>
  async ({ components }: Process): Promise<unknown> => {
    const settings = { ...components.settings, slotsPerBucketMax: 2 };
    const store = new VolumeStore({ ...components, settings });
    const group = await appendBulk(store, [recordsOf([300, 200], 1), recordsOf([700, 100], 2)], 1);
    const { shares, ...rest } = group;
    return [shares.map(({ placed }) => placed), rest, await told(() => end(group))];
  };

/** A sealed volume that this run empties. */
async function draining(): Promise<World> {
  const world = await encodedWorld(5);
  await takeRun(world.start({ othersDead: true }).components, (await volumeIn(world, 'sealed')).id, RUN);
  return world;
}

async function mergeRecords(p: Process, world: World, source: VolumeRow): Promise<readonly MergeRecord[]> {
  const blocks = world.panda
    .snapshot()
    .filter(({ partition }) => partition.startsWith('block/'))
    .map(blockFromRow);
  return (await contentsOf(p, world, source)).flatMap(({ bucket, records }) =>
    records.flatMap(({ slot, recordId, record }) => {
      const block = blocks.find((one) => one.bucket === bucket.id && one.slot === slot);
      return block === undefined
        ? []
        : [{ blockId: block.id, source: source.id, from: { bucket: bucket.id, slot }, recordId, record }];
    }),
  );
}

export const WRITE_STEPS: Readonly<Record<string, Step>> = {
  'an append that is settled by its writer': {
    prepare: () => storeWith(1),
    meanwhile: PENDING,
    act: append(async (group) => [await group.isHeld(), await group.isFinished(), await group.tryFinish()]),
  },
  'an append of which slots stayed unused': {
    prepare: () => storeWith(1),
    meanwhile: { ...PENDING, ...BUCKETS },
    act: append((group) => group.settle()),
  },
  'an append that is recovered at once': {
    prepare: () => storeWith(1),
    meanwhile: PENDING,
    act: append((group) => group.recover()),
  },
  'an append with all that indexes it': {
    prepare: () => storeWith(1),
    meanwhile: { ...PENDING, 'buckets gone': BUCKETS['buckets gone'] },
    act: async ({ volumes }) => {
      const group = await appendGroup(volumes, recordsOf([300]), 1, () => [REFUSED]);
      return [group.placed, group.isIndexed, group.storedBytes];
    },
  },
  'a group of two buckets that is settled': {
    prepare: () => storeWith(1),
    meanwhile: PENDING,
    act: bulk(async ({ shares }) => {
      for (const share of shares) await share.settle(true);
    }),
  },
  'a group of two buckets of which slots stayed unused': {
    prepare: () => storeWith(1),
    meanwhile: { ...PENDING, ...BUCKETS },
    act: bulk(async ({ shares }) => {
      for (const [i, share] of shares.entries()) await share.settle(i === 0);
    }),
  },
  'a group of two buckets that one of its parts leaves': {
    prepare: () => storeWith(1),
    meanwhile: PENDING,
    act: bulk(async ({ shares: [first, second] }) => {
      first?.leave();
      await second?.settle(true);
    }),
  },
  'a group of two buckets that is recovered at once': {
    prepare: () => storeWith(1),
    meanwhile: { ...PENDING, ...BUCKETS },
    act: bulk(async ({ shares }) => Promise.all(shares.map((share) => share.recover()))),
  },
  'a move of the buckets of a volume': {
    prepare: draining,
    meanwhile: { ...OPEN, ...SEALED, settled: PENDING.settled, ...BUCKETS },
    act: async (p, world) => moveBuckets(p.volumes, RUN, await contentsOf(p, world, await volumeIn(world, 'draining'))),
  },
  'a merge of the buckets of a volume into two': {
    prepare: async () => thinned(await draining()),
    meanwhile: { ...OPEN, ...SEALED, settled: PENDING.settled, ...BUCKETS, ...BLOCKS },
    act: async (p, world) => {
      const records = await mergeRecords(p, world, await volumeIn(world, 'draining'));
      const half = Math.ceil(records.length / 2);
      const targets = [records.slice(0, half), records.slice(half)].map((some, i) => ({
        records: some,
        createdAtMs: 20 - i,
      }));
      return mergeBuckets(p.volumes, RUN, targets);
    },
  },
};
