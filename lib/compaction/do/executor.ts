// Carries out a plan, run by run, each journalled before anything of it is leased. A run that would go beyond a budget
// is left; one whose volumes have changed leaves those out.
import { mapLimit } from '../../foundation/concurrency.ts';
import type { Reason } from '../../foundation/reason.ts';
import { addSpending, Ledger, type Spending, spendingOf, subtractSpending } from '../plan/budget.ts';
import type { MergePlan } from '../plan/merges/merge-plan.ts';
import type { CompactionPlan, PlannedRun } from '../plan/plan.ts';
import { beginJournal, mergeTaskOf, taskOf } from '../run/journal.ts';
import type { JournalTask } from '../run/journal-row.ts';
import { type RunReport, runReportOf } from '../run/reports.ts';
import type { Batches } from './batches.ts';
import { type MergeOptions, planMergesNow } from './merge-now.ts';

export interface ExecuteOptions {
  readonly signal?: AbortSignal;
  readonly onRun?: (report: RunReport) => void;
}

export interface ExecutionReport {
  readonly runs: readonly RunReport[];
  /** Runs not begun, and why. */
  readonly left: readonly { readonly run: string; readonly reason: Reason }[];
  readonly spent: Spending;
}

const STOPPED: Reason = { code: 'STOPPED', text: 'stopped before it began' };
const SPENT: Reason = { code: 'BUDGET_SPENT', text: 'the runs before it used up its budget' };
export const NEVER = new AbortController().signal;

/**
 * All runs of a plan, in its order. The caller has checked the plan (`requirePlan`) if nothing of it may be left out.
 */
export async function executePlan(
  batches: Batches,
  plan: CompactionPlan,
  options: ExecuteOptions = {},
): Promise<ExecutionReport> {
  const { signal = NEVER, onRun } = options;
  const ledger = new Ledger(plan.budgets, plan.settings.strategies);
  const runs: RunReport[] = [];
  const left: { run: string; reason: Reason }[] = [];
  await mapLimit(plan.runs, batches.runsAtOnce, async (run: PlannedRun) => {
    const planned = spendingOf(run.work, run.dollars);
    const isAffordable = ledger.affords(run.strategy, planned, true);
    if (signal.aborted || !isAffordable) {
      left.push({ run: run.name, reason: signal.aborted ? STOPPED : SPENT });
      return;
    }
    // Reserved while it is under way beside others; charged is what it did.
    ledger.charge(run.strategy, planned);
    const report = await carried(batches, taskOf(plan.digest, run), signal);
    ledger.charge(run.strategy, subtractSpending(report.spent, planned));
    runs.push(report);
    onRun?.(report);
  });
  return { runs, left, spent: ledger.total };
}

/** One run from its journal's first row to its last. Undefined when there is nothing to merge. */
export async function executeMerges(
  batches: Batches,
  plan: MergePlan,
  options: MergeOptions & { readonly signal?: AbortSignal | undefined } = {},
): Promise<RunReport | undefined> {
  const task = mergeTaskOf(plan);
  if (task === undefined) return undefined;
  const { id } = await beginJournal(batches.store.components, batches.newRun('merge'), task);
  const outcome = await batches.carry(id, options.signal ?? NEVER);
  const counts = outcome.merged ?? { buckets: 0, remnants: 0, blockRows: 0, rowsDropped: 0 };
  const after = await planMergesNow(batches.store, options);
  const merge = {
    ...counts,
    blockRowsPerBucket: counts.buckets === 0 ? 0 : counts.blockRows / counts.buckets,
    rowsPerGibBefore: plan.before.rowsPerGib,
    rowsPerGibAfter: after.before.rowsPerGib,
  };
  return { ...runReportOf(task.name, 'merge', outcome), merge };
}

async function carried(batches: Batches, task: JournalTask, signal: AbortSignal): Promise<RunReport> {
  const { id } = await beginJournal(batches.store.components, batches.newRun(task.strategy), task);
  return runReportOf(task.name, task.strategy, await batches.carry(id, signal));
}

export const spentBy = (runs: readonly RunReport[], from: Spending): Spending =>
  runs.reduce((sum, { spent }) => addSpending(sum, spent), from);
