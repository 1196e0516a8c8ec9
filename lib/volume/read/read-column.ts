// Reads of single columns: ranges, headers and whole chunks of a group, each checked as far as it can be on its own,
// and what they say about the drive.
import type { ByteRange } from '../../drive/drive.ts';
import { driveUnavailable } from '../../drive/errors.ts';
import {
  CHUNK_HEADER_BYTES,
  type ChunkHeader,
  checkChunkIdentity,
  chunkName,
  parseChunkHeader,
} from '../../format/chunk.ts';
import { crcOf } from '../../format/wire.ts';
import type { ErrorCode } from '../../foundation/error-codes.ts';
import { corrupt, isKind } from '../../foundation/errors.ts';
import type { Extent, VolumeRow } from '../../panda/rows/volume-row.ts';
import type { Components } from '../rows/components.ts';
import type { DriveHealth } from '../rows/drive-health.ts';

export interface ReadPorts {
  readonly components: Components;
  readonly health: DriveHealth;
}

/** A group, wherever its volume lies now. */
export interface GroupPlace {
  readonly volume: VolumeRow;
  readonly sequence: number;
  readonly token: number;
}

/** Faults that keep a drive from being written do not keep it from being read. */
const WRITE_FAULTS = new Set<ErrorCode>(['DRIVE_FULL', 'DRIVE_READ_ONLY']);

export function isReadable(health: DriveHealth, drive: number): boolean {
  const fault = health.fault(drive);
  return fault === undefined || WRITE_FAULTS.has(fault);
}

/** The columns in the order given, those on drives believed healthy first. */
export function readableFirst({ health }: ReadPorts, volume: VolumeRow, columns: readonly number[]): number[] {
  const isGood = (column: number): boolean => isReadable(health, extentOf(volume, column).drive);
  return [...columns.filter(isGood), ...columns.filter((column) => !isGood(column))];
}

export const extentOf = (volume: VolumeRow, column: number): Extent => volume.extents[column] as Extent;

/** An object of a volume's column, or a range of it; tells DriveHealth how it went. */
export async function readObject(
  { components, health }: ReadPorts,
  volume: VolumeRow,
  column: number,
  name: string,
  range?: ByteRange,
): Promise<Uint8Array> {
  const { drive: id, zone, zoneGeneration } = extentOf(volume, column);
  const drive = components.drives[id];
  if (drive === undefined) throw driveUnavailable(`drive ${id}`, 'it is not among the drives of this store');
  try {
    const bytes = await drive.read({ zone, generation: zoneGeneration }, name, range);
    if (!isReadable(health, id)) health.worked(id);
    return bytes;
  } catch (error) {
    // A drive that says what it does not have works.
    if (isKind(error, 'missing') && !isReadable(health, id)) health.worked(id);
    else health.failed(id, error);
    throw error;
  }
}

/** Name of the objects of a group's columns. */
export const chunkNameOf = (place: GroupPlace): string => chunkName(place.sequence, place.token);

/** `length` bytes of a column's payload from `offset`; not yet known to be the right ones. */
export async function readPayload(
  ports: ReadPorts,
  place: GroupPlace,
  column: number,
  offset: number,
  length: number,
): Promise<Uint8Array> {
  const range = { offset: CHUNK_HEADER_BYTES + offset, length };
  return readObject(ports, place.volume, column, chunkNameOf(place), range);
}

/** A range of the whole object, of exactly the length asked. */
export async function readExactly(
  ports: ReadPorts,
  place: GroupPlace,
  column: number,
  range: ByteRange,
): Promise<Uint8Array> {
  const bytes = await readObject(ports, place.volume, column, chunkNameOf(place), range);
  if (bytes.length < range.length) throw truncated(place, column, range, bytes.length);
  return bytes;
}

export const truncated = (place: GroupPlace, column: number, range: ByteRange, bytes: number) =>
  corrupt(
    'CHUNK_TRUNCATED',
    `column ${column} of ${chunkNameOf(place)} in volume ${place.volume.id}: ${bytes} of ${range.length} bytes at ${range.offset}`,
  );

/** The header of a column's chunk, checked to be of this group. */
export async function readHeader(ports: ReadPorts, place: GroupPlace, column: number): Promise<ChunkHeader> {
  const head = await readExactly(ports, place, column, { offset: 0, length: CHUNK_HEADER_BYTES });
  return ownHeader(ports, place, column, parseChunkHeader(head));
}

/** The header, if it is that of this column of this group. */
export function ownHeader(ports: ReadPorts, place: GroupPlace, column: number, header: ChunkHeader): ChunkHeader {
  checkChunkIdentity(header, identityOf(ports, place, column));
  if (header.codec !== place.volume.codec)
    throw corrupt('CHUNK_FOREIGN', `chunk is of codec ${header.codec}, its volume of ${place.volume.codec}`);
  return header;
}

/** A column's whole payload, its checksum verified. A damaged directory behind it does no harm here. */
export async function readSoundPayload(ports: ReadPorts, place: GroupPlace, column: number): Promise<Uint8Array> {
  const bytes = await readObject(ports, place.volume, column, chunkNameOf(place));
  const { columnBytes, columnCrcs } = ownHeader(ports, place, column, parseChunkHeader(bytes));
  const range = { offset: CHUNK_HEADER_BYTES, length: columnBytes[column] as number };
  const payload = bytes.subarray(range.offset, range.offset + range.length);
  if (payload.length < range.length) throw truncated(place, column, range, payload.length);
  if (crcOf(payload) !== columnCrcs[column])
    throw corrupt('CHUNK_MALFORMED', `chunk is malformed: the checksum of column ${column} does not match`);
  return payload;
}

const identityOf = ({ components }: ReadPorts, { volume, sequence, token }: GroupPlace, column: number) => ({
  storeId: components.storeId,
  volumeId: volume.id,
  generation: volume.generation,
  sequence,
  token,
  column,
});
