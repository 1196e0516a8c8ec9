// Remnants of leased volumes made into buckets: what is copied and what is left where it is, where it ends early, and what it says it took.
import { describe, expect, it } from 'vitest';
import { planMergesNow } from '../../../lib/compaction/do/merge-now.ts';
import { type MergeTally, type MergeTask, mergeSources, nothingMerged } from '../../../lib/compaction/move/merge.ts';
import type { MemoryDrive } from '../../../lib/drive/memory-drive.ts';
import { scriptedPlan } from '../../../lib/foundation/faults.ts';
import type { BucketId, RunId, VolumeId } from '../../../lib/foundation/ids.ts';
import { type VolumeRow, volumeKey } from '../../../lib/panda/rows/volume-row.ts';
import { listBuckets, listVolumes, readBucket } from '../../../lib/volume/rows/read-rows.ts';
import { takeRun } from '../../../lib/volume/runs/runs.ts';
import type { StartOptions } from '../../store/harness.ts';
import { SMALL } from '../acting-world.ts';
import { MERGING, thinnedWorld } from '../merge-world.ts';

const prepared = thinnedWorld({ volumes: 3, filesEach: 40, keep: 4 });
const RUN = 'merge/p0/1' as RunId;

/** Three sealed volumes of remnants, leased, and what a plan makes of them. */
async function leased(options: StartOptions = {}) {
  const made = await prepared;
  const world = made.world.clone();
  const p = world.start(options);
  const { merges } = await planMergesNow(world.start().volumes, { merging: MERGING });
  const tasks: MergeTask[] = merges.map(({ sources }) => sources.map(({ bucket, volume }) => ({ bucket, volume })));
  const volumes: VolumeRow[] = [];
  for (const { id, state } of await listVolumes(world.panda, SMALL.cell))
    if (state === 'sealed') volumes.push((await takeRun(p.components, id, RUN)) as VolumeRow);
  let blocks = 0;
  for await (const page of world.panda.scan())
    blocks += page.filter(({ partition }) => partition.startsWith('block/')).length;
  const states = async (): Promise<string[]> =>
    (await listVolumes(world.panda, SMALL.cell))
      .filter(({ id }) => volumes.some((volume) => volume.id === id))
      .map(({ state, run }) => `${state} ${run}`);
  const merge = (some: readonly MergeTask[], signal?: AbortSignal): Promise<MergeTally> =>
    mergeSources(p.volumes, RUN, volumes, some, signal);
  const rows = async (): Promise<number> => (await listBuckets(world.panda, SMALL.cell)).length;
  return { world, model: made.model, p, tasks, volumes, blocks, states, merge, rows };
}

const SEALED = 'sealed undefined';
const ALL_SEALED = [SEALED, SEALED, SEALED];
/** Of volumes that only get their leases back. */
const UNTOUCHED = { ...nothingMerged(), metadataWrites: 6 };

