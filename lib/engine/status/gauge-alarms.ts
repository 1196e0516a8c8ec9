// The alarms about a store's figures over time, as data: which gauge, from which value on, and what it says. A stage
// has them in CloudWatch; a store on this machine in its daemon and in `status`. Each has a heading of its name in
// docs/operations.md.
import { codecShape } from '../../codec/shape.ts';
import { HOUR_MS } from '../../foundation/durations.ts';
import { FILL_SHIFT_MAX, HOT_FULLNESS_MAX, OVERDUE_HOURS_MAX, SEALED_FILL_MIN } from '../../limits/alarms.ts';
import { REPAIR_WITHIN_MS } from '../../limits/verify.ts';
import { HOT_METRICS, KEEPING_METRICS, METRICS, QUIET_METRICS } from '../../settings/metric-names.ts';
import type { Settings } from '../../settings/settings.ts';

/** Times the overhead of the codec itself: the target is 1.1, deletes between two compactions add to it. */
const OVERHEAD_LIMIT = 1.35;
const OVERHEAD_RISE = 0.1;

export interface GaugeAlarm {
  readonly name: string;
  readonly says: string;
  readonly metric: string;
  readonly is: 'above' | 'below';
  readonly limit: number;
  /** What no figure means: that all is well, or that nobody could measure. */
  readonly silence: 'good' | 'unchanged';
  /** One measurement is enough. */
  readonly isAtOnce?: boolean;
}

export function gaugeAlarmsOf({ warmCodec }: Pick<Settings, 'warmCodec'>): readonly GaugeAlarm[] {
  const { dataColumns: k, parityColumns: m } = codecShape(warmCodec);
  const codeOverhead = (k + m) / k;
  return [
    {
      name: 'overhead-high',
      says: 'Sealed volumes take much more raw space than their live data needs: compaction does not keep up with deletes.',
      metric: METRICS.sealedOverhead,
      is: 'above',
      limit: round(OVERHEAD_LIMIT * codeOverhead),
      silence: 'unchanged',
    },
    {
      name: 'overhead-rising',
      says: 'Overhead of sealed volumes is higher than a week ago.',
      metric: METRICS.sealedOverheadWeekChange,
      is: 'above',
      limit: round(OVERHEAD_RISE * codeOverhead),
      silence: 'unchanged',
    },
    {
      name: 'fill-shift',
      says: 'The distribution of volume fills is not that of a week ago: something new deletes, or compaction picks other volumes.',
      metric: METRICS.fillShift,
      is: 'above',
      limit: FILL_SHIFT_MAX,
      silence: 'unchanged',
    },
    {
      name: 'live-coder-underfilled',
      says: 'The Live Coder seals volumes that are not full: it makes the overhead that compaction then has to remove.',
      metric: METRICS.liveCoderFill,
      is: 'below',
      limit: SEALED_FILL_MIN,
      silence: 'unchanged',
    },
    {
      name: 'shred-overdue',
      says: 'Deleted data is not destroyed in time, or compaction that was begun makes no progress.',
      metric: METRICS.hoursOverdue,
      is: 'above',
      limit: OVERDUE_HOURS_MAX,
      silence: 'unchanged',
    },
    {
      name: 'hot-full',
      says: 'Hot volumes take nearly all they may: encoding does not keep up, and puts are about to be refused.',
      metric: HOT_METRICS.hotFullness,
      is: 'above',
      limit: HOT_FULLNESS_MAX,
      silence: 'good',
      isAtOnce: true,
    },
    {
      name: 'redundancy-low',
      says: 'Some volumes survive fewer losses than their code promises: a drive is gone or given up, or objects are damaged.',
      metric: KEEPING_METRICS.volumesAtRisk,
      is: 'above',
      limit: 0,
      silence: 'good',
    },
    {
      name: 'repair-behind',
      says: 'What is missing or to be moved has waited for longer than two days to be made again.',
      metric: KEEPING_METRICS.repairHoursWaiting,
      is: 'above',
      limit: REPAIR_WITHIN_MS / HOUR_MS,
      silence: 'good',
    },
  ];
}

/** What is worth its bill where metrics are paid by the hours they have data in. */
export function worthPutting(
  settings: Pick<Settings, 'warmCodec'>,
  metrics: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> {
  const limits = new Map(gaugeAlarmsOf(settings).map(({ metric, limit }) => [metric, limit]));
  const isWorth = ([name, value]: [string, number]): boolean =>
    !QUIET_METRICS.includes(name) || value >= (limits.get(name) ?? 0) / 2;
  return Object.fromEntries(Object.entries(metrics).filter(isWorth));
}

export interface FigureAlarm {
  readonly name: string;
  readonly text: string;
  readonly sinceMs: number;
}

/** Those that are alarms by now, of the last measurement. */
export function figureAlarms(
  settings: Pick<Settings, 'warmCodec'>,
  states: readonly { readonly name: string; readonly isFiring: boolean; readonly sinceMs: number }[],
): FigureAlarm[] {
  const alarms = gaugeAlarmsOf(settings);
  return states.flatMap(({ name, isFiring, sinceMs }) => {
    const says = alarms.find((alarm) => alarm.name === name)?.says;
    return isFiring && says !== undefined ? [{ name, text: says, sinceMs }] : [];
  });
}

/** 1.35 x 1.5 is not 2.0250000000000004. */
const round = (value: number): number => Number(value.toFixed(4));
