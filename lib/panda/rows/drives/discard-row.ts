// discard | drive/zone/generation: an extent that a repair has replaced, or claimed and given up. The zone is used
// until the volume was seen whole without it; then it is erased like those of a volume in trash.
import type { VolumeId } from '../../../foundation/ids.ts';
import type { Attributes, Key, Row } from '../../panda.ts';
import { countIn, malformedRow, padded, stringIn, volumeIdIn } from '../row-reader.ts';
import type { Extent } from '../volume-row.ts';

export interface DiscardRow extends Extent {
  /** The volume it was an extent of, or was claimed for. */
  readonly volume: VolumeId;
  readonly sinceMs: number;
  /** Of the volume, which has it elsewhere; missing in rows of earlier releases. */
  readonly column?: number;
}

const DRIVE_DIGITS = 5;
const ZONE_DIGITS = 7;

export const discardPartition = 'discard';

export const discardKey = ({ drive, zone, zoneGeneration }: Extent): Key => ({
  partition: discardPartition,
  sort: `${padded(drive, DRIVE_DIGITS)}/${padded(zone, ZONE_DIGITS)}/${zoneGeneration}`,
});

export function discardFromRow(row: Row): DiscardRow {
  const [drive, zone, zoneGeneration] = row.sort.split('/').map(Number);
  if (![drive, zone, zoneGeneration].every((n) => Number.isSafeInteger(n)))
    malformedRow(row, 'it names no zone of a drive');
  return {
    drive: drive as number,
    zone: zone as number,
    zoneGeneration: zoneGeneration as number,
    volume: volumeIdIn(row, stringIn(row, 'v')),
    sinceMs: countIn(row, 'a'),
    ...(row.attributes['c'] === undefined ? {} : { column: countIn(row, 'c') }),
  };
}

export const discardAttributes = ({ volume, sinceMs, column }: Omit<DiscardRow, keyof Extent>): Attributes => ({
  v: volume,
  a: sinceMs,
  ...(column === undefined ? {} : { c: column }),
});
