// The plan of this moment: by which clock it is made, of which volumes, budgets and settings, and what a schedule begins of it.
import { describe, expect, it } from 'vitest';
import { planMergesNow } from '../../../lib/compaction/do/merge-now.ts';
import { currentView, explain, planNow } from '../../../lib/compaction/do/plan-now.ts';
import { planRuns } from '../../../lib/compaction/do/plan-runs.ts';
import { measureRates } from '../../../lib/compaction/facts/measured-rates.ts';
import { snapshotOf } from '../../../lib/compaction/facts/snapshot.ts';
import { budgetsOf, NOTHING_SPENT, UNLIMITED } from '../../../lib/compaction/plan/budget.ts';
import { budgetsFor } from '../../../lib/compaction/plan/operating-settings.ts';
import { beginJournal, listJournal } from '../../../lib/compaction/run/journal.ts';
import { changeOperating } from '../../../lib/compaction/run/operating-row.ts';
import { charge, readPeriod } from '../../../lib/compaction/run/period.ts';
import { THRESHOLD_START, thresholdStart } from '../../../lib/compaction/threshold/law.ts';
import { readBudgetUse, readThreshold, writeThreshold } from '../../../lib/compaction/threshold/row.ts';
import { DAY_MS, HOUR_MS } from '../../../lib/foundation/durations.ts';
import type { RunId } from '../../../lib/foundation/ids.ts';
import { RUNS_AT_ONCE_MAX } from '../../../lib/limits/compaction.ts';
import { CLOCK_SKEW_MS_MAX } from '../../../lib/limits/volume.ts';
import { hex, sealedRows } from './scripted-batches.ts';

const FILLS = [0.05, 0.3, 0.3, 0.35, 0.6, 0.6, 0.65];

describe('a clock', () => {
  it('that is behind most of the volumes plans nothing, unless it is accepted; behind half of them it is theirs', async () => {
    const { p, set } = await sealedRows([0.5, 0.5, 0.5, 0.5]);
    const nowMs = p.components.clock.nowMs();
    const later = nowMs + CLOCK_SKEW_MS_MAX + 1;
    await set(0, { z: later });
    await set(1, { a: later + 5 });
    expect((await currentView(p.volumes)).count).toBe(4);
    await set(2, { z: nowMs + CLOCK_SKEW_MS_MAX });
    expect((await currentView(p.volumes)).count).toBe(4);
    await set(2, { z: later + 1 });
    const text = (ms: number) => new Date(ms).toISOString();
    await expect(currentView(p.volumes)).rejects.toMatchObject({
      kind: 'retry',
      code: 'CLOCK_BEHIND',
      message: `the clock says ${text(nowMs)}, but 3 volumes were written later, such as ${hex(1)} at ${text(later + 5)}: set the clock, or, if it is right now and was wrong then, say --accept-clock`,
    });
    await expect(currentView(p.volumes, { acceptClock: false })).rejects.toMatchObject({ code: 'CLOCK_BEHIND' });
    expect((await currentView(p.volumes, { acceptClock: true })).count).toBe(4);
    const one = await sealedRows([0.5]);
    await one.set(0, { z: later });
    await expect(currentView(one.p.volumes)).rejects.toMatchObject({ code: 'CLOCK_BEHIND' });
    await set(3, { z: 9e15 });
    await expect(planNow(p.volumes)).rejects.toMatchObject({
      message: expect.stringContaining(`${hex(3)} at ${9e15} ms`),
    });
    await expect(planRuns(p.volumes, 1)).rejects.toMatchObject({ code: 'CLOCK_BEHIND' });
    expect((await planRuns(p.volumes, 1, { acceptClock: true })).plan.before.volumes).toBe(4);
  });
});

describe('a plan', () => {
  it('is of all that is known of the store, or of what it is told', async () => {
    const { p, world } = await sealedRows(FILLS);
    const { components } = p;
    await changeOperating(components, () => ({ runsMax: 1, granularity: 64 }));
    const usual = await planNow(p.volumes);
    expect(usual.view).toEqual(await snapshotOf(components));
    expect(usual.plan).toMatchObject({
      threshold: THRESHOLD_START,
      budgets: UNLIMITED,
      merges: null,
      settings: { runsMax: 1, granularity: 64, storageClass: 'standard' },
    });
    await measureRates(components, usual.view);
    world.clock.advance(2 * DAY_MS);
    const empty = await sealedRows([]);
    const { view } = await planNow(empty.p.volumes);
    const told = await planNow(p.volumes, {
      view,
      operating: { runsMax: 9 },
      threshold: 0.4,
      budgets: budgetsOf({ requests: 8 }),
      settings: { runsMax: 7 },
    });
    expect(told.view).toBe(view);
    expect(told.plan).toMatchObject({
      threshold: 0.4,
      budgets: budgetsOf({ requests: 8 }),
      settings: { runsMax: 7, granularity: 256 },
      before: { volumes: 0 },
    });
    expect((await explain(p.volumes, hex(0))).map(({ code }) => code)).toEqual([
      'VOLUME_STATE',
      'VOLUME_FILL',
      'VOLUME_AGE',
      'VERDICT_PLANNED',
      'RUN_SOURCE',
    ]);
  });

  it('shows what would be merged, if it is asked to', async () => {
    const { p } = await sealedRows([0.01, 0.01, 0.01]);
    const merging = { rowsPerGibMax: 1 };
    const { plan } = await planNow(p.volumes, { showMerges: true, ...{ merging } });
    const whole = await planMergesNow(p.volumes, { ...{ merging } });
    expect(whole.merges.length).toBeGreaterThan(0);
    expect(plan.merges).toEqual({
      reason: whole.reason,
      rowsBefore: whole.before.rows,
      rowsAfter: whole.after.rows,
      rowsPerGibBefore: whole.before.rowsPerGib,
      rowsPerGibAfter: whole.after.rowsPerGib,
      blockRows: whole.blockRows,
      bytesRead: whole.work.bytesRead,
      metadataWrites: whole.work.metadataWrites,
      dollars: whole.dollars,
      buckets: whole.merges,
    });
  });
});

