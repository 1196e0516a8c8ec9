// Hosts that do not fit their own extents once more: seen in their rows before they are tried, and, where that was not enough, told of by
// the run that tried. Either way the run ends, nothing is lost, and no plan offers them again.
import { describe, expect, it } from 'vitest';
import { executePlan } from '../../lib/compaction/do/executor.ts';
import { planNow } from '../../lib/compaction/do/plan-now.ts';
import { beginPlan } from '../../lib/compaction/do/plan-runs.ts';
import { compact } from '../../lib/compaction/do/rounds.ts';
import { stepRun } from '../../lib/compaction/do/run-step.ts';
import { type CrowdedNotes, hostRoomBytes, noteCrowded, readCrowded } from '../../lib/compaction/facts/crowded.ts';
import { fleetOf } from '../../lib/compaction/facts/fleet.ts';
import { planSettingsOf } from '../../lib/compaction/facts/plan-settings.ts';
import { LEGEND } from '../../lib/compaction/plan/plan.ts';
import { planCompaction } from '../../lib/compaction/plan/planner.ts';
import { listJournal } from '../../lib/compaction/run/journal.ts';
import type { VolumeId } from '../../lib/foundation/ids.ts';
import type { VolumeRow } from '../../lib/panda/rows/volume-row.ts';
import { listVolumes } from '../../lib/volume/rows/read-rows.ts';
import { World } from '../store/harness.ts';
import { expectSound } from '../store/recount.ts';
import { actorsOf, batchesOf, SMALL, sealedWorld } from './acting-world.ts';
import { CAPACITY, volumeOf } from './fleets.ts';

describe('a volume’s row', () => {
  const settings = { extentBytes: 1000 };
  const NO_NOTES: CrowdedNotes = new Map();
  const row = (data: readonly number[], parity: number) => ({
    id: '00000000000000aa' as VolumeId,
    codec: 'xor-2-1' as const,
    generation: 3,
    extentUsedBytes: [...data, parity],
    directoriesPending: false,
  });

  it('says how much room there is beside what is live: less where columns are uneven, none where they are very', () => {
    expect(hostRoomBytes(settings, row([900, 900], 900), 1600, NO_NOTES)).toBeGreaterThan(350);
    const uneven = hostRoomBytes(settings, row([800, 900], 980), 1600, NO_NOTES);
    expect(uneven).toBeGreaterThan(0);
    expect(uneven).toBeLessThan(150);
    expect(hostRoomBytes(settings, row([800, 900], 1100), 1600, NO_NOTES)).toBe(0);
  });

  it('says that there is none as long as its directories are pending: a flip lets the group rows go', () => {
    expect(hostRoomBytes(settings, { ...row([900, 900], 900), directoriesPending: true }, 800, NO_NOTES)).toBe(0);
  });

  it('is overruled by a run that tried, until more has died or the volume was rewritten', () => {
    const even = row([900, 900], 900);
    const notes = new Map([[even.id as string, { generation: 3, liveBytes: 1600 }]]);
    expect(hostRoomBytes(settings, even, 1600, notes)).toBe(0);
    expect(hostRoomBytes(settings, even, 1550, notes)).toBe(0);
    // To the byte.
    const whole = new Map([[even.id as string, { generation: 3, liveBytes: 1000 }]]);
    expect(hostRoomBytes(settings, even, 951, whole)).toBe(0);
    expect(hostRoomBytes(settings, even, 950, whole)).toBeGreaterThan(0);
    expect(hostRoomBytes(settings, even, 1500, notes)).toBeGreaterThan(0);
    expect(hostRoomBytes(settings, { ...even, generation: 4 }, 1600, notes)).toBeGreaterThan(0);
  });
});

describe('the planner', () => {
  const plan = (rooms: readonly number[]) =>
    planCompaction({
      view: fleetOf(
        's',
        'c0',
        rooms.map((roomBytes, n) => volumeOf(n + 1, 0.86 + n / 1000, { roomBytes, bucketCount: 100 })),
      ),
      settings: planSettingsOf({ topOffs: 'always' }),
      threshold: 0.05,
    });

  it('takes no host without room, but takes from it; and says so where nobody does', () => {
    const { runs, verdicts } = plan([0, CAPACITY / 10, 0]);
    expect(runs.map(({ host }) => host?.volume)).toEqual([volumeOf(2, 0).id]);
    expect(runs[0]?.sources.map(({ volume }) => volume)).toEqual([volumeOf(1, 0).id]);
    expect(verdicts).toBe('ppc');
    expect(LEGEND['c']).toContain('uneven');
    expect(plan([0, 0, 0])).toMatchObject({ runs: [], verdicts: 'ccc' });
  });

  it('plans no more into a host than its extents take', () => {
    const roomBytes = CAPACITY / 50;
    const { runs } = plan([roomBytes, roomBytes, roomBytes, roomBytes]);
    expect(runs.length).toBe(2);
    for (const { sources } of runs)
      expect(sources.reduce((sum, { takeBytes }) => sum + takeBytes, 0)).toBeLessThanOrEqual(roomBytes);
  });
});

