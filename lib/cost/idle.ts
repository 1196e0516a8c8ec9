// What a stage costs a month while nobody uses it: keys, alarms, metrics, the polling of its queue, and the functions
// that look whether there is anything to do. Pure arithmetic over list prices, no free tiers; the first dashboard of an
// account is free for good.
import { MINUTE_MS } from '../foundation/durations.ts';
import { MS_PER_MONTH } from './cost-of.ts';
import type { PriceBook } from './price-book.ts';

/** A function that is called on a schedule and finds nothing to do. */
export interface IdleCalls {
  readonly everyMinutes: number;
  readonly memoryMiB: number;
  /** Billed, the start of the process included. */
  readonly ms: number;
  readonly metadataReads: number;
  readonly metadataWrites: number;
  readonly queueRequests: number;
  readonly stateTransitions: number;
  readonly metricRequests: number;
  readonly logBytes: number;
}

export interface IdleStage {
  readonly keys: number;
  readonly customMetrics: number;
  readonly alarmMetrics: number;
  /** Queues that feed a function: Lambda polls them around the clock. */
  readonly polledQueues: number;
  readonly calls: readonly IdleCalls[];
}

export interface IdleDollars {
  readonly keys: number;
  readonly metrics: number;
  readonly alarms: number;
  readonly queues: number;
  readonly compute: number;
  readonly transitions: number;
  readonly metadata: number;
  readonly logs: number;
  readonly total: number;
}

/** Lambda keeps five long polls of twenty seconds on an idle queue. */
const POLLS_PER_MINUTE = 15;
const MILLION = 1e6;
const GB = 1e9;

export function idleDollarsPerMonth(stage: IdleStage, book: PriceBook): IdleDollars {
  const minutes = MS_PER_MONTH / MINUTE_MS;
  /** A month's sum over all calls. */
  const sum = (of: (calls: IdleCalls) => number): number =>
    stage.calls.reduce((total, calls) => total + (of(calls) * minutes) / calls.everyMinutes, 0);
  const polls = stage.polledQueues * POLLS_PER_MINUTE * minutes;
  const { dynamo, lambda, sqs, stepFunctions, cloudWatch, kms } = book;
  const parts = {
    keys: stage.keys * kms.perKeyMonth,
    metrics:
      stage.customMetrics * cloudWatch.perMetricMonth +
      (sum((calls) => calls.metricRequests) * cloudWatch.perMillionRequests) / MILLION,
    alarms: stage.alarmMetrics * cloudWatch.perAlarmMonth,
    queues: ((polls + sum((calls) => calls.queueRequests)) * sqs.perMillionRequests) / MILLION,
    compute:
      sum(({ ms, memoryMiB }) => (ms / 1000) * (memoryMiB / 1024)) * lambda.perGbSecond +
      (sum(() => 1) * lambda.perMillionCalls) / MILLION,
    transitions: (sum((calls) => calls.stateTransitions) * stepFunctions.perMillionTransitions) / MILLION,
    metadata:
      (sum((calls) => calls.metadataReads) * dynamo.perMillionReadUnits +
        sum((calls) => calls.metadataWrites) * dynamo.perMillionWriteUnits) /
      MILLION,
    logs: (sum((calls) => calls.logBytes) * cloudWatch.logsPerGb) / GB,
  };
  return { ...parts, total: Object.values(parts).reduce((total, part) => total + part, 0) };
}
