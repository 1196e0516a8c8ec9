// COMPACT on a stage, from here: plans are made and journalled with the user's own rights, every run is done by compactors, L3 by the
// drainer and the queue. What the state machine does meanwhile is in nobody's way.

import type { RunReport } from '../../compaction/do/executor.ts';
import { beginMerge, beginPlan, begunRuns } from '../../compaction/do/plan-runs.ts';
import { type CompactReport, planNow } from '../../compaction/do/rounds.ts';
import { sealedTotals } from '../../compaction/facts/fleet.ts';
import { STRATEGIES } from '../../compaction/facts/plan-settings.ts';
import { planSettingsFor, snapshotOf } from '../../compaction/facts/snapshot.ts';
import {
  addSpending,
  type Budgets,
  budgetsLeft,
  budgetUsed,
  NOTHING_SPENT,
  UNLIMITED,
} from '../../compaction/plan/budget.ts';
import { type CompactionPlan, parsePlan } from '../../compaction/plan/plan.ts';
import { requirePlan } from '../../compaction/plan/plan-check.ts';
import { TALLIED } from '../../engine/status/tally.ts';
import { planOptionsOf } from '../../engine/upkeep/compaction.ts';
import type { EngineStore } from '../../engine/wire/engine-store.ts';
import { mapLimit } from '../../foundation/concurrency.ts';
import type { VolumeId } from '../../foundation/ids.ts';
import type { StoreAdmin } from '../admin.ts';
import type { StageTasks } from './aws-tasks.ts';

const RUNS_AT_ONCE = 4;
const ROUNDS_MAX = 64;
const BOUNDARY_STEP = 1e-6;

type Options = NonNullable<Parameters<StoreAdmin['compact']>[0]>;

export async function compactStage(engine: EngineStore, tasks: StageTasks, options: Options): Promise<CompactReport> {
  const { planJson, untilStable = false, signal, onProgress, ...request } = options;
  const { volumes } = engine;
  const given = planJson === undefined ? undefined : parsePlan(planJson);
  const view = await snapshotOf(volumes.c);
  if (given !== undefined) requirePlan(view, given);
  const before = sealedTotals(view);
  const planOptions = await planOptionsOf(engine, request);
  // As on file: stores: unless told, remnants are merged when no strategies were chosen and no plan is given.
  const { strategies = STRATEGIES, finish } = request;
  const merges =
    request.merge ?? (given === undefined && STRATEGIES.every((strategy) => strategies.includes(strategy)));
  const budgets: Budgets = given?.budgets ?? planOptions.budgets ?? UNLIMITED;
  const runs: RunReport[] = [];
  const freed = { freedVolumes: 0, freedZones: 0 };
  let spent = NOTHING_SPENT;
  let plans = 0;
  let resumed = 0;
  while (plans < ROUNDS_MAX && !signal?.aborted) {
    const rest = budgetsLeft(budgets, spent);
    if (rest === undefined) break;
    const plan =
      merges === 'only' ? undefined : (given ?? (await planNow(volumes, { ...planOptions, budgets: rest })).plan);
    plans += 1;
    const round = await oneRound(engine, tasks, plan, merges !== false, signal, (run) => {
      runs.push(run);
      const sum = (of: (one: RunReport) => number): number => runs.reduce((total, one) => total + of(one), 0);
      onProgress?.({
        runs: runs.length,
        reclaimed: sum((one) => one.retired),
        movedBytes: sum((one) => one.movedBytes),
      });
    });
    resumed += round.resumed;
    if (plan !== undefined)
      for (const strategy of ['l1', 'l2', 'l3'] as const) spent = addSpending(spent, plan.spent[strategy]);
    const erased = await tasks.gc({ signal });
    for (const { freedVolumes, freedZones } of [erased.free, round.freed]) {
      freed.freedVolumes += freedVolumes;
      freed.freedZones += freedZones;
    }
    if (given !== undefined || !untilStable || !round.gained) break;
  }
  // To finish: what neither packs nor tops off any more goes into volumes that stay open.
  if (finish === true && given === undefined && merges !== 'only' && strategies.includes('l3') && !signal?.aborted) {
    const { l2UpTo } = planSettingsFor(volumes.c.settings, planOptions.settings);
    const drained = await tasks.drain({ signal, l3UpTo: l2UpTo - BOUNDARY_STEP });
    if (drained.retired > 0) runs.push(l3Report(drained));
    freed.freedVolumes += drained.free.freedVolumes;
    freed.freedZones += drained.free.freedZones;
  }
  const after = sealedTotals(await snapshotOf(volumes.c));
  return { plans, resumed, runs, left: [], freed, before, after, budgetUsed: budgetUsed(budgets, spent) };
}

