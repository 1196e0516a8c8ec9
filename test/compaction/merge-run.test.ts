// Merges carried out: fewer bucket rows, every block readable where its row says, nothing lost to those who write meanwhile.
import { describe, expect, it } from 'vitest';
import { executeMerges } from '../../lib/compaction/do/executor.ts';
import { planMergesNow } from '../../lib/compaction/do/merge-now.ts';
import { compact } from '../../lib/compaction/do/rounds.ts';
import { listJournal } from '../../lib/compaction/run/journal.ts';
import { present } from '../../lib/foundation/assert.ts';
import { Crash, scriptedPlan } from '../../lib/foundation/faults.ts';
import { collectGarbage } from '../../lib/gc/collect-garbage.ts';
import { TRANSACTION_ITEMS_MAX } from '../../lib/limits/panda.ts';
import type { Write } from '../../lib/panda/panda.ts';
import { listBuckets, listVolumes } from '../../lib/volume/rows/read-rows.ts';
import type { World } from '../store/harness.ts';
import { expectSound } from '../store/recount.ts';
import { batchesOf, deleteFiles, filesOf, putFiles, SMALL } from './acting-world.ts';
import { MERGE_ONLY, MERGING, mergeAll, thinnedWorld } from './merge-world.ts';

const prepared = thinnedWorld({ volumes: 3, filesEach: 60, keep: 5, seed: 27 });
/** The same store anew for every test. */
async function thin() {
  const { world, model } = await prepared;
  const copy = world.clone();
  return { world: copy, model: model.clone(), p: copy.start() };
}

/** Transactions of every process of a world, as they come. */
function watched(world: World): Write[][] {
  const seen: Write[][] = [];
  const transact = world.panda.transact.bind(world.panda);
  world.panda.transact = (writes) => {
    seen.push([...writes]);
    return transact(writes);
  };
  return seen;
}

