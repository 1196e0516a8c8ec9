// COMPACT: snapshot, plan, run, and again until nothing is left worth doing: what `compact`, `plan` and `explain` call.
import { type FreeReport, freeTrash } from '../volume/free.ts';
import type { VolumeStore } from '../volume/volume-store.ts';
import type { Budgets } from './budget.ts';
import { type Actors, type ExecutionReport, executePlan, type RunReport, resumeRuns } from './executor.ts';
import { explainVolume } from './explain.ts';
import type { FleetView } from './fleet.ts';
import { type CompactionPlan, parsePlan } from './plan.ts';
import { requirePlan } from './plan-check.ts';
import type { PlanSettings } from './plan-settings.ts';
import { planCompaction } from './planner.ts';
import { planSettingsFor, snapshotOf } from './snapshot.ts';

/** Until a controller has set one: a volume is worth rewriting when a fifth of it is dead. */
export const THRESHOLD_START = 0.2;
const ROUNDS_MAX = 64;

export interface PlanOptions {
  readonly settings?: Partial<PlanSettings>;
  readonly budgets?: Budgets;
  readonly threshold?: number;
}

export interface CompactOptions extends PlanOptions {
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
}

/** The plan of this moment. Changes nothing; the same rows give the same bytes. */
export async function planNow(
  store: VolumeStore,
  options: PlanOptions = {},
): Promise<{ readonly view: FleetView; readonly plan: CompactionPlan }> {
  const view = await snapshotOf(store.c);
  const plan = planCompaction({
    view,
    settings: planSettingsFor(store.c.settings, options.settings),
    threshold: options.threshold ?? THRESHOLD_START,
    ...(options.budgets === undefined ? {} : { budgets: options.budgets }),
  });
  return { view, plan };
}

/** Lines about one volume: what it is, and what a plan made now would do with it. Throws `missing` VOLUME_UNKNOWN. */
export async function explain(store: VolumeStore, volume: string, options: PlanOptions = {}): Promise<string[]> {
  const { view, plan } = await planNow(store, options);
  return explainVolume(view, plan, volume);
}

export async function compact(actors: Actors, options: CompactOptions = {}): Promise<CompactReport> {
  const given = options.planJson === undefined ? undefined : await checkedPlan(actors.store, options.planJson);
  const resumed = await resumeRuns(actors, options.signal);
  const runs: RunReport[] = [];
  const left: ExecutionReport['left'][number][] = [];
  const freed = { freedVolumes: 0, freedZones: 0 };
  let plans = 0;
  for (let round = 0; round < ROUNDS_MAX && !options.signal?.aborted; round++) {
    const plan = given ?? (await planNow(actors.store, options)).plan;
    options.onPlan?.(plan);
    plans += 1;
    const done = await executePlan(actors, plan, options);
    runs.push(...done.runs);
    left.push(...done.left);
    const erased = await freeTrash(actors.store);
    freed.freedVolumes += erased.freedVolumes;
    freed.freedZones += erased.freedZones;
    const gained = done.runs.some((run) => run.retired > 0);
    if (given !== undefined || options.untilStable !== true || !gained) break;
  }
  return { plans, resumed, runs, left, freed };
}

/** Before anything is leased. */
async function checkedPlan(store: VolumeStore, json: string): Promise<CompactionPlan> {
  const plan = parsePlan(json);
  requirePlan(await snapshotOf(store.c), plan);
  return plan;
}