async function oneRound(
  engine: EngineStore,
  tasks: StageTasks,
  /** Undefined: nothing but the remnants, and what was begun before. */
  plan: CompactionPlan | undefined,
  merges: boolean,
  signal: AbortSignal | undefined,
  onRun: (run: RunReport) => void,
): Promise<{ readonly resumed: number; readonly gained: boolean; readonly freed: CompactReport['freed'] }> {
  const begun = await begunRuns(engine.volumes);
  const merge = merges ? await beginMerge(engine.volumes, begun) : undefined;
  const all = merge === undefined ? begun : [...begun, merge];
  const ids = plan === undefined ? all.map(({ id }) => id) : await beginPlan(engine.volumes, plan, all);
  let gained = false;
  let freed: CompactReport['freed'] = { freedVolumes: 0, freedZones: 0 };
  await mapLimit(ids, RUNS_AT_ONCE, async (id) => {
    if (signal?.aborted) return;
    const run = await oneRun(tasks, id, signal);
    gained ||= run.retired > 0 || (run.strategy === 'merge' && run.movedBuckets > 0);
    onRun(run);
  });
  if (plan?.runs.some(({ strategy }) => strategy === 'l3') && !signal?.aborted) {
    const drained = await tasks.drain({ signal });
    gained ||= drained.retired > 0;
    freed = drained.free;
    onRun(l3Report(drained));
  }
  return { resumed: begun.length, gained, freed };
}

async function oneRun(tasks: StageTasks, id: string, signal: AbortSignal | undefined): Promise<RunReport> {
  const destinations = new Set<VolumeId>();
  let sums = {
    retired: 0,
    movedBuckets: 0,
    movedBytes: 0,
    hostBytes: 0,
    storedBytes: 0,
    metadataWrites: 0,
    dollars: 0,
  };
  for (;;) {
    const step = await tasks.step(id, signal?.aborted === true);
    for (const volume of step.destinations) destinations.add(volume as VolumeId);
    sums = {
      retired: sums.retired + step.retired,
      movedBuckets: sums.movedBuckets + step.movedBuckets,
      movedBytes: sums.movedBytes + step.movedBytes,
      hostBytes: sums.hostBytes + step.hostBytes,
      storedBytes: sums.storedBytes + step.storedBytes,
      metadataWrites: sums.metadataWrites + step.metadataWrites,
      dollars: sums.dollars + step.dollars,
    };
    if (!step.done) continue;
    return {
      name: id,
      strategy: TALLIED.find((strategy) => id.startsWith(`${strategy}/`)) ?? 'l2',
      ...sums,
      destinations: destinations.size,
      destinationVolumes: [...destinations],
      skipped: step.skipped,
      stalled: step.stalled,
    };
  }
}

function l3Report(drained: Awaited<ReturnType<StageTasks['drain']>>): RunReport {
  return {
    name: 'l3',
    strategy: 'l3',
    retired: drained.retired,
    destinations: 0,
    destinationVolumes: [],
    movedBuckets: drained.buckets,
    movedBytes: drained.movedBytes,
    hostBytes: 0,
    storedBytes: drained.storedBytes,
    metadataWrites: 0,
    dollars: 0,
    skipped: [],
    stalled: drained.stalled,
  };
}
