// Compaction of an open store: the planners and the executor with this engine's Live Coder and queue, the threshold the
// controller has set, and the day's tally of what was done.

import { codecShape } from '../../codec/shape.ts';
import { type Batches, inProcess } from '../../compaction/do/batches.ts';
import { planMergesNow } from '../../compaction/do/merge-now.ts';
import { type PlanOptions, planNow } from '../../compaction/do/plan-now.ts';
import { type CompactReport, compact } from '../../compaction/do/rounds.ts';
import { type Objective, type PlanSettings, STRATEGIES, type Strategy } from '../../compaction/facts/plan-settings.ts';
import { type Budgets, budgetsOf } from '../../compaction/plan/budget.ts';
import { explainVolume } from '../../compaction/plan/explain.ts';
import type { MergePlan } from '../../compaction/plan/merges/merge-plan.ts';
import type { CompactionPlan } from '../../compaction/plan/plan.ts';
import type { Actors } from '../../compaction/run/actors.ts';
import { charge } from '../../compaction/run/period.ts';
import type { Outcome, RunReport } from '../../compaction/run/reports.ts';
import type { RunId, VolumeId } from '../../foundation/ids.ts';
import type { Reason } from '../../foundation/reason.ts';
import { LiveCoder } from '../../live-coder/live-coder.ts';
import { capacityBytes } from '../../settings/settings.ts';
import { readVolume } from '../../volume/rows/read-rows.ts';
import type { MoveResult } from '../../volume/write/move.ts';
import { addTally, type Counts, TALLIED, type TalliedStrategy } from '../status/tally.ts';
import type { EngineStore } from '../wire/engine-store.ts';
import { noteBudgetUsed, readTuning } from './tune.ts';

export interface PlanRequest {
  readonly strategies?: readonly Strategy[] | undefined;
  /** Whether bucket remnants are merged, or only they; unless told, when all strategies are asked for. */
  readonly merge?: boolean | 'only' | undefined;
  readonly objective?: Objective | undefined;
  readonly budgets?: Partial<Budgets> | undefined;
  /** Upper ends of the fills that L3, L2 and L1 own. */
  readonly boundaries?: Pick<PlanSettings, 'l3UpTo' | 'l2UpTo' | 'l1UpTo'> | undefined;
  /** Instead of the one the controller has set. */
  readonly threshold?: number | undefined;
  readonly targetOverhead?: number | undefined;
  /** Plan by the clock although most of the store is from its future. */
  readonly acceptClock?: boolean | undefined;
  /** Pack what is left too, although it fills no volume: its destination stays open for what comes later. */
  readonly finish?: boolean | undefined;
}

export interface CompactRequest extends PlanRequest {
  readonly untilStable?: boolean | undefined;
  /** Of a schedule: what the operating settings allow until it comes again, where no budgets are given. */
  readonly periodMs?: number | undefined;
  readonly planJson?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onMoved?: ((result: MoveResult) => void) | undefined;
  readonly onRun?: ((report: RunReport) => void) | undefined;
}

export async function planOf(store: EngineStore, request: PlanRequest = {}): Promise<CompactionPlan> {
  // As `compact` has it: remnants are merged when all strategies are asked for.
  const showMerges = request.merge ?? (request.strategies ?? STRATEGIES).length === STRATEGIES.length;
  const options = { ...(await planOptionsOf(store, request)), showMerges: showMerges !== false };
  return (await planNow(store.volumes, options)).plan;
}

/** Which bucket remnants would be merged now, and why these or why none. */
export async function planMergesOf(store: EngineStore, request: PlanRequest = {}): Promise<MergePlan> {
  return planMergesNow(store.volumes, await planOptionsOf(store, request));
}

/** Of this process, unless a stage's functions carry the runs out. */
export async function compactStore(
  store: EngineStore,
  request: CompactRequest = {},
  batches: Batches = batchesOf(store, request.onMoved),
): Promise<CompactReport> {
  const { untilStable, periodMs, planJson, signal, onRun } = request;
  const options = await planOptionsOf(store, request);
  const report = await compact(batches, {
    ...options,
    ...(request.merge === undefined ? {} : { merge: request.merge }),
    ...(untilStable === undefined ? {} : { untilStable }),
    ...(periodMs === undefined ? {} : { periodMs }),
    ...(planJson === undefined ? {} : { planJson }),
    ...(signal === undefined ? {} : { signal }),
    ...(onRun === undefined ? {} : { onRun }),
  });
  await noteBudgetUsed(store.components, report.isShort ? 1 : report.budgetUsed);
  return report;
}

