// A record that was merged is in two buckets until the old volume is erased: the drives and a backup from before or after, or a crash in
// between, still lead to one readable home each.
import { describe, expect, it } from 'vitest';
import { executeMerges } from '../../lib/compaction/do/executor.ts';
import { planMergesNow } from '../../lib/compaction/do/merge-now.ts';
import { compact } from '../../lib/compaction/do/rounds.ts';
import { Crash, scriptedPlan } from '../../lib/foundation/faults.ts';
import type { Row } from '../../lib/panda/panda.ts';
import { listBuckets } from '../../lib/volume/rows/read-rows.ts';
import { rebuiltPanda } from '../engine/rebuilding.ts';
import type { Model } from '../store/crash.ts';
import { type Process, World } from '../store/harness.ts';
import { expectSound } from '../store/recount.ts';
import { batchesOf } from './acting-world.ts';
import { MERGE_ONLY, MERGING, mergeAll, thinnedWorld } from './merge-world.ts';

const prepared = thinnedWorld({ volumes: 2, filesEach: 120, keep: 3 });

async function thin() {
  const { world, model } = await prepared;
  const copy = world.clone();
  return { world: copy, model: model.clone(), p: copy.start() };
}

async function rowsOf(world: World): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const page of world.panda.scan()) rows.push(...page);
  return rows;
}

/** Each block has one home, and no bucket is there for copies nobody names. */
async function expectWhole(model: Model, p: Process): Promise<void> {
  await model.expectIn(p);
  await expectSound(p);
  const buckets = await listBuckets(p.components.panda, p.components.settings.cell);
  expect(buckets.filter(({ liveBytes }) => liveBytes === 0)).toEqual([]);
}

async function rebuilt(world: World, backup: readonly Row[]) {
  const { panda, report } = await rebuiltPanda(world, backup);
  return { report, p: new World(world.seed, world.settings, world.drives, panda).start() };
}

describe('a store rebuilt from its drives', () => {
  it('after a merge, by a backup from after it', async () => {
    const { world, model, p } = await thin();
    await mergeAll(p);
    const { p: q, report } = await rebuilt(world, await rowsOf(world));
    expect(report.lost).toEqual([]);
    await expectWhole(model, q);
  });

  it('after a merge, by a backup from before it, the old volumes erased or not', async () => {
    for (const isErased of [false, true]) {
      const { world, model, p } = await thin();
      const backup = await rowsOf(world);
      if (isErased) await mergeAll(p);
      else await executeMerges(batchesOf(p), await planMergesNow(p.volumes, { merging: MERGING }));
      const { p: q, report } = await rebuilt(world, backup);
      expect(report.lost).toEqual([]);
      await expectWhole(model, q);
    }
  });

  it('in the middle of a merge: some blocks have moved, others not', async () => {
    const { world, model } = await thin();
    let indexed = 0;
    const plan = scriptedPlan((_, detail) => (detail.includes('update block/') && ++indexed === 2 ? 'before' : 'none'));
    await expect(compact(batchesOf(world.start({ plan })), MERGE_ONLY)).rejects.toBeInstanceOf(Crash);
    const { p: q, report } = await rebuilt(world, await rowsOf(world));
    expect(report.lost).toEqual([]);
    await expectWhole(model, q);
  });
});
