// A top-off that is broken off: by Ctrl-C it ends without a trace; by a kill, or the end of a worker's time, whoever comes next goes on after
// the groups that are stored.
import { describe, expect, it } from 'vitest';
import { endDeadRuns } from '../../lib/compaction/do/end-runs.ts';
import { planNow } from '../../lib/compaction/do/plan-now.ts';
import { beginPlan } from '../../lib/compaction/do/plan-runs.ts';
import { compact } from '../../lib/compaction/do/rounds.ts';
import { stepRun } from '../../lib/compaction/do/run-step.ts';
import { listJournal } from '../../lib/compaction/run/journal.ts';
import { Crash } from '../../lib/foundation/faults.ts';
import type { RunId } from '../../lib/foundation/ids.ts';
import type { VolumeRow } from '../../lib/panda/rows/volume-row.ts';
import { listVolumes } from '../../lib/volume/rows/read-rows.ts';
import type { World } from '../store/harness.ts';
import { expectSound } from '../store/recount.ts';
import { actorsOf, batchesOf } from './acting-world.ts';
import { atGroup, L1_ONLY, toppingWorld } from './l1-world.ts';

const prepared = toppingWorld();
async function fresh() {
  const { world, model } = await prepared;
  return { world: world.clone(), model: model.clone() };
}
const volumesOf = (world: World): Promise<VolumeRow[]> => listVolumes(world.panda, world.settings.cell);
const leasedIn = async (world: World) =>
  (await volumesOf(world)).filter(({ run, next }) => (run ?? next) !== undefined);
const nextOf = async (world: World) => (await volumesOf(world)).flatMap(({ next }) => next?.extents ?? []);
const chunks = async (world: World, extents: VolumeRow['extents']): Promise<number> => {
  let count = 0;
  for (const { drive, zone, zoneGeneration } of extents)
    count += (await world.drives[drive]?.list({ zone, generation: zoneGeneration }))?.length ?? 0;
  return count;
};

