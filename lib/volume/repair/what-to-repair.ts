// Which columns of a volume are to be made again, and where: elsewhere, or in the place they have. Pure.
import type { Reason } from '../../foundation/reason.ts';
import type { DamageRow } from '../../panda/rows/damage-row.ts';
import type { DriveRow } from '../../panda/rows/drives/drive-row.ts';
import type { VolumeRow } from '../../panda/rows/volume-row.ts';
import { columnsOn, spareOf } from '../check/redundancy.ts';

export interface ColumnRepair {
  readonly column: number;
  /**
   * move: all of the column on another drive. fill: what is missing where it was; nothing else may be written there, as
   * objects cannot be overwritten.
   */
  readonly how: 'move' | 'fill';
  readonly reason: Reason;
}

export interface VolumeRepair {
  readonly volume: VolumeRow;
  readonly columns: readonly ColumnRepair[];
  /** Further losses it certainly survives as it is; -1: some of it cannot be read now. */
  readonly spare: number;
  /** Stored in the columns that are to be made again. */
  readonly bytes: number;
}

type Found = Pick<DamageRow, 'volume' | 'generation' | 'column' | 'kind' | 'part'>;

/** Undefined if nothing is to be done about the volume. */
export function repairOf(
  volume: VolumeRow,
  drives: ReadonlyMap<number, DriveRow>,
  damage: readonly Found[],
): VolumeRepair | undefined {
  const columns = volume.extents.flatMap(({ drive }, column): ColumnRepair[] => {
    const state = drives.get(drive)?.state ?? 'active';
    if (state === 'lost' || state === 'retired')
      return [{ column, how: 'move', reason: { code: 'DRIVE_LOST', text: `drive ${drive} is lost` } }];
    if (state === 'draining')
      return [{ column, how: 'move', reason: { code: 'DRIVE_DRAINING', text: `drive ${drive} is being emptied` } }];
    return damaged(volume, column, damage);
  });
  if (columns.length === 0) return undefined;
  const gone = new Set([...drives.values()].filter(({ state }) => state === 'lost').map(({ drive }) => drive));
  const lost = columnsOn(volume, gone);
  const wrong = columns.filter(({ reason }) => reason.code === 'OBJECTS_DAMAGED').map(({ column }) => column);
  return {
    volume,
    columns,
    spare: spareOf(volume.codec, [...lost, ...wrong]),
    bytes: columns.reduce((sum, { column }) => sum + (volume.extentUsedBytes[column] ?? 0), 0),
  };
}

function damaged(volume: VolumeRow, column: number, damage: readonly Found[]): ColumnRepair[] {
  const own = damage.filter(
    (found) => found.volume === volume.id && found.generation === volume.generation && found.column === column,
  );
  if (own.length === 0) return [];
  const isMissing = own.every(({ kind }) => kind === 'missing');
  const text = `${own.length} of its objects ${isMissing ? 'are missing' : 'are not as they were written'}`;
  return [{ column, how: isMissing ? 'fill' : 'move', reason: { code: 'OBJECTS_DAMAGED', text } }];
}

/** What survives least comes first, and of those the smallest. */
export const byNeed = (a: VolumeRepair, b: VolumeRepair): number =>
  a.spare - b.spare || a.bytes - b.bytes || (a.volume.id < b.volume.id ? -1 : 1);
