// zone/DRIVE | number: which volume an SMR zone belongs to. A zone that was never used has no row.
import type { DriveId, VolumeId } from '../../foundation/ids.ts';
import type { Attributes, Key, Row } from '../panda.ts';
import { countIn, optionalString, padded, wordIn } from './row-reader.ts';

export interface ZoneRow {
  readonly zone: number;
  /** Keys of older generations on the drive are garbage. */
  readonly generation: number;
  readonly state: 'used' | 'erasing' | 'free';
  readonly volume: VolumeId | undefined;
}

const ZONE_DIGITS = 7;
export const zonePartition = (drive: number | DriveId): string => `zone/${drive}`;
export const zoneKey = (drive: number | DriveId, zone: number): Key => ({
  partition: zonePartition(drive),
  sort: padded(zone, ZONE_DIGITS),
});
export const zoneFromRow = (row: Row): ZoneRow => ({
  zone: Number(row.sort),
  generation: countIn(row, 'g'),
  state: wordIn(row, 's', ['used', 'erasing', 'free'] as const),
  volume: optionalString(row, 'v') as VolumeId | undefined,
});
export const zoneAttributes = (zone: Omit<ZoneRow, 'zone'>): Attributes => ({
  g: zone.generation,
  s: zone.state,
  ...(zone.volume === undefined ? {} : { v: zone.volume }),
});
