// What the store knows of each of its drives, and what is still to be moved off those that are given up.
import type { Drive } from '../../drive/drive.ts';
import type { ErrorCode } from '../../foundation/error-codes.ts';
import type { DamageRow } from '../../panda/rows/damage-row.ts';
import type { DriveState } from '../../panda/rows/drives/drive-row.ts';
import type { VolumeRow } from '../../panda/rows/volume-row.ts';
import { holdsData } from '../../volume/check/look.ts';
import { type WorstLosses, worstLosses } from '../../volume/check/worst-loss.ts';
import type { Components } from '../../volume/rows/components.ts';
import { listDamage } from '../../volume/rows/damage.ts';
import { readDriveRows } from '../../volume/rows/drive-states.ts';
import { listVolumes } from '../../volume/rows/read-rows.ts';
import { driveError, isUnreadable } from '../status/drive-state.ts';

export interface DriveView {
  readonly drive: number;
  readonly label: string;
  readonly state: DriveState;
  readonly domain: string | undefined;
  readonly sinceMs: number | undefined;
  /** Why it does not answer now; undefined: it does. */
  readonly fault: ErrorCode | undefined;
  /** The same for people. */
  readonly why: string | undefined;
  /** It has not answered since, as far as the daemon looked. */
  readonly awaySinceMs: number | undefined;
  /** Columns of volumes on it that hold something. */
  readonly columns: number;
  readonly usedBytes: number;
  /** Objects on it that were found missing or wrong. */
  readonly damaged: number;
}

export interface DrivesReport {
  readonly drives: readonly DriveView[];
  /** Columns on drives that are lost or being emptied: what a repair moves. */
  readonly columnsToMove: number;
  readonly bytesToMove: number;
  /** What the next loss could cost. */
  readonly worst: WorstLosses;
}

export async function listDrives(components: Components): Promise<DrivesReport> {
  const rows = await readDriveRows(components);
  await components.findDrives?.();
  const volumes = (await listVolumes(components.panda, components.settings.cell, components.badRow)).filter(holdsData);
  const damage = await listDamage(components, components.badRow);
  const held = heldBy(volumes, damage);
  const drives = await Promise.all(
    components.drives.map(async (drive, id): Promise<DriveView> => {
      const row = rows.get(id);
      return {
        drive: id,
        label: drive.label,
        state: row?.state ?? 'active',
        domain: row?.domain,
        sinceMs: row?.sinceMs,
        ...(row?.state === 'retired' ? NO_FAULT : await faultOf(drive)),
        awaySinceMs: row?.away?.sinceMs,
        ...(held.get(id) ?? NOTHING),
      };
    }),
  );
  const leaving = drives.filter(({ state }) => state !== 'active');
  return {
    drives,
    columnsToMove: leaving.reduce((sum, { columns }) => sum + columns, 0),
    bytesToMove: leaving.reduce((sum, { usedBytes }) => sum + usedBytes, 0),
    worst: worstLosses({
      volumes: volumes.filter(({ buckets }) => buckets.size > 0),
      damage,
      drives: drives.filter((drive) => !isMissing(drive) && drive.state !== 'retired'),
      gone: new Set(drives.filter(isMissing).map(({ drive }) => drive)),
    }),
  };
}

const isMissing = ({ state, fault }: DriveView): boolean => state === 'lost' || isUnreadable(fault);

const NO_FAULT = { fault: undefined, why: undefined };

async function faultOf(drive: Drive): Promise<Pick<DriveView, 'fault' | 'why'>> {
  const error = await driveError(drive);
  return { fault: error?.code, why: error?.message };
}

type Held = Pick<DriveView, 'columns' | 'usedBytes' | 'damaged'>;
const NOTHING: Held = { columns: 0, usedBytes: 0, damaged: 0 };

/** Pure: what lies on each drive, in one pass over the volumes. */
function heldBy(volumes: readonly VolumeRow[], damage: readonly DamageRow[]): ReadonlyMap<number, Held> {
  const held = new Map<number, Held>();
  const add = (drive: number, more: Partial<Held>): void => {
    const { columns, usedBytes, damaged } = held.get(drive) ?? NOTHING;
    held.set(drive, {
      columns: columns + (more.columns ?? 0),
      usedBytes: usedBytes + (more.usedBytes ?? 0),
      damaged: damaged + (more.damaged ?? 0),
    });
  };
  const byId = new Map(volumes.map((volume) => [volume.id, volume]));
  for (const { extents, extentUsedBytes } of volumes)
    for (const [column, { drive }] of extents.entries())
      add(drive, { columns: 1, usedBytes: extentUsedBytes[column] ?? 0 });
  for (const { volume: id, generation, column } of damage) {
    const volume = byId.get(id);
    const extent = volume?.generation === generation ? volume.extents[column] : undefined;
    if (extent !== undefined) add(extent.drive, { damaged: 1 });
  }
  return held;
}
