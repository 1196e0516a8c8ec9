// Whether the store is being kept, as metrics: the figures of alarms.ts under the names that CloudWatch's alarms
// `redundancy-low` and `repair-behind` read. For both engines.
import type { Drive } from '../../drive/drive.ts';
import { HOUR_MS } from '../../foundation/durations.ts';
import type { ErrorCode } from '../../foundation/error-codes.ts';
import type { VolumeRow } from '../../panda/rows/volume-row.ts';
import { KEEPING_METRICS } from '../../settings/metric-names.ts';
import { holdsData } from '../../volume/check/look.ts';
import type { Components } from '../../volume/rows/components.ts';
import { listDamage } from '../../volume/rows/damage.ts';
import { isGone, readDriveRows } from '../../volume/rows/drive-states.ts';
import { type CareStatus, careOf } from './alarms.ts';
import { readFault } from './drive-state.ts';

export type Keeping = Readonly<Record<(typeof KEEPING_METRICS)[keyof typeof KEEPING_METRICS], number>>;

/** Of these volumes; drives that hold some of them are asked for an object that nobody has. */
export async function collectKeeping(components: Components, volumes: readonly VolumeRow[]): Promise<Keeping> {
  const drives = await readDriveRows(components);
  const used = new Set(volumes.filter(holdsData).flatMap(({ extents }) => extents.map(({ drive }) => drive)));
  const asked = [...used].filter((drive) => !isGone(drives, drive));
  const answers = await Promise.all(asked.map((drive) => faultAt(components.drives[drive])));
  const nowMs = Math.max(0, components.clock.nowMs());
  const care = careOf({
    nowMs,
    volumes,
    drives,
    damage: await listDamage(components, components.badRow),
    away: new Set(asked.filter((_, i) => answers[i] !== undefined)),
    takers: components.drives.length,
  });
  return keepingOf(care, nowMs);
}

/** Pure: the same of what is known of it already. */
export function keepingOf({ atRisk, repair }: CareStatus, nowMs: number): Keeping {
  const waitedMs = repair.sinceMs === null ? 0 : Math.max(0, nowMs - repair.sinceMs);
  return {
    [KEEPING_METRICS.volumesAtRisk]: atRisk,
    [KEEPING_METRICS.repairHoursWaiting]: Math.round((waitedMs * 100) / HOUR_MS) / 100,
  };
}

const faultAt = async (drive: Drive | undefined): Promise<ErrorCode | undefined> =>
  drive === undefined ? 'DRIVE_UNAVAILABLE' : readFault(drive);
