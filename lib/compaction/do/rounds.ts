// COMPACT: plan, run, free, and again until nothing is left worth doing. The one loop of both engines: budgets, merges,
// what was cut off and reports are decided here; the Batches port only carries runs out.

import type { VolumeId } from '../../foundation/ids.ts';
import { COMPACT_ROUNDS_MAX } from '../../limits/compaction.ts';
import { readVolume } from '../../volume/rows/read-rows.ts';
import type { VolumeStore } from '../../volume/volume-store.ts';
import { type FleetTotals, type FleetView, indexOfVolume, sealedTotals, stateOf } from '../facts/fleet.ts';
import type { MergeSettings } from '../facts/merge-settings.ts';
import { type PlanSettings, STRATEGIES, type Strategy } from '../facts/plan-settings.ts';
import { snapshotOf } from '../facts/snapshot.ts';
import { type Budgets, budgetsLeft, budgetUsed, NOTHING_SPENT, type Spending, UNLIMITED } from '../plan/budget.ts';
import type { MergePlan } from '../plan/merges/merge-plan.ts';
import { budgetsFor } from '../plan/operating-settings.ts';
import { type CompactionPlan, parsePlan } from '../plan/plan.ts';
import { requirePlan } from '../plan/plan-check.ts';
import { isShort } from '../plan/selector.ts';
import { readOperating } from '../run/operating-row.ts';
import { beginPeriod } from '../run/period.ts';
import { type RunReport, runReportOf } from '../run/reports.ts';
import { type Batches, type Freed, isHeld } from './batches.ts';
import { endLostLeases } from './end-runs.ts';
import { type ExecutionReport, executeMerges, executePlan, NEVER, spentBy } from './executor.ts';
import { planMergesNow } from './merge-now.ts';
import { currentView, type PlanOptions, planNow } from './plan-now.ts';
import { begunRuns } from './plan-runs.ts';

/** Ranges may not be empty. */
const BOUNDARY_STEP = 1e-6;

export interface CompactOptions extends PlanOptions {
  /**
   * Whether bucket remnants are merged before each plan, or `only` they. Unless told: when all strategies are asked
   * for, and no plan file is given.
   */
  readonly merge?: boolean | 'only';
  readonly merging?: Partial<MergeSettings>;
  readonly onMergePlan?: (plan: MergePlan) => void;
  /** Plan and run again until a plan has no run, or none that frees anything. */
  readonly untilStable?: boolean;
  /** Of a schedule: what may be used until it comes again, in so many milliseconds, where no budgets are given. */
  readonly periodMs?: number;
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
  readonly freed: Freed;
  /** Of sealed volumes; capacity, so without the code's factor. */
  readonly before: FleetTotals;
  readonly after: FleetTotals;
  /** Use of the scarcest budget, 0..1. */
  readonly budgetUsed: number;
  /** They did not carry what would have come next. */
  readonly isShort: boolean;
}

/** Budgets hold for all rounds together. Throws what is wrong with a plan file before anything is touched. */
export async function compact(batches: Batches, options: CompactOptions = {}): Promise<CompactReport> {
  const { store } = batches;
  const file = options.planJson;
  let given = file === undefined ? undefined : await checkedPlan(store, file, options);
  const before = sealedTotals(await currentView(store, options));
  const rounds = new Rounds(batches, options, given?.budgets ?? (await budgetsOfPeriod(store, options, before)));
  await rounds.resume();
  if (file !== undefined && rounds.resumed > 0) given = await checkedPlan(store, file, options);
  while (rounds.plans < COMPACT_ROUNDS_MAX && !rounds.signal.aborted) if (!(await rounds.next(given))) break;
  const after = sealedTotals(await snapshotOf(store.components));
  return { ...rounds.report(), before, after };
}

async function budgetsOfPeriod(
  { components }: VolumeStore,
  { budgets, periodMs }: CompactOptions,
  { liveBytes }: FleetTotals,
): Promise<Budgets> {
  if (budgets !== undefined || periodMs === undefined) return budgets ?? UNLIMITED;
  return budgetsFor(await readOperating(components), liveBytes, periodMs);
}

interface Planned {
  readonly plan: CompactionPlan;
  /** The fleet it is of; missing: a plan file's. */
  readonly view?: FleetView;
}

class Rounds {
  readonly signal: AbortSignal;
  plans = 0;
  resumed = 0;
  readonly #store: VolumeStore;
  readonly #batches: Batches;
  readonly #options: CompactOptions;
  readonly #budgets: Budgets;
  readonly #runs: RunReport[] = [];
  readonly #left: ExecutionReport['left'][number][] = [];
  readonly #freed = { freedVolumes: 0, freedZones: 0 };
  #spent: Spending = NOTHING_SPENT;
  /** As asked for; the last round's boundaries are its own. */
  #settings: Partial<PlanSettings> | undefined;
  #isShort = false;
  /** The round that drains the rest is under way: it is one. */
  #isLast = false;

  constructor(batches: Batches, options: CompactOptions, budgets: Budgets) {
    this.#store = batches.store;
    this.#batches = batches;
    this.#options = options;
    this.#budgets = budgets;
    this.#settings = options.settings;
    this.signal = options.signal ?? NEVER;
  }

