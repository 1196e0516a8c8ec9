// The schedules of an embedded store, as a stage has them on AWS: whether the drives answer, GC, encode, repair,
// compaction, tuning, verification and alarms, one after the other in one process. Several daemons on one store do no
// harm.

import type { Clock } from '../../foundation/clock.ts';
import { MINUTE_MS } from '../../foundation/durations.ts';
import { isPocketfulError, type PocketfulError } from '../../foundation/errors.ts';
import { given } from '../../foundation/given.ts';
import { listVolumes } from '../../volume/rows/read-rows.ts';
import { watchDrives } from '../drives/watch-drives.ts';
import { collectKeeping } from '../status/keeping.ts';
import type { EngineStore } from '../wire/engine-store.ts';
import { type CompactRequest, compactStore } from './compaction.ts';
import { hasLeftovers, recover } from './end-dead-work.ts';
import { reclaim } from './reclaim.ts';
import { repairPass } from './repair.ts';
import { leftToRepair } from './stage-repair.ts';
import { encodePass } from './tend.ts';
import { tune } from './tune.ts';
import { verifyStore } from './verify.ts';
import { watchAlarms } from './watch-alarms.ts';

export const TASKS = ['drives', 'gc', 'encode', 'repair', 'compact', 'tune', 'verify', 'alarms'] as const;
export type TaskName = (typeof TASKS)[number];
export type Schedule = Readonly<Record<TaskName, number>>;

/** In milliseconds; the threshold's steps are per day of clock, however often it is looked at. */
export const SCHEDULE: Schedule = Object.freeze({
  drives: MINUTE_MS,
  gc: 60 * MINUTE_MS,
  encode: 15 * MINUTE_MS,
  repair: 15 * MINUTE_MS,
  compact: 60 * MINUTE_MS,
  tune: 24 * 60 * MINUTE_MS,
  verify: 15 * MINUTE_MS,
  alarms: 60 * MINUTE_MS,
});

export interface Task {
  readonly name: TaskName;
  readonly everyMs: number;
  run(signal: AbortSignal): Promise<unknown>;
}

export interface TaskOutcome {
  readonly task: TaskName;
  readonly startedAtMs: number;
  readonly tookMs: number;
  /** What the task answered, or why it could not; the next time it is tried again. */
  readonly report?: unknown;
  readonly error?: PocketfulError;
}

export interface TaskChoices extends CompactRequest {
  /** Part of the time that verification may take, in thousandths. */
  readonly verifySharePermille?: number | undefined;
}

export function tasksOf(store: EngineStore, schedule: Schedule = SCHEDULE, choices: TaskChoices = {}): Task[] {
  const { verifySharePermille: sharePermille, ...request } = choices;
  const work: Readonly<Record<TaskName, Task['run']>> = {
    drives: (signal) => watchDrives(store.volumes, { signal }),
    gc: async (signal) => {
      await recoverLeftovers(store);
      return reclaim(store, { signal });
    },
    encode: (signal) => encodePass(store, { signal }),
    repair: async (signal) => {
      const bytesMax = await leftToRepair(store.volumes);
      const report = await repairPass(store.volumes, { ...given({ bytesMax }), signal });
      const { panda, settings, badRow } = store.components;
      const metrics = await collectKeeping(store.components, await listVolumes(panda, settings.cell, badRow));
      return { ...report, metrics };
    },
    compact: (signal) => compactStore(store, { periodMs: schedule.compact, ...request, signal }),
    tune: () => tune(store.components),
    verify: (signal) => verifyStore(store, { signal }, { everyMs: schedule.verify, sharePermille }),
    alarms: () => watchAlarms(store),
  };
  const run =
    (task: Task['run']): Task['run'] =>
    async (signal) => {
      // Also a pass that finds nothing to do says so where it may do nothing.
      await store.components.mayWrite?.();
      return task(signal);
    };
  return TASKS.map((name) => ({ name, everyMs: schedule[name], run: run(work[name]) }));
}

/** What other processes left when they died; runs are for compaction to go on with. */
async function recoverLeftovers({ volumes, frontend }: EngineStore): Promise<void> {
  if (await hasLeftovers(volumes)) await recover(volumes, frontend, { keepRuns: true });
}

export interface DaemonOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Every task once, then the end. */
  readonly once?: boolean;
  /** The next task waits for it. */
  readonly onDone: (outcome: TaskOutcome) => unknown;
}

/** All of them at the start, then each when it is due. Ends when the signal says so, after the task under way. */
export async function runTasks(tasks: readonly Task[], options: DaemonOptions): Promise<void> {
  const { clock, signal, once = false, onDone } = options;
  const waiting = tasks.map((task) => ({ task, dueMs: clock.monotonicMs() }));
  while (!signal.aborted && waiting.length > 0) {
    const next = waiting.reduce((first, other) => (other.dueMs < first.dueMs ? other : first));
    if (!(await sleptUntil(next.dueMs, clock, signal))) return;
    const startedMs = clock.monotonicMs();
    const outcome = await outcomeOf(next.task, clock, signal);
    if (outcome !== undefined) await onDone(outcome);
    // One that took longer than its interval is not made up for.
    if (once) waiting.splice(waiting.indexOf(next), 1);
    else next.dueMs = Math.max(startedMs + next.task.everyMs, clock.monotonicMs());
  }
}

/** False if it was woken to stop. */
async function sleptUntil(dueMs: number, clock: Clock, signal: AbortSignal): Promise<boolean> {
  const waitMs = dueMs - clock.monotonicMs();
  if (waitMs <= 0) return true;
  try {
    await clock.sleep(waitMs, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return !signal.aborted;
}

/** Undefined if it was stopped half-way. */
async function outcomeOf(task: Task, clock: Clock, signal: AbortSignal): Promise<TaskOutcome | undefined> {
  const startedAtMs = clock.nowMs();
  const startedMs = clock.monotonicMs();
  const times = () => ({ task: task.name, startedAtMs, tookMs: Math.round(clock.monotonicMs() - startedMs) });
  try {
    const report = await task.run(signal);
    return { ...times(), report };
  } catch (error) {
    if (signal.aborted && !isPocketfulError(error)) return undefined;
    if (!isPocketfulError(error)) throw error;
    return { ...times(), error };
  }
}
