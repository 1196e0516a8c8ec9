// Reads of a group's directory from drives: from any column that lists the whole group, or else put together from the
// data columns.
import { codecShape } from '../../codec/shape.ts';
import { CHUNK_HEADER_BYTES, type ChunkHeader } from '../../format/chunk.ts';
import { type GroupEntry, parseGroupDirectory } from '../../format/group-directory.ts';
import { crcOf } from '../../format/wire.ts';
import { mapLimit } from '../../foundation/concurrency.ts';
import { corrupt } from '../../foundation/errors.ts';
import { COLUMNS_AT_ONCE } from '../../limits/reads.ts';
import type { VolumeRow } from '../../panda/rows/volume-row.ts';
import { ColumnFaults, columnFault } from './column-faults.ts';
import { type GroupPlace, type ReadPorts, readableFirst, readExactly, readHeader } from './read-column.ts';

/** What could be read of a group's directory. */
export interface GroupListing {
  readonly entries: readonly GroupEntry[];
  /** False if records of columns that failed may be missing. */
  readonly complete: boolean;
  /** Payload bytes of all columns; unknown if no header could be read. */
  readonly columnBytes: readonly number[] | undefined;
  readonly faults: ColumnFaults;
}

/** Columns whose chunk lists the whole group: parity, and every copy. */
function listingColumns(volume: VolumeRow): number[] {
  const { dataColumns, parityColumns } = codecShape(volume.codec);
  const first = dataColumns === 1 ? 0 : dataColumns;
  return Array.from({ length: dataColumns + parityColumns - first }, (_, i) => first + i);
}

export async function readGroupListing(ports: ReadPorts, place: GroupPlace): Promise<GroupListing> {
  const faults = new ColumnFaults(place.volume, ports.components.drives);
  for (const column of readableFirst(ports, place.volume, listingColumns(place.volume))) {
    try {
      const { entries, header } = await readListing(ports, place, column);
      return { entries, complete: true, columnBytes: header.columnBytes, faults };
    } catch (error) {
      faults.add(column, error);
    }
  }
  return fromDataColumns(ports, place, faults);
}

async function fromDataColumns(ports: ReadPorts, place: GroupPlace, faults: ColumnFaults): Promise<GroupListing> {
  const { dataColumns } = codecShape(place.volume.codec);
  if (dataColumns === 1) return { entries: [], complete: false, columnBytes: undefined, faults };
  const columns = Array.from({ length: dataColumns }, (_, column) => column);
  const parts = await mapLimit(columns, COLUMNS_AT_ONCE, async (column) => {
    try {
      return await readListing(ports, place, column);
    } catch (error) {
      return { error: columnFault(error) };
    }
  });
  const columnBytes = parts.map((part) => ('header' in part ? part.header.columnBytes : undefined)).find(Boolean);
  let complete = columnBytes !== undefined;
  const entries: GroupEntry[] = [];
  for (const [column, part] of parts.entries()) {
    if ('entries' in part) entries.push(...part.entries);
    else if (columnBytes?.[column] !== 0) {
      faults.add(column, part.error);
      complete = false;
    }
  }
  return { entries, complete, columnBytes, faults };
}

interface Listing {
  readonly header: ChunkHeader;
  readonly entries: readonly GroupEntry[];
}

/** The directory at the tail of one chunk. */
async function readListing(ports: ReadPorts, place: GroupPlace, column: number): Promise<Listing> {
  const header = await readHeader(ports, place, column);
  const range = {
    offset: CHUNK_HEADER_BYTES + (header.columnBytes[column] as number),
    length: header.directoryBytes,
  };
  const bytes = await readExactly(ports, place, column, range);
  if (crcOf(bytes) !== header.directoryCrc)
    throw corrupt('DIRECTORY_MALFORMED', `the checksum of the directory of column ${column} does not match`);
  return { header, entries: parseGroupDirectory(bytes, header) };
}

/**
 * Payload bytes of all columns, from the first header that can be read of the columns in this order; undefined if none
 * can.
 */
export async function readColumnBytes(
  ports: ReadPorts,
  place: GroupPlace,
  order: readonly number[],
): Promise<{ readonly columnBytes: readonly number[]; readonly column: number } | undefined> {
  for (const column of order) {
    try {
      const { columnBytes } = await readHeader(ports, place, column);
      return { columnBytes, column };
    } catch (error) {
      columnFault(error);
    }
  }
  return undefined;
}
