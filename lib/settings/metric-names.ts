// The custom metrics of a stage (metrics are the bill of a small one): put by the threshold tuner, watched by alarms.
// Both take the names from here, so that a rename cannot silence an alarm.

export const METRIC_NAMESPACE = 'Pocketful';
export const STAGE_DIMENSION = 'Stage';

export const METRICS = {
  sealedOverhead: 'SealedOverhead',
  sealedOverheadWeekChange: 'SealedOverheadWeekChange',
  fillShift: 'FillShift',
  liveCoderFill: 'LiveCoderFill',
  hoursOverdue: 'HoursOverdue',
} as const;

/** Put on a stage only from half of what is an alarm on: they say how much something has changed. */
export const QUIET_METRICS: readonly string[] = [METRICS.sealedOverheadWeekChange, METRICS.fillShift];

/** Put only from a half on. */
export const HOT_METRICS = { hotFullness: 'HotFullness' } as const;

/** Put only while they are above zero: CloudWatch bills a metric by the hours that it has data in. */
export const KEEPING_METRICS = {
  volumesAtRisk: 'VolumesAtRisk',
  repairHoursWaiting: 'RepairHoursWaiting',
} as const;
