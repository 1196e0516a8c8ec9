// One volume for whoever looks at it: what it is, where each of its columns lies, what it survives.
import { codecShape } from '../../codec/shape.ts';
import { missing } from '../../foundation/errors.ts';
import { given } from '../../foundation/given.ts';
import type { VolumeId } from '../../foundation/ids.ts';
import type { Lane } from '../../foundation/lane.ts';
import { bucketFromRow, bucketKey } from '../../panda/rows/bucket-row.ts';
import type { DriveState } from '../../panda/rows/drives/drive-row.ts';
import type { VolumeRow } from '../../panda/rows/volume-row.ts';
import { capacityBytes } from '../../settings/settings.ts';
import { spareOf, volumeSpare } from '../../volume/check/redundancy.ts';
import type { Components } from '../../volume/rows/components.ts';
import { readDamage } from '../../volume/rows/damage.ts';
import { isGone, readDriveRows } from '../../volume/rows/drive-states.ts';
import { readVolume, rowsAt } from '../../volume/rows/read-rows.ts';

export interface ColumnView {
  readonly column: number;
  readonly isData: boolean;
  readonly drive: number;
  readonly label: string;
  readonly driveState: DriveState;
  readonly zone: number;
  readonly usedBytes: number;
  /** Objects of it that were found missing or wrong. */
  readonly damaged: number;
}

export interface VolumeView
  extends Pick<
    VolumeRow,
    'id' | 'class' | 'codec' | 'state' | 'generation' | 'revision' | 'createdAtMs' | 'sealedAtMs' | 'run'
  > {
  /** Missing: it is shared by all that is not kept apart. */
  readonly lane?: Lane;
  readonly buckets: number;
  readonly liveBytes: number;
  readonly capacityBytes: number;
  /** Columns that it certainly survives losing, by what is known of its drives and damage; below 0: too late. */
  readonly spare: number;
  /** What its code promises. */
  readonly spareOf: number;
  readonly columns: readonly ColumnView[];
}

/** Throws `missing` VOLUME_UNKNOWN. */
export async function viewVolume(components: Components, id: VolumeId): Promise<VolumeView> {
  const { panda, settings } = components;
  const volume = await readVolume(panda, settings.cell, id);
  if (volume === undefined) throw missing('VOLUME_UNKNOWN', `no volume ${id} in cell ${settings.cell}`);
  const keys = [...volume.buckets].map((bucket) => bucketKey(settings.cell, bucket));
  const buckets = (await rowsAt(panda, keys)).flatMap((row) => (row === undefined ? [] : [bucketFromRow(row)]));
  const drives = await readDriveRows(components);
  const damage = await readDamage(components, id, components.badRow);
  const gone = new Set(volume.extents.map(({ drive }) => drive).filter((drive) => isGone(drives, drive)));
  const { dataColumns } = codecShape(volume.codec);
  const { class: cls, codec, state, generation, revision, createdAtMs, sealedAtMs, run } = volume;
  return {
    ...{ id, class: cls, codec, state, generation, revision, createdAtMs, sealedAtMs, run },
    ...given({ lane: volume.lane }),
    buckets: volume.buckets.size,
    liveBytes: buckets.reduce((sum, { liveBytes }) => sum + liveBytes, 0),
    capacityBytes: capacityBytes(settings, codec),
    spare: volumeSpare(volume, damage, gone),
    spareOf: spareOf(codec),
    columns: volume.extents.map(({ drive, zone }, column) => ({
      ...{ column, drive, zone, isData: column < dataColumns },
      label: components.drives[drive]?.label ?? `drive ${drive}`,
      driveState: drives.get(drive)?.state ?? 'active',
      usedBytes: volume.extentUsedBytes[column] ?? 0,
      damaged: damage.filter((row) => row.generation === generation && row.column === column).length,
    })),
  };
}
