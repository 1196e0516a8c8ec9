// Carries out a plan, run by run, each journalled: PREPARE (leases), COPY, COMMIT (the flip, for L1), CLEANUP, DONE. Whoever finds a dead
// process's journal goes on with it; doing a run twice does nothing the second time, as its sources are gone by then.

import { dollarsOf } from '../../cost/cost-of.ts';
import { PRICE_BOOK } from '../../cost/price-book.ts';
import type { VolumeId } from '../../foundation/ids.ts';
import type { Reason } from '../../foundation/reason.ts';
import type { VolumeRow } from '../../panda/rows/volume-row.ts';
import type { Stream } from '../../stream/stream.ts';
import { endSource } from '../../volume/runs/drain-source.ts';
import { newRunId } from '../../volume/runs/runs.ts';
import type { VolumeStore } from '../../volume/volume-store.ts';
import type { Strategy } from '../facts/plan-settings.ts';
import { dropUnflipped, finishHost, topOff } from '../move/l1-flip.ts';
import { type Moved, moveSources, nothingMoved } from '../move/l2-move.ts';
import { streamSources } from '../move/l3/in-process.ts';
import { Ledger, type Spending, spendingOf } from '../plan/budget.ts';
import type { CompactionPlan, PlannedRun } from '../plan/plan.ts';
import { pricingOf, workOf } from '../plan/work.ts';
import {
  advance,
  beginJournal,
  endJournal,
  isDeadRun,
  type JournalRow,
  type Phase,
  requireJournal,
  taskOf,
  volumesOf,
} from '../run/journal.ts';
import { adoptVolumes, isSkipped, leasePlanned, type Skipped } from '../run/leases.ts';
import type { MakeTarget } from './drain.ts';
import { endDeadRuns } from './end-runs.ts';
import { resumeMerge } from './merge-now.ts';

export interface Actors {
  readonly store: VolumeStore;
  readonly makeTarget: MakeTarget;
  /** L3 goes through it; without one it is done like L2. */
  readonly stream?: Stream;
}

export interface RunReport {
  readonly name: string;
  readonly strategy: Strategy | 'merge';
  /** Volumes emptied and retired. */
  readonly retired: number;
  readonly destinations: number;
  readonly destinationVolumes: readonly VolumeId[];
  readonly movedBuckets: number;
  readonly movedBytes: number;
  /** Live bytes of an L1 host, copied although they stay in it. */
  readonly hostBytes: number;
  readonly storedBytes: number;
  readonly metadataWrites: number;
  readonly dollars: number;
  /** Volumes of the plan left alone, and why. */
  readonly skipped: readonly Skipped[];
  /** Why it ended before everything was moved. */
  readonly stalled: Reason | undefined;
  /** Of a merge only. */
  readonly merge?: MergeFigures;
}

/** What a merge of bucket remnants took and saved. */
export interface MergeFigures {
  /** New buckets. */
  readonly buckets: number;
  /** Remnants that were copied into them. */
  readonly remnants: number;
  readonly blockRows: number;
  /** Of remnants and empty buckets. */
  readonly rowsDropped: number;
  readonly blockRowsPerBucket: number;
  readonly rowsPerGibBefore: number;
  readonly rowsPerGibAfter: number;
}

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

/** What every run of a plan is done with. */
export interface RunContext extends Actors {
  readonly plan: CompactionPlan;
  readonly signal: AbortSignal | undefined;
}

/**
 * All runs of a plan, in its order. A run that would go beyond a budget is left; one whose volumes have changed leaves those out. The
 * caller has checked the plan (`requirePlan`) if nothing of it may be left out.
 */
export async function executePlan(
  actors: Actors,
  plan: CompactionPlan,
  options: ExecuteOptions = {},
): Promise<ExecutionReport> {
  const ledger = new Ledger(plan.budgets, plan.settings.strategies);
  const context: RunContext = { ...actors, plan, signal: options.signal };
  const runs: RunReport[] = [];
  const left: { run: string; reason: Reason }[] = [];
  for (const run of plan.runs) {
    if (options.signal?.aborted) {
      left.push({ run: run.name, reason: { code: 'STOPPED', text: 'stopped before it began' } });
      continue;
    }
    if (!ledger.affords(run.strategy, spendingOf(run.work, run.dollars), true)) {
      left.push({ run: run.name, reason: { code: 'BUDGET_SPENT', text: 'the runs before it used up its budget' } });
      continue;
    }
    const report = await executeRun(context, run);
    ledger.charge(run.strategy, spentBy(report, run));
    runs.push(report);
    options.onRun?.(report);
  }
  return { runs, left, spent: ledger.total };
}

/** What it took, counted where it is counted; requests and compute time as planned, scaled by the bytes that really moved. */
function spentBy(report: RunReport, run: PlannedRun) {
  const copied = report.movedBytes + report.hostBytes;
  const part = run.work.bytesRead > 0 ? copied / run.work.bytesRead : 0;
  const planned = spendingOf(run.work, run.dollars);
  return {
    bytesRead: copied,
    bytesWritten: report.storedBytes,
    metadataWrites: report.metadataWrites,
    requests: planned.requests * part,
    computeMs: planned.computeMs * part,
    dollars: report.dollars,
  };
}

