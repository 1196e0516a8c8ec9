// A plan carried out run by run: in its order, within its budgets by what was done, and not at all once it is stopped.
import { describe, expect, it } from 'vitest';
import { executeMerges, executePlan, spentBy } from '../../../lib/compaction/do/executor.ts';
import { planMergesNow } from '../../../lib/compaction/do/merge-now.ts';
import { planNow } from '../../../lib/compaction/do/plan-now.ts';
import { budgetsOf, NOTHING_SPENT, type Spending, spendingOf } from '../../../lib/compaction/plan/budget.ts';
import type { CompactionPlan } from '../../../lib/compaction/plan/plan.ts';
import { listJournal, readJournal, taskOf } from '../../../lib/compaction/run/journal.ts';
import { NO_OUTCOME, runReportOf } from '../../../lib/compaction/run/reports.ts';
import type { RunId } from '../../../lib/foundation/ids.ts';
import { MERGING } from '../merge-world.ts';
import { scripted, sealedRows } from './scripted-batches.ts';

/** Three runs: L3's and two of L2. */
const FILLS = [0.05, 0.3, 0.3, 0.35, 0.6, 0.6, 0.65];
const SETTINGS = { sourcesMax: 3, destinationsMax: 2, minFill: 0.2 };

async function planned() {
  const made = await sealedRows(FILLS);
  const { plan } = await planNow(made.p.volumes, { settings: SETTINGS });
  return { ...made, plan };
}

const writes = (metadataWrites: number): Spending => ({ ...NOTHING_SPENT, metadataWrites });
const plannedWrites = ({ runs }: CompactionPlan): number[] => runs.map(({ work }) => work.metadataWrites);
const within = (plan: CompactionPlan, metadataWrites: number): CompactionPlan => ({
  ...plan,
  budgets: budgetsOf({ metadataWrites }),
});
const SPENT = { code: 'BUDGET_SPENT', text: 'the runs before it used up its budget' };
const STOPPED = { code: 'STOPPED', text: 'stopped before it began' };

describe('a plan', () => {
  it('is done in its order, each run journalled before it is carried, and reported as it ends', async () => {
    const { p, plan } = await planned();
    expect(plan.runs.length).toBeGreaterThan(2);
    const seen: string[] = [];
    const { batches, calls } = scripted(p, ({ task }) => {
      expect(task).toEqual(taskOf(plan.digest, plan.runs[seen.length] as (typeof plan.runs)[number]));
      return { retired: seen.length + 1, spent: writes(5) };
    });
    const report = await executePlan(batches, plan, { onRun: ({ name }) => void seen.push(name) });
    expect(calls).toEqual(plan.runs.map(({ name, strategy }, i) => `carry ${name} as ${strategy}/p0/${i + 1}`));
    expect(seen).toEqual(plan.runs.map(({ name }) => name));
    expect(report).toEqual({
      runs: plan.runs.map(({ name, strategy }, i) =>
        runReportOf(name, strategy, { ...NO_OUTCOME, retired: i + 1, spent: writes(5) }),
      ),
      left: [],
      spent: writes(5 * plan.runs.length),
    });
    expect(spentBy(report.runs, writes(1))).toEqual(writes(5 * plan.runs.length + 1));
    expect(await listJournal(p.components)).toEqual([]);
  });

  it('is charged with what was done, not with what was planned', async () => {
    const { p, plan } = await planned();
    const each = plannedWrites(plan);
    const all = each.reduce((sum, one) => sum + one, 0);
    const carriedOf = async (budget: number, spent: (planned: number) => number) => {
      const { batches } = scripted(p, ({ task }) => {
        const at = plan.runs.findIndex(({ name }) => name === task.name);
        return { spent: writes(spent(each[at] ?? 0)) };
      });
      const { runs, left, spent: total } = await executePlan(batches, within(plan, budget));
      expect(left.every(({ reason }) => JSON.stringify(reason) === JSON.stringify(SPENT))).toBe(true);
      return [runs.length, left.length, total.metadataWrites];
    };
    const count = plan.runs.length;
    expect(await carriedOf(all, (one) => one)).toEqual([count, 0, all]);
    expect(await carriedOf(all - 1, (one) => one)).toEqual([count - 1, 1, all - (each.at(-1) ?? 0)]);
    expect(await carriedOf(all - 1, (one) => one - 1)).toEqual([count, 0, all - count]);
    expect(await carriedOf(all, (one) => one + 1)).toEqual([count - 1, 1, all - (each.at(-1) ?? 0) + count - 1]);
  });

  it('side by side keeps what each run is planned to take, until it is known what it took', async () => {
    const { p, plan } = await planned();
    const each = plannedWrites(plan);
    const all = each.reduce((sum, one) => sum + one, 0);
    const begun = async (budget: number): Promise<number> => {
      let waiting = 0;
      const { promise, resolve } = Promise.withResolvers<void>();
      setImmediate(() => setImmediate(() => setImmediate(resolve)));
      const { batches } = scripted(
        p,
        async () => {
          waiting += 1;
          await promise;
          return {};
        },
        plan.runs.length,
      );
      const { left } = await executePlan(batches, within(plan, budget));
      return waiting - left.length;
    };
    expect([await begun(all), await begun(all - 1)]).toEqual([plan.runs.length, plan.runs.length - 2]);
  });

  it('that is stopped begins nothing more, and says so of each run', async () => {
    const { p, plan } = await planned();
    const none = scripted(p, () => ({}));
    expect(await executePlan(none.batches, plan, { signal: AbortSignal.abort() })).toEqual({
      runs: [],
      left: plan.runs.map(({ name }) => ({ run: name, reason: STOPPED })),
      spent: NOTHING_SPENT,
    });
    expect(none.calls).toEqual([]);
    const end = new AbortController();
    const some = scripted(p, (_, signal) => {
      expect(signal).toBe(end.signal);
      end.abort();
      return {};
    });
    const { runs, left } = await executePlan(some.batches, within(plan, 1e9), { signal: end.signal });
    expect([runs.length, left.map(({ reason }) => reason.code)]).toEqual([1, plan.runs.slice(1).map(() => 'STOPPED')]);
  });
});