describe('a merge', () => {
  it('turns remnants into few buckets, empties their volumes, and counts what it wrote', async () => {
    const { world, model, p } = await thin();
    const before = await listBuckets(p.components.panda, SMALL.cell);
    const seen = watched(world);
    const { runs, freed } = await mergeAll(p);
    const run = runs.find(({ strategy }) => strategy === 'merge');
    const after = await listBuckets(p.components.panda, SMALL.cell);
    expect(after.length).toBeLessThan(before.length / 2);
    expect(run?.stalled).toBeUndefined();
    expect(run?.skipped).toEqual([]);
    expect(run?.retired).toBeGreaterThanOrEqual(2);
    expect(freed.freedVolumes).toBe(run?.retired);
    expect(run?.merge?.rowsDropped).toBe(before.length + (run?.merge?.buckets ?? 0) - after.length);
    expect(run?.merge?.remnants).toBeGreaterThan(2 * (run?.merge?.buckets ?? 0));
    expect(run?.merge?.rowsPerGibAfter).toBeLessThan((run?.merge?.rowsPerGibBefore ?? 0) / 2);
    // Every live block once, with few rows more: no transaction over the limit.
    const blockRows = seen.flat().filter(({ partition, kind }) => partition.startsWith('block/') && kind === 'update');
    expect(blockRows.length).toBe(run?.merge?.blockRows);
    for (const writes of seen) expect(writes.length).toBeLessThanOrEqual(TRANSACTION_ITEMS_MAX);
    await model.expectIn(p);
    await model.expectIn(world.start());
    await expectSound(p);
    await p.volumes.open.sealAll('warm');
    await model.expectIn(world.start());
    await expectSound(p);
  });

  it('counts the rows it writes, and plans about as many', async () => {
    const { world, p } = await thin();
    const plan = await planMergesNow(p.volumes, { merging: MERGING });
    const seen = watched(world);
    const run = present(await executeMerges(batchesOf(p), plan), 'there is something to merge');
    const written = seen.flat().filter(({ kind }) => kind !== 'check').length;
    expect(run.metadataWrites).toBeGreaterThan(written * 0.9);
    expect(run.metadataWrites).toBeLessThan(written * 1.1);
    expect(plan.work.metadataWrites).toBeGreaterThan(written * 0.8);
    expect(plan.work.metadataWrites).toBeLessThan(written * 1.25);
    expect(run.merge?.blockRows).toBeGreaterThan(plan.blockRows * 0.9);
  });

  it('a second time finds nothing to do', async () => {
    const { p, model } = await thin();
    const plan = await planMergesNow(p.volumes, { merging: MERGING });
    present(await executeMerges(batchesOf(p), plan), 'there is something to merge');
    const again = present(await executeMerges(batchesOf(p), plan), 'there is something to merge');
    expect(again.merge).toMatchObject({ buckets: 0, blockRows: 0 });
    expect(again.retired).toBe(0);
    await model.expectIn(p);
    await expectSound(p);
  });

  it('leaves blocks in trash where they are, until GC or a put has them', async () => {
    const { p, model } = await thin();
    const [back, gone] = [...model.there.keys()] as [string, string];
    const body = model.there.get(back) as Uint8Array;
    await deleteFiles(p, model, [back, gone]);
    const { runs } = await mergeAll(p);
    expect(runs[0]?.merge?.remnants).toBeGreaterThan(3);
    await putFiles(p, model, new Map([[back, body]]));
    await collectGarbage(p.components);
    await model.expectIn(p);
    await expectSound(p);
  });

  it('goes on beside puts of the same blocks, deletes, GC and reads', async () => {
    const { world, model } = await thin();
    const [merger, writer, reader] = [world.start(), world.start(), world.start()];
    await model.expectIn(reader);
    const bodies = [...model.there];
    const doomed = bodies.filter((_, i) => i % 3 === 0).map(([key]) => key);
    const others = new Map(bodies.slice(0, 20).map(([key, body]) => [`again/${key}`, body]));
    const busy = (async () => {
      await deleteFiles(writer, model, doomed);
      await putFiles(writer, model, others);
      await collectGarbage(writer.components);
      await putFiles(writer, model, filesOf(77, 10, 900));
      await deleteFiles(writer, model, [...others.keys()].slice(0, 5));
    })();
    const [{ runs }] = await Promise.all([mergeAll(merger), busy]);
    expect(runs[0]?.merge?.blockRows).toBeGreaterThan(0);
    await collectGarbage(writer.components);
    await model.expectIn(reader);
    await model.expectIn(world.start());
    await merger.volumes.open.recoverIdle();
    await expectSound(merger);
  });

  it('two at once do the work once', async () => {
    const { world, model } = await thin();
    const [a, b] = [world.start(), world.start()];
    const plan = await planMergesNow(a.volumes, { merging: MERGING });
    const [first, second] = await Promise.all([executeMerges(batchesOf(a), plan), executeMerges(batchesOf(b), plan)]);
    expect((first?.merge?.blockRows ?? 0) + (second?.merge?.blockRows ?? 0)).toBeLessThanOrEqual(plan.blockRows * 1.2);
    await model.expectIn(a);
    await expectSound(a);
  });

  it('is gone on with when its process dies between two groups', async () => {
    const { world, model } = await thinnedWorld({ volumes: 5, filesEach: 60, keep: 5, seed: 27 });
    let groups = 0;
    const plan = scriptedPlan((_, detail) => (detail.includes('put group/') && ++groups === 2 ? 'after' : 'none'));
    const dying = world.start({ plan });
    await expect(compact(batchesOf(dying), MERGE_ONLY)).rejects.toBeInstanceOf(Crash);
    const p = world.start({ othersDead: true });
    expect((await listJournal(p.components)).map(({ task }) => task.strategy)).toEqual(['merge']);
    const report = await compact(batchesOf(p), { settings: MERGE_ONLY.settings });
    expect(report.resumed).toBe(1);
    expect(await listJournal(p.components)).toEqual([]);
    expect((await listVolumes(p.components.panda, SMALL.cell)).filter(({ state }) => state === 'draining')).toEqual([]);
    await model.expectIn(p);
    await expectSound(p);
  });

  it('writes into volumes that puts write, too, where there is no hot tier', async () => {
    const settings = { ...SMALL, hotCodec: 'single', warmCodec: 'single' } as const;
    const { world, model, p } = await thinnedWorld({ volumes: 2, filesEach: 60, keep: 5, settings });
    const before = await listBuckets(p.components.panda, SMALL.cell);
    const [{ runs }] = await Promise.all([mergeAll(p), putFiles(p, model, filesOf(78, 30, 900))]);
    expect(runs[0]?.merge?.rowsDropped).toBeGreaterThan(before.length / 2);
    await model.expectIn(world.start());
    await expectSound(p);
  });

  it('is part of a compaction by all strategies, and of no other unless asked for by itself', async () => {
    const { p } = await thin();
    const dry = { merging: MERGING, threshold: 0.9 };
    const chosen = await compact(batchesOf(p), { ...dry, settings: { strategies: ['l1'] } });
    expect(chosen.runs).toEqual([]);
    const only = await compact(batchesOf((await thin()).p), { merging: MERGING, merge: 'only', untilStable: true });
    expect(new Set(only.runs.map(({ strategy }) => strategy))).toEqual(new Set(['merge']));
    expect(only.freed.freedVolumes).toBeGreaterThan(0);
    const all = await compact(batchesOf(p), { ...dry, settings: { strategies: ['l3', 'l2', 'l1'] } });
    expect(all.runs.map(({ strategy }) => strategy)).toContain('merge');
  });
});
