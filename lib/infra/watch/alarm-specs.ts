// The alarms of a stage as data: what each looks at, from which value on, and what it says. Every alarm has a heading
// of its name in docs/operations.md (a test compares the two). CloudWatch bills by the metric an alarm reads: fourteen
// at the most.
import { codecShape } from '../../codec/shape.ts';
import { HOUR_MS } from '../../foundation/durations.ts';
import { REPAIR_WITHIN_MS } from '../../limits/verify.ts';
import { KEEPING_METRICS, METRICS } from '../../settings/metric-names.ts';
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

/** Times the overhead of the codec itself: the target is 1.1, deletes between two compactions add to it. */
const OVERHEAD_LIMIT = 1.35;

export function alarmSpecs(stage: StageSettings): readonly AlarmSpec[] {
  const { dataColumns: k, parityColumns: m } = codecShape(stage.store.warmCodec);
  return [...gaugeAlarms(stage, (k + m) / k), ...serviceAlarms(stage)];
}

/** A stage that is to be thrown away is watched by the minute, so that a test need not wait for hours. */
function gaugeAlarms(stage: StageSettings, codeOverhead: number): AlarmSpec[] {
  const gauge = (name: string): Pick<AlarmSpec, 'metrics' | 'periodMinutes' | 'periods' | 'silence'> => ({
    metrics: [{ kind: 'gauge', name }],
    ...(stage.ephemeral ? { periodMinutes: 1, periods: 1 } : { periodMinutes: 60, periods: 3 }),
    silence: 'unchanged',
  });
  // Those metrics have no data while all is well.
  const whenWrong = (name: string) =>
    ({ ...gauge(name), statistic: 'Minimum', is: 'above', silence: 'good' }) as const satisfies Partial<AlarmSpec>;
  return [
    {
      name: 'overhead-high',
      says: 'Sealed volumes take much more raw space than their live data needs: compaction does not keep up with deletes.',
      ...gauge(METRICS.sealedOverhead),
      statistic: 'Minimum',
      is: 'above',
      limit: round(OVERHEAD_LIMIT * codeOverhead),
    },
    {
      name: 'overhead-rising',
      says: 'Overhead of sealed volumes is higher than a week ago.',
      ...gauge(METRICS.sealedOverheadWeekChange),
      statistic: 'Minimum',
      is: 'above',
      limit: round(0.1 * codeOverhead),
    },
    {
      name: 'fill-shift',
      says: 'The distribution of volume fills is not that of a week ago: something new deletes, or compaction picks other volumes.',
      ...gauge(METRICS.fillShift),
      statistic: 'Minimum',
      is: 'above',
      limit: 0.25,
    },
    {
      name: 'live-coder-underfilled',
      says: 'The Live Coder seals volumes that are not full: it makes the overhead that compaction then has to remove.',
      ...gauge(METRICS.liveCoderFill),
      statistic: 'Maximum',
      is: 'below',
      limit: 0.8,
    },
    {
      name: 'shred-overdue',
      says: 'Deleted data is not destroyed in time, or compaction that was begun makes no progress.',
      ...gauge(METRICS.hoursOverdue),
      statistic: 'Minimum',
      is: 'above',
      limit: 24,
    },
    {
      name: 'redundancy-low',
      says: 'Some volumes survive fewer losses than their code promises: a bucket is gone or given up, or objects are damaged.',
      ...whenWrong(KEEPING_METRICS.volumesAtRisk),
      limit: 0,
    },
    {
      name: 'repair-behind',
      says: 'What is missing or to be moved has waited for longer than two days to be made again.',
      ...whenWrong(KEEPING_METRICS.repairHoursWaiting),
      limit: REPAIR_WITHIN_MS / HOUR_MS,
    },
  ];
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
      says: 'The frontend threw an error of its own, or a scheduled function failed twice.',
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

/** 1.35 x 1.5 is not 2.0250000000000004. */
const round = (value: number): number => Number(value.toFixed(4));
