// A plan as rows: every run of it journalled, but leased by nobody, so that workers need no more than its id. Runs that
// were begun and that nobody works on come first; those that were only planned are forgotten and planned anew.
import type { RunId } from '../../foundation/ids.ts';
import { RUNS_AT_ONCE_MAX } from '../../limits/compaction.ts';
import { ownerOf, PARKED_OWNER, parkedRunId } from '../../volume/runs/runs.ts';
import type { VolumeStore } from '../../volume/volume-store.ts';
import { sealedTotals } from '../facts/fleet.ts';
import { PLAN_SETTINGS, STRATEGIES } from '../facts/plan-settings.ts';
import { addSpending, type Budgets, budgetsLeft, isLimited, UNLIMITED } from '../plan/budget.ts';
import { budgetsFor, runsAtOnce } from '../plan/operating-settings.ts';
import type { CompactionPlan } from '../plan/plan.ts';
import { isShort } from '../plan/selector.ts';
import {
  beginJournal,
  DRAINER_OWNER,
  endJournal,
  isDeadRun,
  mergeTaskOf,
  requireJournal,
  taskOf,
  volumesOf,
} from '../run/journal.ts';
import type { JournalRow } from '../run/journal-row.ts';
import { readOperating } from '../run/operating-row.ts';
import { beginPeriod } from '../run/period.ts';
import { readThreshold, writeBudgetUse } from '../threshold/row.ts';
import { planMergesNow } from './merge-now.ts';
import { currentView, type PlanOptions, planNow } from './plan-now.ts';

export interface PlannedRuns {
  readonly runs: readonly RunId[];
  /** Of `runs`: begun earlier. */
  readonly resumed: number;
  readonly plan: CompactionPlan;
  /** Use of the scarcest budget since the plan before, 0..1: of what was done. */
  readonly budgetUsed: number;
  /** How many of them to carry out side by side. */
  readonly runsAtOnce: number;
}

export interface PlanRunsOptions extends Omit<PlanOptions, 'settings'> {
  readonly strategies?: readonly Batched[];
  /** Until the schedule comes again. Without it, what is done is limited by `budgets` alone, if at all. */
  readonly periodMs?: number;
  /** Of any stage. */
  readonly runsAtOnceMax?: number;
}

const BATCHED = ['l1', 'l2'] as const;
type Batched = (typeof BATCHED)[number];

/** The budgets are for all that is done until the next plan of a schedule, L3 included. */
export async function planRuns(
  store: VolumeStore,
  runsMax: number,
  options: PlanRunsOptions = {},
): Promise<PlannedRuns> {
  const { components } = store;
  const { strategies = BATCHED, budgets: base, periodMs, runsAtOnceMax: atMost = RUNS_AT_ONCE_MAX, ...rest } = options;
  const operating = await readOperating(components);
  const view = await currentView(store, rest);
  const { liveBytes } = sealedTotals(view);
  const budgets = periodMs === undefined ? (base ?? UNLIMITED) : budgetsFor(operating, liveBytes, periodMs, base);
  const budgetUsed = await beginPeriod(components, budgets);
  await writeBudgetUse(components, budgetUsed);
  const begun = await begunRuns(store);
  const { state } = await readThreshold(components);
  const { plan } = await planNow(store, {
    threshold: state.threshold,
    ...rest,
    view,
    operating,
    budgets,
    // Where budgets are scarce L3 has its share in them, although its runs are the drainer's.
    settings: { strategies: isLimited(budgets) ? [...strategies, 'l3'] : [...strategies] },
  });
  if (isShort(plan)) await writeBudgetUse(components, 1);
  // What frees space comes first.
  const left = budgetsLeft(budgets, STRATEGIES.map((s) => plan.spent[s]).reduce(addSpending));
  const mayMerge = options.strategies === undefined && view.count > 0 && left !== undefined;
  const merge = mayMerge ? await beginMerge(store, begun, left) : undefined;
  const runs = await beginPlan(store, plan, merge === undefined ? begun : [...begun, merge], runsMax);
  const { moveBytesPerSecond } = PLAN_SETTINGS;
  const sideBySide =
    periodMs === undefined ? atMost : runsAtOnce(operating, budgets, periodMs, { moveBytesPerSecond, atMost });
  return { runs, resumed: Math.min(begun.length, runsMax), plan, budgetUsed, runsAtOnce: sideBySide };
}

/** Bucket remnants to be merged, as one run; undefined when there are none that the budgets allow. */
async function beginMerge(
  store: VolumeStore,
  begun: readonly JournalRow[],
  budgets: Budgets,
): Promise<JournalRow | undefined> {
  const plan = await planMergesNow(store, { budgets });
  const task = mergeTaskOf(plan, new Set<string>(begun.flatMap(({ task }) => volumesOf(task))));
  if (task === undefined) return undefined;
  return beginJournal(store.components, parkedRunId(store.components, 'merge'), task);
}

/** Ids of the runs begun earlier, and of those of a plan that do not touch their volumes; L3 is the drainer's. */
export async function beginPlan(
  store: VolumeStore,
  plan: CompactionPlan,
  begun: readonly JournalRow[],
  runsMax = Number.POSITIVE_INFINITY,
): Promise<RunId[]> {
  const taken = new Set<string>(begun.flatMap(({ task }) => volumesOf(task)));
  const runs: RunId[] = begun.map(({ id }) => id).slice(0, runsMax);
  for (const run of plan.runs) {
    if (runs.length >= runsMax) break;
    if (run.strategy === 'l3') continue;
    const volumes = [run.host, ...run.sources].flatMap((one) => (one === null ? [] : [one.volume]));
    if (volumes.some((volume) => taken.has(volume))) continue;
    const { id } = await beginJournal(
      store.components,
      parkedRunId(store.components, run.strategy),
      taskOf(plan.digest, run),
    );
    runs.push(id);
  }
  return runs;
}

/** Begun by a step that ended or died; the drainer's are its own. Those that were only planned are forgotten. */
export async function begunRuns(store: VolumeStore): Promise<JournalRow[]> {
  const begun: JournalRow[] = [];
  for (const journal of await requireJournal(store.components)) {
    if (ownerOf(journal.run) === DRAINER_OWNER || !isDeadRun(store.components, journal.run)) continue;
    const isOnlyPlanned = journal.phase === 'PREPARE' && journal.run === journal.id;
    if (isOnlyPlanned && ownerOf(journal.run) === PARKED_OWNER) await endJournal(store.components, journal);
    else begun.push(journal);
  }
  return begun;
}
