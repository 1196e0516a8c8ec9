// Merges of bucket remnants as a plan shows them: with reasons and costs, signed with the rest of it, and done by nobody who applies the file.
import { describe, expect, it } from 'vitest';
import { planMergesNow } from '../../lib/compaction/do/merge-now.ts';
import { planNow } from '../../lib/compaction/do/plan-now.ts';
import { compact } from '../../lib/compaction/do/rounds.ts';
import { parsePlan, planJson } from '../../lib/compaction/plan/plan.ts';
import { listBuckets } from '../../lib/volume/rows/read-rows.ts';
import { batchesOf } from './acting-world.ts';
import { MERGE_ONLY, thinnedWorld } from './merge-world.ts';

const prepared = thinnedWorld({ volumes: 3, filesEach: 60, keep: 9 });
const ASKED = { ...MERGE_ONLY, showMerges: true };

describe('a plan of all strategies', () => {
  it('says which remnants become which bucket, why, and what it takes', async () => {
    const { p } = await prepared;
    const merges = await planMergesNow(p.volumes, MERGE_ONLY);
    const { plan } = await planNow(p.volumes, ASKED);
    expect(plan.merges?.buckets.length).toBeGreaterThan(0);
    expect(plan.merges).toMatchObject({
      reason: merges.reason,
      rowsBefore: merges.before.rows,
      rowsAfter: merges.after.rows,
      rowsPerGibBefore: merges.before.rowsPerGib,
      blockRows: merges.blockRows,
      metadataWrites: merges.work.metadataWrites,
      dollars: merges.dollars,
    });
    expect(plan.merges?.buckets.map(({ reason }) => reason)).toEqual(merges.merges.map(({ reason }) => reason));
    expect(plan.merges?.buckets[0]?.reason.text).toMatch(/remnants of tier \d+ make a bucket of fill/);
  });

  it('survives its file with them, and is refused when one was edited', async () => {
    const { p } = await prepared;
    const { plan } = await planNow(p.volumes, ASKED);
    const file = planJson(plan);
    expect(planJson((await planNow(p.volumes, ASKED)).plan)).toBe(file);
    expect(parsePlan(file)).toEqual(plan);
    const edited = file.replace(/"rowsSaved":(\d+)/, (_, saved) => `"rowsSaved":${Number(saved) + 1}`);
    expect(() => parsePlan(edited)).toThrow(expect.objectContaining({ code: 'PLAN_EDITED' }));
  });

  it('has none where they are not asked for, and applying it merges nothing', async () => {
    const { world } = await prepared;
    const p = world.clone().start();
    expect((await planNow(p.volumes, MERGE_ONLY)).plan.merges).toBeNull();
    const before = (await listBuckets(p.components.panda, p.components.settings.cell)).length;
    const { plan } = await planNow(p.volumes, ASKED);
    const report = await compact(batchesOf(p), { planJson: planJson(plan) });
    expect(report.runs.map(({ strategy }) => strategy)).not.toContain('merge');
    expect((await listBuckets(p.components.panda, p.components.settings.cell)).length).toBe(before);
  });
});