describe('merges', () => {
  const FEW = [0.01, 0.01, 0.01];

  it('are one run, that says what it has saved', async () => {
    const { p, set } = await sealedRows(FEW);
    const plan = await planMergesNow(p.volumes, { merging: MERGING });
    expect(plan.merges.length).toBeGreaterThan(0);
    const merged = { buckets: 2, remnants: 7, blockRows: 9, rowsDropped: 8 };
    const { batches, calls } = scripted(p, async ({ task }) => {
      expect(task.strategy).toBe('merge');
      await set(0, { s: 'trash' });
      return { merged, spent: writes(4), retired: 1 };
    });
    const report = await executeMerges(batches, plan, { merging: MERGING });
    const after = await planMergesNow(p.volumes, { merging: MERGING });
    expect(report).toEqual({
      ...runReportOf('merge-0001', 'merge', { ...NO_OUTCOME, spent: writes(4), retired: 1 }),
      merge: {
        ...merged,
        blockRowsPerBucket: 4.5,
        rowsPerGibBefore: plan.before.rowsPerGib,
        rowsPerGibAfter: after.before.rowsPerGib,
      },
    });
    expect(calls).toEqual(['carry merge-0001 as merge/p0/1']);
    expect(await readJournal(p.components, 'merge/p0/1' as RunId)).toBeUndefined();
  });

  it('that have come to nothing count nothing; where there is nothing to merge there is no run', async () => {
    const { p } = await sealedRows(FEW);
    const plan = await planMergesNow(p.volumes, { merging: MERGING });
    const end = new AbortController();
    const { batches, calls } = scripted(p, (_, signal) => {
      expect(signal).toBe(end.signal);
      return {};
    });
    const report = await executeMerges(batches, plan, { merging: MERGING, signal: end.signal });
    expect(report?.merge).toEqual({
      buckets: 0,
      remnants: 0,
      blockRows: 0,
      rowsDropped: 0,
      blockRowsPerBucket: 0,
      rowsPerGibBefore: plan.before.rowsPerGib,
      rowsPerGibAfter: plan.before.rowsPerGib,
    });
    calls.length = 0;
    expect(await executeMerges(batches, { ...plan, merges: [] })).toBeUndefined();
    expect(calls).toEqual([]);
  });

  it('have a fifth of each budget, and see what is open and hot as hot', async () => {
    const { p, set } = await sealedRows(FEW);
    const whole = await planMergesNow(p.volumes, { merging: MERGING });
    const { metadataWrites } = spendingOf(whole.work, whole.dollars);
    const of = async (writesMax: number) =>
      (await planMergesNow(p.volumes, { merging: MERGING, budgets: budgetsOf({ metadataWrites: writesMax }) })).merges
        .length;
    expect(await of(metadataWrites * 5)).toBe(whole.merges.length);
    expect(await of(metadataWrites * 5 - 5)).toBeLessThan(whole.merges.length);
    expect(whole.before.rows).toBe(12);
    const rowsAs = async (attributes: { readonly cl: string; readonly s: string }) => {
      await set(1, attributes);
      return (await planMergesNow(p.volumes, { merging: MERGING })).before.rows;
    };
    expect(await rowsAs({ cl: 'warm', s: 'open' })).toBe(12);
    expect(await rowsAs({ cl: 'hot', s: 'open' })).toBe(8);
    expect(await rowsAs({ cl: 'hot', s: 'sealed' })).toBe(8);
  });
});
