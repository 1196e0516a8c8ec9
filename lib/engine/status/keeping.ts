// Whether the store is being kept: volumes that survive fewer losses than they should, and how long something has
// waited to be made again. The figures behind the alarms `redundancy-low` and `repair-behind`, for both engines.
import type { Drive } from '../../drive/drive.ts';
import { HOUR_MS } from '../../foundation/durations.ts';
import { isKind } from '../../foundation/errors.ts';
import type { DamageRow } from '../../panda/rows/damage-row.ts';
import type { VolumeRow } from '../../panda/rows/volume-row.ts';
import { KEEPING_METRICS } from '../../settings/metric-names.ts';
import { holdsData } from '../../volume/check/look.ts';
import { spareOf, volumeSpare } from '../../volume/check/redundancy.ts';
import { planOf } from '../../volume/repair/repair-store.ts';
import type { VolumeRepair } from '../../volume/repair/what-to-repair.ts';
import type { Components } from '../../volume/rows/components.ts';
import { listDamage } from '../../volume/rows/damage.ts';
import { type DriveRows, isGone, readDriveRows } from '../../volume/rows/drive-states.ts';

export interface KeepingFacts {
  readonly nowMs: number;
  readonly volumes: readonly VolumeRow[];
  readonly drives: DriveRows;
  readonly damage: readonly DamageRow[];
  /** Drives that cannot be read now, whatever is said of them. */
  readonly away: ReadonlySet<number>;
}

export type Keeping = Readonly<Record<(typeof KEEPING_METRICS)[keyof typeof KEEPING_METRICS], number>>;

/** Pure. */
export function keepingOf({ nowMs, volumes, drives, damage, away }: KeepingFacts): Keeping {
  const gone = new Set([...away, ...[...drives.keys()].filter((drive) => isGone(drives, drive))]);
  const byVolume = Map.groupBy(damage, ({ volume }) => volume);
  const isAtRisk = (volume: VolumeRow): boolean =>
    holdsData(volume) && volumeSpare(volume, byVolume.get(volume.id) ?? [], gone) < spareOf(volume.codec);
  const waits = planOf(volumes, drives, damage).repairs.map((repair) => waitMs(repair, nowMs, drives, damage));
  return {
    [KEEPING_METRICS.volumesAtRisk]: volumes.filter(isAtRisk).length,
    [KEEPING_METRICS.repairHoursWaiting]: Math.round((Math.max(0, ...waits) * 100) / HOUR_MS) / 100,
  };
}

/** Since its drive was given up, or the first of its objects was found damaged. */
function waitMs(
  { volume, columns }: VolumeRepair,
  nowMs: number,
  drives: DriveRows,
  damage: readonly DamageRow[],
): number {
  const since = columns.flatMap(({ column, reason }) => {
    if (reason.code !== 'OBJECTS_DAMAGED') return drives.get(volume.extents[column]?.drive ?? -1)?.sinceMs ?? nowMs;
    return damage.filter((row) => row.volume === volume.id && row.column === column).map(({ sinceMs }) => sinceMs);
  });
  return nowMs - Math.min(nowMs, ...since);
}

/** Of these volumes; drives that hold some of them are asked for an object that nobody has. */
export async function collectKeeping(components: Components, volumes: readonly VolumeRow[]): Promise<Keeping> {
  const drives = await readDriveRows(components);
  const used = new Set(volumes.filter(holdsData).flatMap(({ extents }) => extents.map(({ drive }) => drive)));
  const asked = [...used].filter((drive) => !isGone(drives, drive));
  const answers = await Promise.all(asked.map((drive) => answersReads(components.drives[drive])));
  return keepingOf({
    nowMs: Math.max(0, components.clock.nowMs()),
    volumes,
    drives,
    damage: await listDamage(components, components.badRow),
    away: new Set(asked.filter((_, i) => answers[i] !== true)),
  });
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
