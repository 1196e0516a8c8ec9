// The five gauges of a stage, pure: from volumes, journals and the row of a week ago. What cannot be said yet is left
// out.

import type { JournalRow } from '../../compaction/run/journal-row.ts';
import { DAY_MS, HOUR_MS } from '../../foundation/durations.ts';
import { DRAIN_MS_MAX, RUN_MS_MAX, SEALED_VOLUMES_MIN, SHRED_MS_MAX } from '../../limits/compaction.ts';
import type { HotPressure } from '../../live-coder/hot-pressure.ts';
import type { VolumeRow } from '../../panda/rows/volume-row.ts';
import { HOT_METRICS, METRICS } from '../../settings/metric-names.ts';
import type { Settings } from '../../settings/settings.ts';
import type { Status } from './status.ts';

export interface DailyFigures {
  readonly overhead: number | undefined;
  readonly fillHistogram: readonly number[];
}

export interface GaugeFacts {
  readonly nowMs: number;
  readonly settings: Settings;
  readonly status: Pick<Status, 'overhead' | 'fillHistogram'>;
  readonly volumes: readonly VolumeRow[];
  readonly journals: readonly (Pick<JournalRow, 'startedAtMs' | 'progressAtMs'> & {
    readonly task: Pick<JournalRow['task'], 'strategy'>;
  })[];
  /** Of the block that waits longest for GC. */
  readonly oldestTrashMs: number | undefined;
  readonly weekAgo: DailyFigures | undefined;
}

/** From the share on from which encoding cannot wait: below, nobody need look at it. */
export function hotGauges({ share, isHigh }: HotPressure): Record<string, number> {
  return isHigh ? { [HOT_METRICS.hotFullness]: Math.round(share * 1e4) / 1e4 } : {};
}

export function gaugesOf(facts: GaugeFacts): Record<string, number> {
  const { status, weekAgo } = facts;
  const overhead = sealedOverhead(status);
  const fill = coderFill(facts);
  const shift = weekAgo === undefined ? undefined : shiftOf(weekAgo.fillHistogram, status.fillHistogram);
  const gauges: Record<string, number | undefined> = {
    [METRICS.sealedOverhead]: overhead,
    [METRICS.sealedOverheadWeekChange]:
      overhead === undefined || weekAgo?.overhead === undefined ? undefined : overhead - weekAgo.overhead,
    [METRICS.fillShift]: shift,
    [METRICS.liveCoderFill]: fill,
    [METRICS.hoursOverdue]: hoursOverdue(facts),
  };
  const known = Object.entries(gauges).filter((entry): entry is [string, number] => entry[1] !== undefined);
  return Object.fromEntries(known.map(([name, value]) => [name, Math.round(value * 1e4) / 1e4]));
}

/** Raw bytes allocated per live byte; undefined where too little is sealed to say. */
export function sealedOverhead({ overhead }: Pick<Status, 'overhead'>): number | undefined {
  const { sealed } = overhead;
  return sealed.volumes < SEALED_VOLUMES_MIN ? undefined : (sealed.allocated ?? undefined);
}

/** Total variation: the part of one distribution that would have to be moved to make it the other. */
function shiftOf(before: readonly number[], after: readonly number[]): number | undefined {
  const sums = [before, after].map((bins) => bins.reduce((sum, count) => sum + count, 0)) as [number, number];
  if (sums[0] < SEALED_VOLUMES_MIN || sums[1] < SEALED_VOLUMES_MIN) return undefined;
  const apart = after.reduce((sum, count, i) => sum + Math.abs(count / sums[1] - (before[i] ?? 0) / sums[0]), 0);
  return apart / 2;
}

/** Used part of what the Live Coder sealed in the last day. */
function coderFill({ nowMs, settings, volumes }: GaugeFacts): number | undefined {
  const sealed = volumes.filter(
    ({ class: cls, state, sealedAtMs = 0 }) =>
      cls === 'warm' && (state === 'sealed' || state === 'draining') && nowMs - sealedAtMs <= DAY_MS,
  );
  if (sealed.length === 0) return undefined;
  const used = sealed.flatMap(({ extentUsedBytes }) => extentUsedBytes).reduce((sum, bytes) => sum + bytes, 0);
  return used / sealed.reduce((sum, { extents }) => sum + extents.length * settings.extentBytes, 0);
}

function hoursOverdue({ nowMs, settings, journals, oldestTrashMs }: GaugeFacts): number {
  const late = journals.map(
    ({ startedAtMs, progressAtMs = startedAtMs, task }) =>
      nowMs - progressAtMs - (task.strategy === 'l3' ? DRAIN_MS_MAX : RUN_MS_MAX),
  );
  if (oldestTrashMs !== undefined) late.push(nowMs - oldestTrashMs - settings.deleteGraceMs - SHRED_MS_MAX);
  return Math.max(0, ...late) / HOUR_MS;
}