describe('a schedule', () => {
  it('plans L1 and L2 by the threshold that was set, and says what the time before has used', async () => {
    const { p, world } = await sealedRows(FILLS);
    const { components } = p;
    await writeThreshold(components, await readThreshold(components), thresholdStart(0.35));
    const first = await planRuns(p.volumes, 100);
    expect(first).toMatchObject({ resumed: 0, budgetUsed: 0, runsAtOnce: RUNS_AT_ONCE_MAX });
    expect(first.plan).toMatchObject({ threshold: 0.35, budgets: UNLIMITED, settings: { strategies: ['l1', 'l2'] } });
    expect(first.runs.length).toBeGreaterThan(1);
    expect((await listJournal(components)).map(({ id }) => id).sort()).toEqual([...first.runs].sort());
    expect(await readBudgetUse(components)).toBe(0);
    // L3 has its share where budgets are scarce.
    const scarce = budgetsOf({ metadataWrites: 10_000 });
    const second = await planRuns(p.volumes, 1, { budgets: scarce, strategies: ['l2'], runsAtOnceMax: 3 });
    expect(second).toMatchObject({ budgetUsed: 0, runsAtOnce: 3 });
    expect(second.runs).toHaveLength(1);
    expect(second.plan).toMatchObject({ budgets: scarce, settings: { strategies: ['l2', 'l3'] } });
    expect((await readPeriod(components))?.budgets).toEqual(scarce);
    await charge(components, { ...NOTHING_SPENT, metadataWrites: 2500 });
    expect(await planRuns(p.volumes, 9, { threshold: 0.2 })).toMatchObject({
      budgetUsed: 0.25,
      plan: { threshold: 0.2 },
    });
    expect(await readBudgetUse(components)).toBe(0.25);
    world.clock.advance(1);
    const short = await planRuns(p.volumes, 9, { budgets: budgetsOf({ metadataWrites: 40 }) });
    expect([short.budgetUsed, await readBudgetUse(components)]).toEqual([0, 1]);
  });

  it('has the budgets of its time, what an operator has set among them', async () => {
    const { p } = await sealedRows(FILLS);
    await changeOperating(p.components, () => ({ requestsPerDay: 48_000, runsAtOnce: 2 }));
    const { plan, runsAtOnce } = await planRuns(p.volumes, 9, { periodMs: HOUR_MS });
    expect(plan.budgets).toEqual(budgetsFor({ requestsPerDay: 48_000 }, plan.before.liveBytes, HOUR_MS));
    expect([plan.budgets.requests, runsAtOnce]).toEqual([2000, 2]);
    const base = budgetsOf({ bytesRead: 1e9, requests: 5 });
    const based = await planRuns(p.volumes, 9, { periodMs: HOUR_MS, budgets: base });
    expect(based.plan.budgets).toEqual({ ...base, requests: 2000 });
    expect((await planRuns(p.volumes, 9)).runsAtOnce).toBe(RUNS_AT_ONCE_MAX);
  });

  it('goes on with what was begun, counts that, and merges with what is left of the budgets', async () => {
    const { p } = await sealedRows([0.01, 0.01, 0.01, 0.3]);
    const { components } = p;
    const dead = { ...components, isOwnerGone: () => true };
    const task = { strategy: 'l2' as const, plan: 'p', name: 'l2-0001', host: null, sources: [hex(3)] };
    for (const id of ['l2/gone/1', 'l2/gone/2']) await beginJournal(components, id as RunId, task);
    const store = Object.assign(Object.create(Object.getPrototypeOf(p.volumes)), p.volumes, { components: dead });
    const both = await planRuns(store, 9, {});
    expect(both.resumed).toBe(2);
    expect(both.runs.slice(0, 2)).toEqual(['l2/gone/1', 'l2/gone/2']);
    expect((await planRuns(store, 1)).resumed).toBe(1);
    expect((await planRuns(store, 0)).runs).toEqual([]);
  });
});