describe('a top-off', () => {
  it('stopped by Ctrl-C between two groups ends without a trace, and the next one does it', async () => {
    const { world, model } = await fresh();
    const stop = new AbortController();
    const plan = atGroup(1, () => {
      stop.abort();
      return 'none';
    });
    const report = await compact(batchesOf(world.start({ plan })), { ...L1_ONLY, signal: stop.signal });
    expect(report.runs).toMatchObject([{ retired: 0, movedBuckets: 0, stalled: undefined }]);
    expect(await leasedIn(world)).toEqual([]);
    const p = world.start();
    expect(await listJournal(p.components)).toEqual([]);
    await model.expectIn(p);
    const again = await compact(batchesOf(p), L1_ONLY);
    expect(again.runs[0]?.retired).toBe(1);
    await model.expectIn(p);
    await expectSound(p);
  });

  /** Dies after two groups; what the next process finds. */
  async function killed() {
    const { world, model } = await fresh();
    const plan = atGroup(3, () => 'before');
    await expect(compact(batchesOf(world.start({ plan })), L1_ONLY)).rejects.toBeInstanceOf(Crash);
    const next = await nextOf(world);
    expect(next.length).toBeGreaterThan(0);
    // The third was stored, too, but nobody noted it.
    expect(await chunks(world, next)).toBe(9);
    return { world, model, next };
  }

  it('killed after two groups is gone on with in the same extents, the stray of the third left alone', async () => {
    const { world, model, next } = await killed();
    const p = world.start({ othersDead: true });
    const [journal] = await listJournal(p.components);
    expect(journal).toMatchObject({ phase: 'COPY', copied: { groups: [{ seq: 1 }, { seq: 2 }] } });
    expect((await compact(batchesOf(p), L1_ONLY)).resumed).toBe(1);
    const host = (await volumesOf(world)).find(({ id }) => id === journal?.task.host);
    expect(host).toMatchObject({ generation: 2, extents: next, run: undefined });
    expect(await listJournal(p.components)).toEqual([]);
    await model.expectIn(p);
    await model.expectIn(world.start());
    await expectSound(p);
  });

  it('killed, and deleted from meanwhile', async () => {
    const { world, model } = await killed();
    const p = world.start({ othersDead: true });
    for (const key of [...model.there.keys()].slice(0, 20)) {
      for await (const done of p.frontend.deleteAll([{ namespace: 'default', key }])) expect(done.ok).toBe(true);
      model.delete(key);
    }
    expect((await compact(batchesOf(p), L1_ONLY)).resumed).toBe(1);
    await model.expectIn(p);
    await expectSound(p);
  });

  it('killed, with a drive of the new extents gone, begins anew or goes on, and loses nothing', async () => {
    const { world, model, next } = await killed();
    const [first] = next;
    const drive = world.drives[first?.drive ?? 0];
    await drive?.erase({ zone: first?.zone ?? 0, generation: first?.zoneGeneration ?? 0 });
    const p = world.start({ othersDead: true });
    expect((await compact(batchesOf(p), L1_ONLY)).resumed).toBe(1);
    await model.expectIn(p);
  });

  it('killed and only recovered gives everything back', async () => {
    const { world, model } = await killed();
    const p = world.start({ othersDead: true });
    expect(await endDeadRuns(p.volumes)).toBe(2);
    expect(await leasedIn(world)).toEqual([]);
    await model.expectIn(p);
    await expectSound(p);
  });

  it('as a worker’s step is parked with what it copied when its time is up, and the next step goes on', async () => {
    const { world, model } = await fresh();
    const p = world.start();
    const { plan } = await planNow(p.volumes, L1_ONLY);
    const [run] = (await beginPlan(p.volumes, plan, [])) as [RunId];
    const stop = new AbortController();
    // A step begins with two notes as well: the take-over, and COPY.
    const cut = world.start({
      plan: atGroup(
        2,
        () => {
          stop.abort();
          return 'none';
        },
        true,
      ),
    });
    const first = await stepRun(actorsOf(cut), run, stop.signal);
    expect(first).toMatchObject({ done: false, stalled: undefined, retired: 0 });
    expect(first.hostBytes).toBeGreaterThan(0);
    const next = await nextOf(world);
    expect(next.length).toBe(3);
    const second = await stepRun(actorsOf(world.start()), run, new AbortController().signal);
    expect(second).toMatchObject({ done: true, stalled: undefined, retired: 1 });
    expect(first.hostBytes + second.hostBytes).toBe(plan.runs[0]?.host?.liveBytes);
    const host = (await volumesOf(world)).find(({ id }) => id === plan.runs[0]?.host?.volume);
    expect(host).toMatchObject({ generation: 2, extents: next });
    expect(await leasedIn(world)).toEqual([]);
    expect(await listJournal(p.components)).toEqual([]);
    await model.expectIn(world.start());
    await expectSound(world.start());
  });

  it('as a worker’s step without time for a single group gives everything back', async () => {
    const { world } = await fresh();
    const p = world.start();
    const [run] = (await beginPlan(p.volumes, (await planNow(p.volumes, L1_ONLY)).plan, [])) as [RunId];
    const step = await stepRun(actorsOf(p), run, AbortSignal.abort());
    expect(step).toMatchObject({ done: true, stalled: { code: 'STEP_TIME_UP' } });
    expect(await leasedIn(world)).toEqual([]);
    expect(await listJournal(p.components)).toEqual([]);
  });

  it('whose journal speaks of a generation on other extents, which another run made, takes none of it for its own', async () => {
    const { world, model } = await fresh();
    const p = world.start();
    const { plan } = await planNow(p.volumes, L1_ONLY);
    const [run] = (await beginPlan(p.volumes, plan, [])) as [RunId];
    const { host, sources } = plan.runs[0] as (typeof plan.runs)[0];
    const [donor] = (await volumesOf(world)).filter(({ id }) => id === sources[0]?.volume);
    const buckets = [...(donor?.buckets ?? [])].map((bucket) => ({ bucket, source: donor?.id, move: 1, seq: 1 }));
    expect(buckets.length).toBeGreaterThan(0);
    const copied = {
      generation: host?.generation,
      token: 1,
      buckets,
      extents: ['9:9:9', '8:9:9', '7:9:9'],
      groups: [],
    };
    const set = { s: 'COMMIT', c: JSON.stringify(copied) };
    await world.panda.transact([{ kind: 'update', partition: 'work/run', sort: run, set }]);
    const step = await stepRun(actorsOf(world.start({ othersDead: true })), run, new AbortController().signal);
    expect(step.hostBytes).toBe(host?.liveBytes);
    await model.expectIn(world.start());
    await expectSound(world.start());
  });
});
