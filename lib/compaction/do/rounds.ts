// COMPACT: snapshot, plan, run, and again until nothing is left worth doing: what `compact`, `plan` and `explain` call.

import { retryLater } from '../../foundation/errors.ts';
import type { VolumeRow } from '../../panda/rows/volume-row.ts';
import { type FreeReport, freeTrash } from '../../volume/runs/free.ts';
import type { VolumeStore } from '../../volume/volume-store.ts';
import { type FleetTotals, type FleetView, sealedTotals } from '../facts/fleet.ts';
import { readRates } from '../facts/measured-rates.ts';
import type { MergeSettings } from '../facts/merge-settings.ts';
import { type PlanSettings, STRATEGIES, type Strategy } from '../facts/plan-settings.ts';
import { planSettingsFor, snapshotOf } from '../facts/snapshot.ts';
import {
  addSpending,
  type Budgets,
  budgetsLeft,
  budgetUsed,
  NOTHING_SPENT,
  type Spending,
  UNLIMITED,
} from '../plan/budget.ts';
import { explainVolume } from '../plan/explain.ts';
import type { MergePlan } from '../plan/merge-propose.ts';
import { type CompactionPlan, type PlannedMerges, parsePlan } from '../plan/plan.ts';
import { requirePlan } from '../plan/plan-check.ts';
import { planCompaction } from '../plan/planner.ts';
import { type Actors, type ExecutionReport, executePlan, type RunReport, resumeRuns } from './executor.ts';
import { executeMerges, planMergesNow, spentByMerge } from './merge-now.ts';

/** Until a controller has set one: a volume is worth rewriting when a fifth of it is dead. */
export const THRESHOLD_START = 0.2;
const ROUNDS_MAX = 64;
/** Ranges may not be empty. */
const BOUNDARY_STEP = 1e-6;
/** Clocks of machines that share a store may differ by this much. */
const CLOCK_SKEW_MAX_MS = 10 * 60_000;

export interface PlanOptions {
  readonly settings?: Partial<PlanSettings>;
  readonly budgets?: Budgets;
  readonly threshold?: number;
  /** The plan says, too, which bucket remnants would be merged before its runs. */
  readonly showMerges?: boolean;
}

export interface CompactOptions extends PlanOptions {
  /** Whether bucket remnants are merged before each plan, or `only` they. Unless told: when all strategies are asked for, and no plan file is given. */
  readonly merge?: boolean | 'only';
  readonly merging?: Partial<MergeSettings>;
  readonly onMergePlan?: (plan: MergePlan) => void;
  /** Plan and run again until a plan has no run, or none that frees anything. */
  readonly untilStable?: boolean;
  /** A plan file: exactly this is done, or nothing (`conflict` PLAN_STALE, `invalid` PLAN_…). */
  readonly planJson?: string;
  readonly signal?: AbortSignal;
  readonly onPlan?: (plan: CompactionPlan) => void;
  readonly onRun?: (report: RunReport) => void;
}

export interface CompactReport {
  readonly plans: number;
  readonly resumed: number;
  readonly runs: readonly RunReport[];
  readonly left: ExecutionReport['left'];
  readonly freed: Pick<FreeReport, 'freedVolumes' | 'freedZones'>;
  /** Of sealed volumes; capacity, so without the code's factor. */
  readonly before: FleetTotals;
  readonly after: FleetTotals;
  /** Use of the scarcest budget, 0..1. */
  readonly budgetUsed: number;
}

/** The plan of this moment. Changes nothing; the same rows give the same bytes. Throws `retry` CLOCK_BEHIND. */
export async function planNow(
  store: VolumeStore,
  options: PlanOptions = {},
): Promise<{ readonly view: FleetView; readonly plan: CompactionPlan }> {
  const view = await currentView(store);
  const { perDay } = await readRates(store.c);
  const plan = planCompaction({
    view,
    settings: planSettingsFor(store.c.settings, { deletesPerDay: [...perDay], ...options.settings }),
    threshold: options.threshold ?? THRESHOLD_START,
    ...(options.budgets === undefined ? {} : { budgets: options.budgets }),
    ...(options.showMerges === true ? { merges: shownMerges(await planMergesNow(store, options)) } : {}),
  });
  return { view, plan };
}

const shownMerges = ({ reason, before, after, blockRows, work, dollars, merges }: MergePlan): PlannedMerges => ({
  reason,
  rowsBefore: before.rows,
  rowsAfter: after.rows,
  rowsPerGibBefore: before.rowsPerGib,
  rowsPerGibAfter: after.rowsPerGib,
  blockRows,
  bytesRead: work.bytesRead,
  metadataWrites: work.metadataWrites,
  dollars,
  buckets: merges.map((merge) => ({
    tier: merge.tier,
    ageClass: merge.ageClass,
    sources: merge.sources.map((source) => ({ ...source })),
    liveBytes: merge.liveBytes,
    blocks: merge.blocks,
    rowsSaved: merge.rowsSaved,
    reason: merge.reason,
  })),
});

/** A clock that went back would make what is old look as if it had just been written, so nothing is planned by it. */
function currentView(store: VolumeStore): Promise<FleetView> {
  const nowMs = store.c.clock.nowMs();
  return snapshotOf(store.c, (volume) => refuseClock(nowMs, volume));
}

