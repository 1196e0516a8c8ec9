// A stage while nobody uses it, for the bill of lib/cost/idle.ts: counted from the same data the constructs are made
// of.
import type { IdleCalls, IdleStage } from '../../cost/idle.ts';
import { METRICS, QUIET_METRICS } from '../../settings/metric-names.ts';
import { JOURNAL_MEMORY_MIB, LIGHT_MEMORY_MIB, PLANNER_MEMORY_MIB, SCHEDULE_MINUTES } from '../stage-parts.ts';
import type { StageSettings } from '../stage-settings.ts';
import { alarmSpecs } from '../watch/alarm-specs.ts';

/** A call that finds nothing: a cold start, for an hour is longer than a process lives, and rows read in parallel. */
const IDLE_CALL_MS = 2_000;
/** Platform lines, the task's own. */
const LOG_BYTES = 2_500;
/** Of a store without volumes, at the most (test/cost/idle.test.ts counts them); opening it reads three more. */
export const IDLE_READS: Readonly<Record<keyof typeof SCHEDULE_MINUTES, number>> = {
  drainer: 64,
  encoder: 90,
  gc: 98,
  sampler: 25,
  tuner: 100,
  compaction: 61,
  journal: 14,
};
/** Plan, EachRun, AllDone, Compacted. */
const EMPTY_EXECUTION_STATES = 4;

export function idleStageOf(stage: StageSettings): IdleStage {
  const light = Math.min(LIGHT_MEMORY_MIB, stage.workerMemoryMiB);
  const calls = (part: keyof typeof SCHEDULE_MINUTES, memoryMiB: number, more: Partial<IdleCalls> = {}): IdleCalls => ({
    everyMinutes: SCHEDULE_MINUTES[part],
    memoryMiB,
    ms: IDLE_CALL_MS,
    metadataReads: IDLE_READS[part],
    metadataWrites: 0,
    queueRequests: 0,
    stateTransitions: 0,
    metricRequests: 0,
    logBytes: LOG_BYTES,
    ...more,
  });
  return {
    keys: 1,
    customMetrics: Object.keys(METRICS).length - QUIET_METRICS.length,
    alarmMetrics: alarmSpecs(stage).reduce((sum, { metrics }) => sum + metrics.length, 0),
    polledQueues: 1,
    calls: stage.schedules
      ? [
          calls('drainer', light, { queueRequests: 2 }),
          calls('encoder', stage.workerMemoryMiB),
          calls('gc', light),
          calls('sampler', stage.functionMemoryMiB),
          calls('tuner', light, { queueRequests: 2, metricRequests: 1, metadataWrites: 1 }),
          calls('compaction', Math.min(PLANNER_MEMORY_MIB, stage.workerMemoryMiB), {
            stateTransitions: EMPTY_EXECUTION_STATES,
            metadataWrites: 1,
          }),
          ...(stage.journal ? [calls('journal', Math.min(JOURNAL_MEMORY_MIB, stage.workerMemoryMiB))] : []),
        ]
      : [],
  };
}