/** One run from its journal's first row to its last. */
export async function executeRun(context: RunContext, run: PlannedRun): Promise<RunReport> {
  const { c } = context.store;
  const journal = await beginJournal(c, newRunId(c, run.strategy), taskOf(context.plan.digest, run));
  const volumes: VolumeRow[] = [];
  const skipped: Skipped[] = [];
  for (const planned of run.host === null ? run.sources : [run.host, ...run.sources]) {
    const taken = await leasePlanned(context.store, journal.run, planned);
    if (isSkipped(taken)) skipped.push(taken);
    else volumes.push(taken);
  }
  const moved = await goOn(context, journal, volumes, context.signal);
  return reportOf(context, run, { ...moved, skipped: [...skipped, ...moved.skipped] });
}

/** From leased volumes to DONE. */
async function goOn(
  actors: Actors,
  journal: JournalRow,
  volumes: readonly VolumeRow[],
  signal: AbortSignal | undefined,
): Promise<Moved & { hostBytes?: number }> {
  const { store, makeTarget } = actors;
  const copying = await entered(store, journal, 'COPY');
  if (journal.task.host !== null) {
    const host = volumes.find(({ id }) => id === journal.task.host);
    const donors = volumes.filter((volume) => volume !== host);
    if (host !== undefined && donors.length > 0) {
      const done = await topOff(store, copying, host, donors, { signal });
      await endJournal(store.c, done.journal);
      return done.moved;
    }
    // Nothing to top off, or nothing to do it with: the leases end, and the donors' buckets stay.
    await dropUnflipped(store, journal.run, volumes);
    for (const volume of volumes) await endSource(store, volume, journal.run);
    await endJournal(store.c, copying);
    return nothingMoved();
  }
  const { stream } = actors;
  const moved =
    stream !== undefined && journal.task.strategy === 'l3'
      ? await streamSources({ store, makeTarget, stream }, journal.run, volumes, signal)
      : await moveSources(store, makeTarget, journal.run, volumes, signal);
  await endJournal(store.c, copying);
  return moved;
}

/** The journal in its next phase. A run that somebody else took over finds that out at its next step on the volumes. */
async function entered(store: VolumeStore, journal: JournalRow, phase: Phase): Promise<JournalRow> {
  if (journal.phase === phase) return journal;
  return (await advance(store.c, journal, { phase })) ?? journal;
}

/**
 * Goes on with what dead processes began: their volumes are leased under new runs, and what is left of them is moved. Throws `invalid`
 * JOURNAL_VERSION, nothing changed, when a journal is of another release. How many runs.
 */
export async function resumeRuns(actors: Actors, signal?: AbortSignal): Promise<number> {
  const { store } = actors;
  let resumed = 0;
  for (const journal of await requireJournal(store.c)) {
    if (!isDeadRun(store.c, journal.run) || signal?.aborted) continue;
    if (await resumeRun(actors, journal, signal)) resumed += 1;
  }
  await endDeadRuns(store);
  return resumed;
}

async function resumeRun(actors: Actors, journal: JournalRow, signal: AbortSignal | undefined): Promise<boolean> {
  const { store } = actors;
  const run = newRunId(store.c, journal.task.strategy);
  const taken = await advance(store.c, journal, { run });
  if (taken === undefined) return false;
  const volumes = await adoptVolumes(store, run, volumesOf(taken.task));
  if (taken.task.strategy === 'merge') await resumeMerge(store, taken, volumes, signal);
  else if (await finishHost(store, taken, volumes)) {
    for (const volume of volumes) await endSource(store, volume, run);
    await endJournal(store.c, taken);
  } else await goOn(actors, taken, volumes, signal);
  return true;
}

function reportOf(context: RunContext, run: PlannedRun, moved: Moved & { hostBytes?: number }): RunReport {
  const hostBytes = moved.hostBytes ?? 0;
  const { settings } = context.plan;
  const work = workOf(
    {
      codec: run.codec,
      copiedBytes: moved.recordBytes + hostBytes,
      copiedBuckets: moved.buckets,
      movedBuckets: moved.buckets,
      freedVolumes: moved.retired,
      newVolumes: moved.destinations.size,
      queued: run.strategy === 'l3',
    },
    settings,
  );
  return {
    name: run.name,
    strategy: run.strategy,
    retired: moved.retired,
    destinations: moved.destinations.size,
    destinationVolumes: [...moved.destinations],
    movedBuckets: moved.buckets,
    movedBytes: moved.recordBytes,
    hostBytes,
    storedBytes: moved.storedBytes,
    metadataWrites: work.metadataWrites,
    dollars: dollarsOf(work, pricingOf(settings, PRICE_BOOK)).total,
    skipped: moved.skipped,
    stalled: moved.stalled,
  };
}
