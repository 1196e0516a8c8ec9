// Plans carried out on real stores: what they free, what they leave alone, and what a stale one does.
import { describe, expect, it } from 'vitest';
import { executePlan } from '../../lib/compaction/do/executor.ts';
import { explain, planNow } from '../../lib/compaction/do/plan-now.ts';
import { compact } from '../../lib/compaction/do/rounds.ts';
import { sealedTotals } from '../../lib/compaction/facts/fleet.ts';
import { planSettingsFor, snapshotOf } from '../../lib/compaction/facts/snapshot.ts';
import { planJson } from '../../lib/compaction/plan/plan.ts';
import type { BucketId, VolumeId } from '../../lib/foundation/ids.ts';
import { listBuckets, listVolumes, readBucket } from '../../lib/volume/rows/read-rows.ts';
import { newRunId, takeRun } from '../../lib/volume/runs/runs.ts';
import { expectSound } from '../store/recount.ts';
import { batchesOf, deleteFiles, filesOf, putFiles, SMALL, sealedWorld } from './acting-world.ts';

const prepared = sealedWorld({ volumes: 4, filesEach: 40, deletedEach: () => 25 });
/** The same store anew for every test. */
async function half() {
  const { world, model } = await prepared;
  const copy = world.clone();
  return { world: copy, model: model.clone(), p: copy.start() };
}
const L2 = { settings: { strategies: ['l2' as const], l3UpTo: 0.09, sourcesMax: 10 } };

describe('a snapshot of the rows', () => {
  it('counts every live byte once, and is the same for the same rows', async () => {
    const { p } = await half();
    const view = await snapshotOf(p.components);
    expect(view.count).toBe(4);
    const rows: number[] = [];
    for await (const page of p.components.panda.scan())
      for (const row of page) if (row.partition.startsWith('bucket/')) rows.push(row.attributes['l'] as number);
    expect(sealedTotals(view).liveBytes).toBe(rows.reduce((a, b) => a + b, 0));
    expect(JSON.stringify(await planNow(p.volumes))).toBe(JSON.stringify(await planNow(p.volumes)));
  });

  it('sees a leased volume as leased', async () => {
    const { p } = await half();
    const [first] = await listVolumes(p.components.panda, SMALL.cell);
    await takeRun(p.components, first?.id as VolumeId, newRunId(p.components, 'l2'));
    const view = await snapshotOf(p.components);
    expect([...view.state].filter((state) => state === 3).length).toBe(1);
  });
});