describe('remnants', () => {
  it('are merged as they were planned; empty volumes are retired, and all of it is counted', async () => {
    const { world, model, tasks, blocks, merge, rows, states, volumes } = await leased();
    const before = await rows();
    const sources = await Promise.all(
      tasks.flat().map(({ bucket }) => readBucket(world.panda, SMALL.cell, bucket as BucketId)),
    );
    const { destinations, ...tally } = await merge(tasks);
    const remnants = tasks.flat().length;
    const written = (await listVolumes(world.panda, SMALL.cell)).filter(({ id }) => destinations.has(id));
    const sumOf = (bytes: readonly number[]): number => bytes.reduce((sum, one) => sum + one, 0);
    const retired = (await states()).filter((state) => state === 'trash undefined').length;
    expect(retired).toBeGreaterThan(0);
    expect(tasks.length).toBeGreaterThan(1);
    const after = await rows();
    const dropped = before + tally.buckets - after;
    expect(tally).toEqual({
      buckets: tasks.length,
      remnants,
      blockRows: 27,
      rowsDropped: dropped,
      groups: 1,
      recordBytes: sumOf(sources.map((bucket) => bucket?.liveBytes ?? 0)),
      storedBytes: sumOf(written.flatMap(({ extentUsedBytes }) => extentUsedBytes)),
      metadataWrites: 103 + 5 * retired,
      scanned: blocks,
      retired,
      skipped: [],
      stalled: undefined,
    });
    expect([...destinations].some((id) => volumes.some((volume) => volume.id === id))).toBe(false);
    await model.expectIn(world.start());
  });

  it('of no task are looked for nowhere', async () => {
    const { merge, states } = await leased();
    expect(await merge([])).toEqual(UNTOUCHED);
    expect(await states()).toEqual(ALL_SEALED);
  });

  it('that would stay alone, are nowhere, or in a volume of another run, are left where they are', async () => {
    const { merge, tasks, volumes, blocks, states, world } = await leased();
    const [first, second] = tasks[0] as [MergeTask[number], MergeTask[number]];
    const gone = { bucket: 'ffffffffffffffff', volume: first.volume };
    const elsewhere = { ...second, volume: 'eeeeeeeeeeeeeeee' };
    const wrong = { ...second, volume: volumes.find(({ id }) => id !== second.volume)?.id as string };
    const some = [[first], [first, gone], [first, elsewhere], [first, wrong], []];
    expect(await merge(some)).toEqual({ ...UNTOUCHED, scanned: blocks });
    expect(await states()).toEqual(ALL_SEALED);
    expect((await readBucket(world.panda, SMALL.cell, first.bucket as BucketId))?.volume).toBe(first.volume);
  });

  it('of different lanes never become one bucket', async () => {
    const { world, volumes, tasks, p, blocks } = await leased();
    const [, other] = volumes as [VolumeRow, VolumeRow, VolumeRow];
    const key = volumeKey(SMALL.cell, other.id);
    await world.panda.transact([{ kind: 'update', ...key, set: { ln: 7 } }]);
    const now = volumes.map((volume) => (volume === other ? { ...volume, lane: 7 } : volume));
    const mixed = [
      tasks
        .flat()
        .filter(({ volume }) => volume !== other.id)
        .slice(0, 2),
      tasks
        .flat()
        .filter(({ volume }) => volume === other.id)
        .slice(0, 2),
    ];
    const [shared = [], apart = []] = mixed;
    // The first remnant says of which lane the bucket is.
    const { destinations, ...tally } = await mergeSources(p.volumes, RUN, now, [
      [...shared, ...apart.slice(0, 1)],
      [...apart, ...shared.slice(0, 1)],
    ]);
    expect(tally).toMatchObject({ buckets: 2, remnants: 4, groups: 2, scanned: blocks, stalled: undefined });
    const lanes: (number | undefined)[] = [];
    for (const { id, lane } of await listVolumes(world.panda, SMALL.cell)) if (destinations.has(id)) lanes.push(lane);
    expect(lanes.sort()).toEqual([7, undefined]);
  });

  it('that cannot be read are left out, and it is said which', async () => {
    const { world, volumes, tasks, merge } = await leased();
    const broken = volumes[0] as VolumeRow;
    for (const { drive, zone, zoneGeneration } of broken.extents.slice(0, 2))
      await (world.drives[drive] as MemoryDrive).erase({ zone, generation: zoneGeneration });
    const { skipped, buckets, stalled, remnants } = await merge(tasks);
    const ids = tasks.flat().filter(({ volume }) => volume === broken.id);
    expect(ids.length).toBeGreaterThan(0);
    expect(skipped).toEqual(
      ids.map(({ bucket, volume }) => ({
        volume,
        reason: { code: 'RECORD_LOST', text: expect.stringMatching(new RegExp(`^bucket ${bucket} cannot be read: `)) },
      })),
    );
    // One alone is left where it is, too.
    const left = tasks.map((task) => task.filter(({ volume }) => volume !== broken.id).length);
    const whole = left.filter((count) => count > 1);
    expect([buckets, stalled]).toEqual([whole.length, undefined]);
    expect(remnants).toBe(whole.reduce((sum, count) => sum + count, 0));
  });
});

describe('merging ends early', () => {
  it('when it is told to: before it looks for blocks, or before what is next', async () => {
    const { merge, states, tasks } = await leased();
    expect(await merge(tasks, AbortSignal.abort())).toEqual(UNTOUCHED);
    expect(await states()).toEqual(ALL_SEALED);
    const end = new AbortController();
    const plan = scriptedPlan(({ port, operation }, detail) => {
      if (port === 'panda' && operation === 'get' && detail.startsWith('bucket/')) end.abort();
      return 'none';
    });
    const second = await leased({ plan });
    expect(await second.merge(second.tasks, end.signal)).toEqual({ ...UNTOUCHED, scanned: second.blocks });
    expect(await second.states()).toEqual(ALL_SEALED);
  });

  it('when nothing can be written, with the reason; what was merged by then stays merged', async () => {
    let appends = 0;
    const plan = scriptedPlan(({ port, operation }) => {
      if (port !== 'drive' || operation !== 'append') return 'none';
      appends += 1;
      return 'before-error';
    });
    const { merge, tasks, states, blocks, model, world } = await leased({ plan });
    const tally = await merge(tasks);
    expect(appends).toBeGreaterThan(0);
    expect(tally).toMatchObject({ buckets: 0, remnants: 0, groups: 0, retired: 0, scanned: blocks });
    expect(tally.stalled?.code).toBe('DRIVES_MISSING');
    expect(await states()).toEqual(ALL_SEALED);
    await model.expectIn(world.start());
  });

  it('by a mistake, which comes out', async () => {
    const { merge, tasks, volumes } = await leased();
    await expect(
      merge([[{ bucket: 5 as never, volume: volumes[0]?.id as string }, ...(tasks[0] ?? [])]]),
    ).rejects.toThrow();
  });
});

it('leases of volumes that are gone meanwhile are no loss', async () => {
  const { world, volumes, p } = await leased();
  const [first] = volumes as [VolumeRow];
  await world.panda.transact([{ kind: 'delete', ...volumeKey(SMALL.cell, first.id as VolumeId) }]);
  const tally = await mergeSources(p.volumes, RUN, [first], []);
  expect(tally).toEqual({ ...nothingMerged(), metadataWrites: 2 });
});
