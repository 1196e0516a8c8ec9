// The alarms of a stage as data: what each looks at, from which value on, and what it says. Every alarm has a heading
// of its name in docs/operations.md (a test compares the two). CloudWatch bills by the metric an alarm reads: twenty
// at the most.
import { type GaugeAlarm, gaugeAlarmsOf } from '../../engine/status/gauge-alarms.ts';
import { CONFLICTS_MAX, THROTTLES_MAX } from '../../limits/alarms.ts';
import { METRICS } from '../../settings/metric-names.ts';
import type { StageSettings } from '../stage-settings.ts';

export type MetricSource =
  /** One of ours, put by the tuner at every run. */
  | { readonly kind: 'gauge'; readonly name: string }
  | { readonly kind: 'queue'; readonly queue: 'drain' | 'dead' | 'failed'; readonly name: string }
  | { readonly kind: 'table'; readonly name: string }
  | { readonly kind: 'machine'; readonly name: string }
  | { readonly kind: 'frontend'; readonly name: string }
  /** Of all functions of the account in its region: they share what may run at once. */
  | { readonly kind: 'functions'; readonly name: string };

export interface AlarmSpec {
  /** Its name behind that of the stage, and the heading of its runbook. */
  readonly name: string;
  readonly says: string;
  /** Added up. */
  readonly metrics: readonly MetricSource[];
  readonly statistic: 'Maximum' | 'Minimum' | 'Sum' | 'SampleCount';
  readonly is: 'above' | 'below';
  readonly limit: number;
  readonly periodMinutes: number;
  /** So many periods in a row. */
  readonly periods: number;
  /**
   * What no data means: that nothing happened, or that nobody is there. No alarm stays as it is: one whose metric had
   * stopped would never end. That nobody measures is an alarm of its own.
   */
  readonly silence: 'good' | 'bad';
}

export const RUNBOOKS = 'docs/operations.md';

export function alarmSpecs(stage: StageSettings): readonly AlarmSpec[] {
  const gauges = gaugeAlarmsOf(stage.store).map((alarm) => gaugeSpec(stage, alarm));
  return [...gauges, ...(stage.schedules ? [NOT_MEASURED] : []), ...serviceAlarms(stage)];
}

/** The one gauge that the tuner always puts: without it no other alarm about figures means anything. */
const NOT_MEASURED: AlarmSpec = {
  name: 'not-measured',
  says: 'Nobody has measured the stage for three hours: the tuner does not run, or cannot put what it measures.',
  metrics: [{ kind: 'gauge', name: METRICS.hoursOverdue }],
  statistic: 'SampleCount',
  is: 'below',
  limit: 1,
  periodMinutes: 60,
  periods: 3,
  silence: 'bad',
};

/** A stage that is to be thrown away is watched by the minute, so that a test need not wait for hours. */
function gaugeSpec({ ephemeral }: StageSettings, alarm: GaugeAlarm): AlarmSpec {
  const { name, says, metric, is, limit, isAtOnce = false } = alarm;
  return {
    ...{ name, says, is, limit, silence: 'good' },
    metrics: [{ kind: 'gauge', name: metric }],
    statistic: (is === 'above') === isAtOnce ? 'Maximum' : 'Minimum',
    ...(ephemeral ? { periodMinutes: 1, periods: 1 } : { periodMinutes: 60, periods: isAtOnce ? 1 : 3 }),
  };
}

function serviceAlarms({ ephemeral }: StageSettings): AlarmSpec[] {
  const quick = ephemeral ? 1 : 5;
  return [
    {
      name: 'l3-queue-old',
      says: 'Buckets wait in the drain queue: the Live Coder takes none, or fails at them.',
      metrics: [{ kind: 'queue', queue: 'drain', name: 'ApproximateAgeOfOldestMessage' }],
      statistic: 'Maximum',
      is: 'above',
      limit: 2 * 3600,
      periodMinutes: quick,
      periods: 3,
      silence: 'good',
    },
    {
      name: 'dlq-not-empty',
      says: 'The Live Coder gave up on messages: what they name is drained no more, and with twenty of them nothing is.',
      metrics: [{ kind: 'queue', queue: 'dead', name: 'ApproximateNumberOfMessagesVisible' }],
      statistic: 'Maximum',
      is: 'above',
      limit: 0,
      periodMinutes: quick,
      periods: 1,
      // SQS puts nothing for a queue that has been empty for hours.
      silence: 'good',
    },
    {
      name: 'metadata-throttled',
      says: 'DynamoDB throttles the metadata table again and again.',
      metrics: [
        { kind: 'table', name: 'ReadThrottleEvents' },
        { kind: 'table', name: 'WriteThrottleEvents' },
      ],
      statistic: 'Sum',
      is: 'above',
      limit: 10,
      periodMinutes: quick,
      periods: 3,
      silence: 'good',
    },
    {
      name: 'metadata-contended',
      says: 'Transactions get in the way of each other, again and again: every one of them is done over.',
      metrics: [{ kind: 'table', name: 'TransactionConflict' }],
      statistic: 'Sum',
      is: 'above',
      limit: CONFLICTS_MAX,
      periodMinutes: quick,
      periods: 3,
      silence: 'good',
    },
    {
      name: 'functions-throttled',
      says: 'Lambda turns calls away, again and again: more functions want to run than this account may in this region.',
      metrics: [{ kind: 'functions', name: 'Throttles' }],
      statistic: 'Sum',
      is: 'above',
      limit: THROTTLES_MAX,
      periodMinutes: quick,
      periods: 3,
      silence: 'good',
    },
    {
      name: 'compaction-stalled',
      says: 'The compaction state machine fails, runs out of time or is stopped, time after time.',
      metrics: [
        { kind: 'machine', name: 'ExecutionsFailed' },
        { kind: 'machine', name: 'ExecutionsTimedOut' },
        { kind: 'machine', name: 'ExecutionsAborted' },
      ],
      statistic: 'Sum',
      is: 'above',
      limit: 0,
      periodMinutes: ephemeral ? 1 : 60,
      periods: ephemeral ? 1 : 3,
      silence: 'good',
    },
    {
      name: 'function-errors',
      says: 'The frontend threw an error of its own, a scheduled function failed twice, or the journal gave up on part of the stream.',
      metrics: [
        { kind: 'frontend', name: 'Errors' },
        { kind: 'queue', queue: 'failed', name: 'ApproximateNumberOfMessagesVisible' },
      ],
      statistic: 'Maximum',
      is: 'above',
      limit: 0,
      periodMinutes: quick,
      periods: 1,
      silence: 'good',
    },
  ];
}