function refuseClock(nowMs: number, { id, createdAtMs, sealedAtMs }: VolumeRow): void {
  const writtenAtMs = Math.max(createdAtMs, sealedAtMs ?? 0);
  if (writtenAtMs - nowMs <= CLOCK_SKEW_MAX_MS) return;
  throw retryLater(
    'CLOCK_BEHIND',
    `the clock says ${new Date(nowMs).toISOString()}, but volume ${id} was written at ${new Date(writtenAtMs).toISOString()}: set the clock`,
  );
}

/** Lines about one volume: what it is, and what a plan made now would do with it. Throws `missing` VOLUME_UNKNOWN. */
export async function explain(store: VolumeStore, volume: string, options: PlanOptions = {}): Promise<string[]> {
  const { view, plan } = await planNow(store, options);
  return explainVolume(view, plan, volume);
}

/** Budgets hold for all rounds together. Throws what is wrong with a plan file before anything is touched. */
export async function compact(actors: Actors, options: CompactOptions = {}): Promise<CompactReport> {
  const { store } = actors;
  const file = options.planJson;
  let given = file === undefined ? undefined : await checkedPlan(store, file);
  const before = sealedTotals(given === undefined ? (await planNow(store, options)).view : await currentView(store));
  const resumed = await resumeRuns(actors, options.signal);
  if (file !== undefined && resumed > 0) given = await checkedPlan(store, file);
  const budgets = given?.budgets ?? options.budgets ?? UNLIMITED;
  const runs: RunReport[] = [];
  const left: ExecutionReport['left'][number][] = [];
  const freed = { freedVolumes: 0, freedZones: 0 };
  const free = async (): Promise<void> => {
    const erased = await freeTrash(store);
    freed.freedVolumes += erased.freedVolumes;
    freed.freedZones += erased.freedZones;
  };
  let spent = NOTHING_SPENT;
  let plans = 0;
  let settings = options.settings;
  const merges = options.merge ?? (given === undefined && isAll(options.settings?.strategies));
  while (plans < ROUNDS_MAX && !options.signal?.aborted) {
    const merged = merges
      ? await mergeRemnants(store, { ...options, budgets: budgetsLeft(budgets, spent) })
      : undefined;
    if (merged !== undefined) {
      runs.push(merged.report);
      options.onRun?.(merged.report);
      spent = addSpending(spent, merged.spent);
    }
    if (merges === 'only') {
      plans += 1;
      await free();
      if (options.untilStable === true && savedRows(merged) > 0) continue;
      break;
    }
    const rest = budgetsLeft(budgets, spent);
    if (rest === undefined) break;
    const asked = { ...options, budgets: rest, ...(settings === undefined ? {} : { settings }) };
    const plan = given ?? (await planNow(store, asked)).plan;
    options.onPlan?.(plan);
    plans += 1;
    const done = await executePlan(actors, plan, options);
    runs.push(...done.runs);
    left.push(...done.left);
    spent = addSpending(spent, done.spent);
    await free();
    if (given !== undefined || options.untilStable !== true) break;
    if (done.runs.some((run) => run.retired > 0) || savedRows(merged) > 0) continue;
    const last = drainingRest(plan.settings);
    if (last === undefined) break;
    settings = { ...settings, ...last };
  }
  const after = sealedTotals(await snapshotOf(store.c));
  return { plans, resumed, runs, left, freed, before, after, budgetUsed: budgetUsed(budgets, spent) };
}

const isAll = (strategies: readonly Strategy[] = STRATEGIES): boolean => strategies.length === STRATEGIES.length;

const savedRows = (merged: { readonly report: RunReport } | undefined): number =>
  merged?.report.merge?.rowsDropped ?? 0;

/** Rows first: destinations are full at so many buckets, whatever their bytes. Undefined when there is nothing to merge. */
async function mergeRemnants(
  store: VolumeStore,
  options: Omit<CompactOptions, 'budgets'> & { readonly budgets: Budgets | undefined },
): Promise<{ readonly report: RunReport; readonly spent: Spending } | undefined> {
  const { budgets, ...others } = options;
  if (budgets === undefined) return undefined;
  const plan = await planMergesNow(store, { ...others, budgets });
  options.onMergePlan?.(plan);
  if (plan.merges.length === 0) return undefined;
  const report = await executeMerges(store, plan, { ...others, budgets });
  return { report, spent: spentByMerge(plan, report) };
}

/**
 * To finish: what neither packs nor tops off any more is drained, into volumes that stay open. The boundaries of that last round; undefined if it was
 * this one, or is not wanted.
 */
function drainingRest({ finish, strategies, l2UpTo, l3UpTo }: PlanSettings): Pick<PlanSettings, 'l3UpTo'> | undefined {
  const all = l2UpTo - BOUNDARY_STEP;
  return finish && strategies.includes('l3') && l3UpTo < all ? { l3UpTo: all } : undefined;
}

/** Before anything is leased. */
async function checkedPlan(store: VolumeStore, json: string): Promise<CompactionPlan> {
  const plan = parsePlan(json);
  requirePlan(await currentView(store), plan);
  return plan;
}
