// Whether the store is being kept, as metrics: the figures of alarms.ts under the names that CloudWatch's alarms
// `redundancy-low` and `repair-behind` read. For both engines.
import type { Drive } from '../../drive/drive.ts';
import { HOUR_MS } from '../../foundation/durations.ts';
import { isKind } from '../../foundation/errors.ts';
import type { VolumeRow } from '../../panda/rows/volume-row.ts';
import { KEEPING_METRICS } from '../../settings/metric-names.ts';
import { holdsData } from '../../volume/check/look.ts';
import type { Components } from '../../volume/rows/components.ts';
import { listDamage } from '../../volume/rows/damage.ts';
import { isGone, readDriveRows } from '../../volume/rows/drive-states.ts';
import { careOf } from './alarms.ts';

export type Keeping = Readonly<Record<(typeof KEEPING_METRICS)[keyof typeof KEEPING_METRICS], number>>;

/** Of these volumes; drives that hold some of them are asked for an object that nobody has. */
export async function collectKeeping(components: Components, volumes: readonly VolumeRow[]): Promise<Keeping> {
  const drives = await readDriveRows(components);
  const used = new Set(volumes.filter(holdsData).flatMap(({ extents }) => extents.map(({ drive }) => drive)));
  const asked = [...used].filter((drive) => !isGone(drives, drive));
  const answers = await Promise.all(asked.map((drive) => answersReads(components.drives[drive])));
  const nowMs = Math.max(0, components.clock.nowMs());
  const { atRisk, repair } = careOf({
    nowMs,
    volumes,
    drives,
    damage: await listDamage(components, components.badRow),
    away: new Set(asked.filter((_, i) => answers[i] !== true)),
    takers: components.drives.length,
  });
  const waitedMs = repair.sinceMs === null ? 0 : Math.max(0, nowMs - repair.sinceMs);
  return {
    [KEEPING_METRICS.volumesAtRisk]: atRisk,
    [KEEPING_METRICS.repairHoursWaiting]: Math.round((waitedMs * 100) / HOUR_MS) / 100,
  };
}

/** A drive that is busy is there; one that says it has no such object is, too. */
async function answersReads(drive: Drive | undefined): Promise<boolean> {
  try {
    await drive?.read({ zone: 0, generation: 0 }, 'asked', { offset: 0, length: 1 });
    return drive !== undefined;
  } catch (error) {
    if (isKind(error, 'missing') || (isKind(error, 'retry') && error.code === 'DRIVE_BUSY')) return true;
    if (isKind(error, 'retry', 'denied')) return false;
    throw error;
  }
}