describe('L2 and L3 carried out', () => {
  it('L2 packs sources into fewer volumes, and nothing is lost', async () => {
    const { p, model } = await half();
    const before = sealedTotals(await snapshotOf(p.components));
    const report = await compact(batchesOf(p), { ...L2, settings: { ...L2.settings, minFill: 0.2, l3UpTo: 0.09 } });
    expect(report.runs.length).toBeGreaterThan(0);
    expect(report.runs.every((run) => run.strategy === 'l2' && run.stalled === undefined)).toBe(true);
    expect(report.runs.reduce((sum, run) => sum + run.retired, 0)).toBeGreaterThanOrEqual(2);
    expect(report.freed.freedVolumes).toBeGreaterThanOrEqual(2);
    const after = sealedTotals(await snapshotOf(p.components));
    expect(after.capacityBytes).toBeLessThan(before.capacityBytes);
    await model.expectIn(p);
    await expectSound(p);
  });

  it('a second time it finds nothing of the plan to do', async () => {
    const { p, model } = await half();
    const { plan } = await planNow(p.volumes, { settings: { minFill: 0.2, l3UpTo: 0.09 } });
    await executePlan(batchesOf(p), plan);
    const again = await executePlan(batchesOf(p), plan);
    for (const run of again.runs) {
      expect(run.movedBuckets).toBe(0);
      expect(run.skipped.length).toBe(plan.runs.find(({ name }) => name === run.name)?.sources.length);
    }
    await model.expectIn(p);
    await expectSound(p);
  });

  it('a plan file is done exactly, or refused with what changed', async () => {
    const { p, model } = await half();
    const { plan } = await planNow(p.volumes, { settings: { minFill: 0.2, l3UpTo: 0.09 } });
    const taken = plan.runs[0]?.sources[0]?.volume as VolumeId;
    const run = newRunId(p.components, 'encode');
    await takeRun(p.components, taken, run);
    await expect(compact(batchesOf(p), { planJson: planJson(plan) })).rejects.toMatchObject({ code: 'PLAN_STALE' });
    // Without the file's promise the leased volume is left out, the others go on.
    const report = await executePlan(batchesOf(p), plan);
    expect(report.runs.flatMap(({ skipped }) => skipped)).toContainEqual({
      volume: taken,
      reason: { code: 'VOLUME_OWNED', text: `it is owned by run ${run}` },
    });
    expect(report.runs.reduce((sum, { retired }) => sum + retired, 0)).toBeGreaterThan(0);
    await model.expectIn(p);
    await expectSound(p);
  });

  it('refuses a journal of another version, nothing changed', async () => {
    const { p } = await half();
    await p.components.panda.transact([
      { kind: 'put', partition: 'work/run', sort: 'l2/old/1', attributes: { f: 99, r: 'l2/old/1', s: 'COPY' } },
    ]);
    const before = JSON.stringify([...(await listVolumes(p.components.panda, SMALL.cell))]);
    await expect(compact(batchesOf(p), L2)).rejects.toMatchObject({ code: 'JOURNAL_VERSION' });
    expect(JSON.stringify([...(await listVolumes(p.components.panda, SMALL.cell))])).toBe(before);
  });

  it('goes on with a dead process’s run', async () => {
    const { world, p, model } = await half();
    const { plan } = await planNow(p.volumes, { settings: { minFill: 0.2, l3UpTo: 0.09 } });
    const run = plan.runs[0];
    const { beginJournal, listJournal, taskOf } = await import('../../lib/compaction/run/journal.ts');
    const id = newRunId(p.components, 'l2');
    await beginJournal(p.components, id, taskOf(plan.digest, run as NonNullable<typeof run>));
    for (const { volume } of run?.sources ?? []) await takeRun(p.components, volume as VolumeId, id);
    const q = world.start({ othersDead: true });
    const report = await compact(batchesOf(q), { settings: { strategies: ['l2'] }, threshold: 0.9 });
    expect(report.resumed).toBe(1);
    expect(await listJournal(q.components)).toEqual([]);
    expect(report.freed.freedVolumes).toBe(run?.sources.length);
    await model.expectIn(q);
    await expectSound(q);
  });

  it('explains a volume by the plan made now', async () => {
    const { p } = await half();
    const [volume] = await listVolumes(p.components.panda, SMALL.cell);
    expect((await explain(p.volumes, volume?.id ?? '')).map(({ text }) => text).join('\n')).toContain(
      `volume ${volume?.id}`,
    );
    await expect(explain(p.volumes, 'ffff')).rejects.toMatchObject({ code: 'VOLUME_UNKNOWN' });
  });

  it('puts, deletes and reads go on during a run', async () => {
    const { p, model } = await half();
    const busy = (async () => {
      await putFiles(p, model, filesOf(77, 20, 900));
      await deleteFiles(p, model, [...model.there.keys()].slice(0, 10));
    })();
    await Promise.all([busy, compact(batchesOf(p), { settings: { minFill: 0.2, l3UpTo: 0.09 } })]);
    await model.expectIn(p);
    await expectSound(p);
  });

  it('settings of the store are bounds of the plan', () => {
    expect(planSettingsFor(SMALL).bucketsPerVolumeMax).toBe(256);
  });
});

describe('L1 carried out', () => {
  const prepared = sealedWorld({
    volumes: 4,
    filesEach: 100,
    deletedEach: (volume) => (volume === 0 ? 30 : 80),
    seed: 21,
  });
  const L1 = { settings: { strategies: ['l1' as const], minFill: 0.2, l3UpTo: 0.02, l2UpTo: 0.03 } };

  it('the host keeps its id at a new generation, donors are emptied, no bucket of the host changes its row', async () => {
    const { world, model } = await prepared;
    const copy = world.clone();
    const p = copy.start();
    const { plan } = await planNow(p.volumes, L1);
    const run = plan.runs[0];
    expect(run?.host).not.toBeNull();
    const hostId = run?.host?.volume as VolumeId;
    const buckets = await listBuckets(p.components.panda, SMALL.cell);
    const ofHost = buckets.filter((bucket) => bucket.volume === hostId && bucket.liveBytes > 0).map(({ id }) => id);
    const rowOf = async (id: BucketId) => JSON.stringify(await readBucket(p.components.panda, SMALL.cell, id));
    const rows = await Promise.all(ofHost.map(rowOf));
    const report = await compact(batchesOf(p), L1);
    const [done] = report.runs;
    expect(done?.stalled).toBeUndefined();
    expect(done?.retired).toBeGreaterThan(0);
    expect(done?.hostBytes).toBe(run?.host?.liveBytes);
    const host = (await listVolumes(p.components.panda, SMALL.cell)).find(({ id }) => id === hostId);
    expect(host).toMatchObject({ generation: 2, state: 'sealed', run: undefined, next: undefined });
    expect(host?.buckets.size).toBe(ofHost.length + (done?.movedBuckets ?? 0));
    expect(await Promise.all(ofHost.map(rowOf))).toEqual(rows);
    expect(report.freed.freedVolumes).toBe((done?.retired ?? 0) + 1);
    await model.expectIn(p);
    await model.expectIn(copy.start());
    await expectSound(p);
  });

  it('a reader with old rows follows the flip', async () => {
    const { world, model } = await prepared;
    const copy = world.clone();
    const reader = copy.start();
    await model.expectIn(reader);
    await compact(batchesOf(copy.start()), { ...L1, untilStable: true });
    await model.expectIn(reader);
  });
});