describe('a run whose host turns out too full', () => {
  const prepared = sealedWorld({
    volumes: 4,
    filesEach: 100,
    deletedEach: (volume) => (volume === 0 ? 30 : 80),
    seed: 21,
  });
  const L1 = {
    settings: {
      strategies: ['l1' as const],
      hostOrder: 'densest' as const,
      minFill: 0.2,
      l3UpTo: 0.02,
      l2UpTo: 0.03,
    },
  };
  /** Planned for extents that are larger than those the store turns out to have. */
  async function tooSmall() {
    const { world: made, model } = await prepared;
    const wide = made.clone();
    const { plan } = await planNow(wide.start().volumes, L1);
    const host = plan.runs[0]?.host?.volume as string;
    const world = new World(wide.seed, { ...SMALL, extentBytes: 36 * 1024 }, wide.drives, wide.panda);
    return { wide, world, model, plan: { ...plan, runs: plan.runs.slice(0, 1) }, host };
  }
  const leases = async (world: World) =>
    (await listVolumes(world.panda, SMALL.cell)).filter(({ run, next }) => run !== undefined || next !== undefined);

  it('is skipped with the reason: journal and leases ended, nothing lost', async () => {
    const { world, wide, model, plan, host } = await tooSmall();
    const p = world.start();
    const { runs } = await executePlan(batchesOf(p), plan);
    expect(runs).toMatchObject([{ stalled: undefined, retired: 0, movedBuckets: 0, hostBytes: 0 }]);
    expect(runs[0]?.skipped).toEqual([
      { volume: host, reason: { code: 'HOST_TOO_FULL', text: expect.stringContaining('cannot be topped off') } },
    ]);
    expect(await listJournal(p.components)).toEqual([]);
    expect(await leases(world)).toEqual([]);
    expect([...(await readCrowded(p.components)).keys()]).toEqual([host]);
    await model.expectIn(wide.start());
    await expectSound(wide.start());
  });

  it('is done for good as a step of a worker, too', async () => {
    const { world, plan, host } = await tooSmall();
    const p = world.start();
    const [run] = await beginPlan(p.volumes, plan, []);
    const step = await stepRun(actorsOf(p), run as NonNullable<typeof run>, new AbortController().signal);
    expect(step).toMatchObject({ done: true, stalled: undefined, skipped: [{ volume: host }] });
    expect(await listJournal(p.components)).toEqual([]);
    expect(await leases(world)).toEqual([]);
  });

  it('is not planned again, and compacting until nothing is gained ends', async () => {
    const { world, wide, model, plan, host } = await tooSmall();
    await executePlan(batchesOf(world.start()), plan);
    const p = wide.start();
    const next = (await planNow(p.volumes, L1)).plan;
    expect(next.runs.length).toBeGreaterThan(0);
    expect(next.runs.map((run) => run.host?.volume)).not.toContain(host);
    const report = await compact(batchesOf(p), { ...L1, untilStable: true });
    expect(report.plans).toBeLessThan(6);
    expect(report.runs.flatMap(({ stalled }) => stalled ?? [])).toEqual([]);
    await model.expectIn(p);
    await expectSound(p);
  });

  it('without a bucket that fits beside it, a host is not rewritten for nothing', async () => {
    const { world: made, model } = await prepared;
    const world = made.clone();
    const p = world.start();
    const { plan } = await planNow(p.volumes, L1);
    const run = plan.runs[0] as NonNullable<(typeof plan.runs)[0]>;
    // Its live bytes just fit; no bucket does beside them.
    const extentBytes = Math.ceil(((run.host?.liveBytes ?? 0) / 2) * 1.09);
    const tight = new World(world.seed, { ...SMALL, extentBytes }, world.drives, world.panda);
    const q = tight.start();
    const { runs } = await executePlan(batchesOf(q), { ...plan, runs: [run] });
    expect(runs[0]?.skipped).toMatchObject([{ volume: run.host?.volume }]);
    expect(runs[0]?.stalled).toBeUndefined();
    const host = (await listVolumes(tight.panda, SMALL.cell)).find(({ id }) => id === run.host?.volume);
    expect(host).toMatchObject({ generation: 1, state: 'sealed', next: undefined });
    await model.expectIn(world.start());
  });
});

describe('notes of hosts that are too full', () => {
  it('go with the volume, and with its generation; those of others stay', async () => {
    const { p } = await sealedWorld({ volumes: 2, filesEach: 10, deletedEach: () => 2 });
    const sealed = (await listVolumes(p.components.panda, p.components.settings.cell)).filter(
      ({ state }) => state === 'sealed',
    );
    const [one, other] = sealed as [VolumeRow, VolumeRow];
    const gone = { id: 'ffffffffffffffff' as VolumeId, generation: 1 };
    await noteCrowded(p.components, other, 20);
    await noteCrowded(p.components, gone, 10);
    expect([...(await readCrowded(p.components)).keys()].sort()).toEqual([other.id, gone.id].sort());
    await noteCrowded(p.components, one, 30);
    expect(await readCrowded(p.components)).toEqual(
      new Map(
        [one, other]
          .sort((a, b) => (a.id < b.id ? -1 : 1))
          .map(({ id, generation }) => [id, { generation, liveBytes: id === one.id ? 30 : 20 }]),
      ),
    );
    // The one that a later run tried in vain has another note; the other one was rewritten meanwhile.
    await noteCrowded(p.components, { ...other, generation: other.generation + 1 }, 5);
    await noteCrowded(p.components, one, 7);
    expect(await readCrowded(p.components)).toEqual(new Map([[one.id, { generation: one.generation, liveBytes: 7 }]]));
  });
});