/** Lines about volumes: what they are, and what a plan made now would do with them. Throws `missing` VOLUME_UNKNOWN. */
export async function explainVolumes(
  store: EngineStore,
  volumes: readonly string[],
  request: PlanRequest = {},
): Promise<Reason[]> {
  const { view, plan } = await planNow(store.volumes, await planOptionsOf(store, request));
  return volumes.flatMap((volume) => explainVolume(view, plan, volume));
}

function actorsOf({ volumes, queue }: EngineStore, onMoved?: (result: MoveResult) => void): Actors {
  return {
    store: volumes,
    stream: queue,
    makeTarget: (run, moved) =>
      new LiveCoder(volumes, run, (result) => {
        moved(result);
        onMoved?.(result);
      }),
  };
}

/** Runs done here, each counted when it is done, as a stage's functions count their steps. */
function batchesOf(store: EngineStore, onMoved?: (result: MoveResult) => void): Batches {
  const here = inProcess(actorsOf(store, onMoved));
  return {
    ...here,
    carry: async (run, signal) => {
      const outcome = await here.carry(run, signal);
      await tallyRun(store, strategyOf(run), outcome);
      await charge(store.components, outcome.spent);
      return outcome;
    },
  };
}

export const strategyOf = (run: RunId): TalliedStrategy =>
  TALLIED.find((strategy) => run.startsWith(`${strategy}/`)) ?? 'l2';

export async function planOptionsOf(store: EngineStore, request: PlanRequest): Promise<PlanOptions> {
  const { strategies, objective, budgets, boundaries, targetOverhead, finish } = request;
  const settings: Partial<PlanSettings> = {
    ...boundaries,
    ...(strategies === undefined ? {} : { strategies: [...strategies] }),
    ...(objective === undefined ? {} : { objective }),
    ...(targetOverhead === undefined ? {} : { targetOverhead }),
    ...(finish === undefined ? {} : { finish }),
  };
  const threshold = request.threshold ?? (await readTuning(store.components)).threshold;
  return {
    settings,
    threshold,
    acceptClock: request.acceptClock ?? false,
    ...(budgets === undefined ? {} : { budgets: budgetsOf(budgets) }),
  };
}

async function tallyRun(store: EngineStore, strategy: TalliedStrategy, run: Outcome): Promise<void> {
  const sealed = await sealedFills(store, run.destinationVolumes);
  const of: Record<string, number> = {
    ...tallyOf(strategy, run, true),
    [`${strategy}.sealed`]: sealed.length,
    [`${strategy}.sealedFillPermille`]: sealed.reduce((sum, { permille }) => sum + permille, 0),
  };
  await addTally(store.components, of as Counts);
}

/** What a run, or a step of one, adds to the day's figures. */
export const tallyOf = (strategy: TalliedStrategy, outcome: Outcome, isDone: boolean): Counts => ({
  [`${strategy}.runs`]: isDone ? 1 : 0,
  [`${strategy}.reclaimed`]: outcome.retired,
  [`${strategy}.movedBytes`]: outcome.movedBytes + outcome.hostBytes,
  [`${strategy}.storedBytes`]: outcome.storedBytes,
  [`${strategy}.buckets`]: outcome.movedBuckets,
  [`${strategy}.metadataWrites`]: outcome.spent.metadataWrites,
  [`${strategy}.nanodollars`]: outcome.spent.dollars * 1e9,
});

/** Those that are sealed, and how full they were written. */
async function sealedFills(
  { components: { panda, settings } }: EngineStore,
  ids: readonly VolumeId[],
): Promise<{ readonly id: VolumeId; readonly permille: number }[]> {
  const found: { id: VolumeId; permille: number }[] = [];
  for (const id of ids) {
    const volume = await readVolume(panda, settings.cell, id);
    if (volume === undefined || volume.state === 'open') continue;
    const { dataColumns } = codecShape(volume.codec);
    const used = volume.extentUsedBytes.slice(0, dataColumns).reduce((sum, bytes) => sum + bytes, 0);
    found.push({ id, permille: Math.min(1000, (used * 1000) / capacityBytes(settings, volume.codec)) });
  }
  return found;
}
