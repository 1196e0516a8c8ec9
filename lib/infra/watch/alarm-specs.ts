// The alarms of a stage as data: what each looks at, from which value on, and what it says. Every alarm has a heading
// of its name in docs/operations.md (a test compares the two). CloudWatch bills by the metric an alarm reads: fourteen
// at the most.
import { type GaugeAlarm, gaugeAlarmsOf } from '../../engine/status/gauge-alarms.ts';
import type { StageSettings } from '../stage-settings.ts';

export type MetricSource =
  /** One of ours, put by the tuner at every run. */
  | { readonly kind: 'gauge'; readonly name: string }
  | { readonly kind: 'queue'; readonly queue: 'drain' | 'dead' | 'failed'; readonly name: string }
  | { readonly kind: 'table'; readonly name: string }
  | { readonly kind: 'machine'; readonly name: string }
  | { readonly kind: 'frontend'; readonly name: string };

export interface AlarmSpec {
  /** Its name behind that of the stage, and the heading of its runbook. */
  readonly name: string;
  readonly says: string;
  /** Added up. */
  readonly metrics: readonly MetricSource[];
  readonly statistic: 'Maximum' | 'Minimum' | 'Sum';
  readonly is: 'above' | 'below';
  readonly limit: number;
  readonly periodMinutes: number;
  /** So many periods in a row. */
  readonly periods: number;
  /** What no data means: that nothing happened, or that nobody has measured since. */
  readonly silence: 'good' | 'unchanged';
}

export const RUNBOOKS = 'docs/operations.md';

export function alarmSpecs(stage: StageSettings): readonly AlarmSpec[] {
  return [...gaugeAlarmsOf(stage.store).map((alarm) => gaugeSpec(stage, alarm)), ...serviceAlarms(stage)];
}

/** A stage that is to be thrown away is watched by the minute, so that a test need not wait for hours. */
function gaugeSpec({ ephemeral }: StageSettings, { name, says, metric, is, limit, silence }: GaugeAlarm): AlarmSpec {
  return {
    ...{ name, says, is, limit, silence },
    metrics: [{ kind: 'gauge', name: metric }],
    statistic: is === 'above' ? 'Minimum' : 'Maximum',
    ...(ephemeral ? { periodMinutes: 1, periods: 1 } : { periodMinutes: 60, periods: 3 }),
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
      says: 'The Live Coder gave up on messages; until they are gone the drainer sends no more.',
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
      name: 'compaction-stalled',
      says: 'The compaction state machine fails time after time.',
      metrics: [{ kind: 'machine', name: 'ExecutionsFailed' }],
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
