// One chunk of a group made again, byte for byte as it was written: all headers of a group are equal but for column,
// directory and its checksum, and name the lengths and checksums of every column. So one header, enough columns and the
// directory of the whole group give every other chunk back.
import { crc32 } from 'node:zlib';
import { codecShape } from '../../codec/shape.ts';
import { type ChunkHeader, encodeChunkHeader } from '../../format/chunk.ts';
import { encodeGroupDirectory } from '../../format/group-directory.ts';
import { corrupt, isPocketfulError, missing } from '../../foundation/errors.ts';
import { ColumnFaults } from '../read/column-faults.ts';
import { chunkNameOf, type GroupPlace, readableFirst, readHeader } from '../read/read-column.ts';
import { readGroupListing } from '../read/read-directory.ts';
import { type RebuildStore, rebuildRange } from '../read/reconstruct.ts';

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
  const directory = await directoryFor(store, place, column);
  const { bytes: payload } = await rebuildRange(
    store,
    {
      place,
      column,
      offset: 0,
      length,
      what: `column ${column} of ${chunkNameOf(place)} in volume ${place.volume.id}`,
      check: (bytes) => (crc32(bytes) === header.columnCrcs[column] ? undefined : unlike(place, column)),
    },
    faults,
  );
  const own = encodeChunkHeader({
    ...header,
    column,
    directoryBytes: directory.length,
    directoryCrc: crc32(directory),
  });
  return [own, payload, directory];
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