  report(): Omit<CompactReport, 'before' | 'after'> {
    const { plans, resumed } = this;
    const [runs, left, freed, isShort] = [this.#runs, this.#left, this.#freed, this.#isShort];
    return { plans, resumed, runs, left, freed, budgetUsed: budgetUsed(this.#budgets, this.#spent), isShort };
  }

  /**
   * Goes on with what was begun and nobody works on; what that takes is charged, and in no report of this plan's runs.
   */
  async resume(): Promise<void> {
    const begun = await begunRuns(this.#store);
    await beginPeriod(this.#store.components, this.#budgets);
    for (const { id, task } of begun) {
      if (this.signal.aborted) return;
      try {
        const outcome = await this.#batches.carry(id, this.signal);
        this.#spent = spentBy([runReportOf(task.name, task.strategy, outcome)], this.#spent);
        this.resumed += 1;
      } catch (error) {
        if (!isHeld(error)) throw error; // somebody else was first
      }
    }
    await endLostLeases(this.#store);
  }

  /**
   * True if another round may gain more: one that left as many closed volumes as it emptied would go on for ever, and
   * write the same bytes each time. Then comes the last, which drains the rest.
   */
  async next(given: CompactionPlan | undefined): Promise<boolean> {
    const { merge: asked, untilStable = false } = this.#options;
    const merge = asked ?? (given === undefined && isAll(this.#options.settings?.strategies));
    const merged = merge === false ? undefined : await this.#merge();
    const hasMerged = (merged?.merge?.rowsDropped ?? 0) > 0;
    const { view, plan } = (merge === 'only' ? undefined : await this.#plan(given)) ?? {};
    if (plan === undefined) {
      if (merge === 'only') this.plans += 1;
      await this.#free();
      return merge === 'only' && untilStable && hasMerged;
    }
    this.plans += 1;
    this.#isShort = isShort(plan);
    const done = await executePlan(this.#batches, plan, {
      signal: this.signal,
      onRun: (run) => this.#note(run),
    });
    this.#left.push(...done.left);
    const gained = untilStable && view !== undefined ? await this.#gained(view, done.runs) : 0;
    await this.#free();
    if (given !== undefined || !untilStable || this.#isLast) return false;
    if (gained > 0 || hasMerged) return true;
    const last = drainingRest(plan.settings);
    this.#settings = { ...this.#settings, ...last };
    this.#isLast = last !== undefined;
    return this.#isLast;
  }

  /** Undefined when a budget is used up. */
  async #plan(given: CompactionPlan | undefined): Promise<Planned | undefined> {
    const rest = budgetsLeft(this.#budgets, this.#spent);
    if (rest === undefined) return undefined;
    const settings = this.#settings === undefined ? {} : { settings: this.#settings };
    const planned: Planned =
      given === undefined
        ? await planNow(this.#store, { ...this.#options, budgets: rest, ...settings })
        : { plan: given };
    this.#options.onPlan?.(planned.plan);
    return planned;
  }

  /**
   * How many closed volumes fewer there are. A destination that stays open is none: what a later round drains fits
   * there, and the pool of open ones is bounded.
   */
  async #gained(view: FleetView, runs: readonly RunReport[]): Promise<number> {
    const wasClosed = (id: VolumeId): boolean => {
      const i = indexOfVolume(view, id);
      return i >= 0 && stateOf(view, i) !== 'open';
    };
    const { panda, settings } = this.#store.components;
    let gained = runs.reduce((sum, run) => sum + run.retired, 0);
    for (const id of new Set(runs.flatMap((run) => run.destinationVolumes)))
      if (!wasClosed(id) && (await readVolume(panda, settings.cell, id))?.state !== 'open') gained -= 1;
    return gained;
  }

  /** Rows first: destinations are full at so many buckets, whatever their bytes. */
  async #merge(): Promise<RunReport | undefined> {
    const budgets = budgetsLeft(this.#budgets, this.#spent);
    if (budgets === undefined) return undefined;
    const options = { ...this.#options, budgets };
    const plan = await planMergesNow(this.#store, options);
    this.#options.onMergePlan?.(plan);
    const report = await executeMerges(this.#batches, plan, options);
    if (report !== undefined) this.#note(report);
    return report;
  }

  #note(run: RunReport): void {
    this.#runs.push(run);
    this.#spent = spentBy([run], this.#spent);
    this.#options.onRun?.(run);
  }

  async #free(): Promise<void> {
    const { freedVolumes, freedZones } = await this.#batches.free(this.signal);
    this.#freed.freedVolumes += freedVolumes;
    this.#freed.freedZones += freedZones;
  }
}

const isAll = (strategies: readonly Strategy[] = STRATEGIES): boolean => strategies.length === STRATEGIES.length;

/**
 * To finish: what neither packs nor tops off any more is drained, into volumes that stay open. The boundaries of that
 * last round; undefined if it was this one, or is not wanted. L2's is the plan's, which may reach further than what was
 * asked for (plan/top-offs.ts).
 */
function drainingRest({ finish, strategies, l2UpTo, l3UpTo }: PlanSettings): Partial<PlanSettings> | undefined {
  const all = l2UpTo - BOUNDARY_STEP;
  return finish && strategies.includes('l3') && l3UpTo < all ? { l3UpTo: all, l2UpTo } : undefined;
}

/** Before anything is leased. */
async function checkedPlan(store: VolumeStore, json: string, options: PlanOptions): Promise<CompactionPlan> {
  const plan = parsePlan(json);
  requirePlan(await currentView(store, options), plan);
  return plan;
}
