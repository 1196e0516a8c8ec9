// One chunk of a group made again, byte for byte as it was written: all headers of a group are equal but for column,
// directory and its checksum, and name the lengths and checksums of every column. So one header, enough columns and the
// directory of the whole group give every other chunk back.
import { crc32 } from 'node:zlib';
import { codecShape } from '../../codec/shape.ts';
import { type ChunkHeader, encodeChunkHeader } from '../../format/chunk.ts';
import { encodeGroupDirectory } from '../../format/group-directory.ts';
import { corrupt, isPocketfulError, missing } from '../../foundation/errors.ts';
import { REPAIR_WINDOW_BYTES } from '../../limits/reads.ts';
import { ColumnFaults } from '../read/column-faults.ts';
import { chunkNameOf, type GroupPlace, readableFirst, readHeader } from '../read/read-column.ts';
import { readGroupListing } from '../read/read-directory.ts';
import { both, type RebuildStore, rebuildRange } from '../read/reconstruct.ts';

/** Parts of the object, for `append`; undefined for an empty column, which has none. Throws RecordLost. */
export async function remakeChunk(
  store: RebuildStore,
  place: GroupPlace,
  column: number,
): Promise<readonly Uint8Array[] | undefined> {
  const faults = new ColumnFaults(place.volume, store.components.drives);
  const header = await anyHeader(store, place, column, faults);
  const length = header.columnBytes[column] as number;
  if (length === 0) return undefined;
  const windows = inWindows(store, place, column, header, faults);
  const [directory, made] = await both(directoryFor(store, place, column), windows);
  const payload = made ?? (await inOne(store, place, column, header, faults));
  const own = encodeChunkHeader({
    ...header,
    column,
    directoryBytes: directory.length,
    directoryCrc: crc32(directory),
  });
  return [own, payload, directory];
}

const whatOf = (place: GroupPlace, column: number): string =>
  `column ${column} of ${chunkNameOf(place)} in volume ${place.volume.id}`;

/**
 * Window by window, so that few bytes of the other columns are in memory at a time, and those in the processor's own.
 * Undefined if what came of it is not what was written: some column lies.
 */
async function inWindows(
  store: RebuildStore,
  place: GroupPlace,
  column: number,
  { columnBytes, columnCrcs }: ChunkHeader,
  faults: ColumnFaults,
): Promise<Uint8Array | undefined> {
  const payload = Buffer.allocUnsafeSlow(columnBytes[column] as number);
  let crc = 0;
  for (let offset = 0; offset < payload.length; offset += REPAIR_WINDOW_BYTES) {
    const length = Math.min(REPAIR_WINDOW_BYTES, payload.length - offset);
    const what = whatOf(place, column);
    const { bytes } = await rebuildRange(store, { place, column, offset, length, what, check: passes }, faults);
    payload.set(bytes, offset);
    crc = crc32(bytes, crc);
  }
  return crc === columnCrcs[column] ? payload : undefined;
}

/** A window cannot be told from what was written: the whole can. */
const passes = (): undefined => undefined;

/** From whole columns, if it has to be: each is held against its own checksum then. */
async function inOne(
  store: RebuildStore,
  place: GroupPlace,
  column: number,
  { columnBytes, columnCrcs }: ChunkHeader,
  faults: ColumnFaults,
): Promise<Uint8Array> {
  const check = (bytes: Uint8Array) => (crc32(bytes) === columnCrcs[column] ? undefined : unlike(place, column));
  const length = columnBytes[column] as number;
  const task = { place, column, offset: 0, length, what: whatOf(place, column), check };
  return (await rebuildRange(store, task, faults)).bytes;
}

const unlike = (place: GroupPlace, column: number) =>
  corrupt('CHUNK_MALFORMED', `column ${column} of ${chunkNameOf(place)}: what was rebuilt is not what was written`);

/** Of another column: what it says of the group holds for all. The column itself counts as failed. */
async function anyHeader(
  store: RebuildStore,
  place: GroupPlace,
  column: number,
  faults: ColumnFaults,
): Promise<ChunkHeader> {
  faults.add(column, missing('CHUNK_MISSING', 'it is to be made again'));
  const others = place.volume.extents.map((_, other) => other).filter((other) => other !== column);
  // Parity is never empty, and its header is read with the rest of it.
  const failed = new ColumnFaults(place.volume, store.components.drives);
  for (const other of readableFirst(store, place.volume, others.reverse())) {
    try {
      return await readHeader(store, place, other);
    } catch (error) {
      if (!isPocketfulError(error)) throw error;
      failed.add(other, error);
    }
  }
  throw failed.lost(`group ${chunkNameOf(place)} of volume ${place.volume.id}`);
}

/** The bytes of a directory depend on the set of its entries only. */
async function directoryFor(store: RebuildStore, place: GroupPlace, column: number): Promise<Uint8Array> {
  const listing = await readGroupListing(store, place);
  if (!listing.complete)
    throw listing.faults.lost(`the directory of ${chunkNameOf(place)} in volume ${place.volume.id}`);
  const { dataColumns } = codecShape(place.volume.codec);
  const isOwn = column < dataColumns && dataColumns > 1;
  return encodeGroupDirectory(isOwn ? listing.entries.filter((entry) => entry.column === column) : listing.entries);
}
