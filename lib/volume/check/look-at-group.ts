// The chunks of one group that must exist: there, as long as they must be and, if asked, each read whole and held
// against the others.
import type { ChunkHeader } from '../../format/chunk.ts';
import { mapLimit } from '../../foundation/concurrency.ts';
import { SCRUBBED_COLUMNS_AT_ONCE } from '../../limits/verify.ts';
import type { VolumeRow } from '../../panda/rows/volume-row.ts';
import { chunkNameOf, type GroupPlace, type ReadPorts } from '../read/read-column.ts';
import { readGroupListing } from '../read/read-directory.ts';
import { checkColumn, type Fault, faultOf } from './check-object.ts';
import type { ColumnListing } from './listing.ts';
import { bytesByDirectory, bytesByRow, type NamedGroup, type ObjectBytes } from './must-exist.ts';
import type { LookOptions, PartLook } from './part-look.ts';

const MISSING: Fault = { kind: 'missing', reason: 'CHUNK_MISSING' };
const SHORT: Fault = { kind: 'short', reason: 'CHUNK_TRUNCATED' };
const TOO_LONG: Fault = { kind: 'wrong', reason: 'CHUNK_MALFORMED' };
const OF_ANOTHER: Fault = { kind: 'foreign', reason: 'CHUNK_FOREIGN' };

export async function lookAtGroup(
  ports: ReadPorts,
  volume: VolumeRow,
  group: NamedGroup,
  listings: readonly ColumnListing[],
  { read, readColumns }: LookOptions,
): Promise<PartLook> {
  const place = { volume, sequence: group.seq, token: group.token };
  const faults = new Map<number, Fault>();
  const unread = new Set(listings.flatMap(({ objects }, column) => (objects === undefined ? [column] : [])));
  const sizes = listings.map(({ objects }) => objects?.get(chunkNameOf(place)));
  const expected = read
    ? await readAll(ports, place, group, sizes, faults, unread)
    : await expectedBytes(ports, place, group, faults);
  if (!read && readColumns !== undefined) await readSome(ports, place, readColumns, sizes, faults, unread);
  const stored: number[] = [];
  for (const [column, size] of sizes.entries()) {
    const bytes = expected[column];
    if (bytes === 0 && size === undefined) continue;
    stored.push(column);
    if (unread.has(column) || faults.get(column)?.kind === 'foreign') continue;
    const fault = faultOfSize(size, bytes);
    if (fault !== undefined) faults.set(column, fault);
  }
  return { part: group.seq, stored, faults, unread: [...unread].filter((column) => stored.includes(column)) };
}

/** `bytes`: what there must be; unknown where nothing tells. */
function faultOfSize(size: number | undefined, bytes: number | undefined): Fault | undefined {
  if (size === undefined) return MISSING;
  if (bytes === 0) return OF_ANOTHER; // an empty column is not stored
  if (bytes === undefined || size === bytes) return undefined;
  return size < bytes ? SHORT : TOO_LONG;
}

/**
 * From the row where it tells everything, else from the directory of the group; what fails on the way is damage, too.
 */
async function expectedBytes(
  ports: ReadPorts,
  place: GroupPlace,
  group: NamedGroup,
  faults: Map<number, Fault>,
): Promise<ObjectBytes> {
  const byRow = bytesByRow(place.volume, group);
  if (!byRow.includes(undefined)) return byRow;
  const listing = await readGroupListing(ports, place);
  for (const [column, error] of listing.faults.entries) {
    const fault = faultOf(error);
    if (fault !== undefined) faults.set(column, fault);
  }
  if (listing.complete && listing.columnBytes !== undefined)
    return bytesByDirectory(place.volume, listing.columnBytes, listing.entries);
  const columnBytes = group.columnBytes ?? listing.columnBytes;
  return byRow.map((bytes, column) => bytes ?? (columnBytes?.[column] === 0 ? 0 : undefined));
}

/** Reads the chunks of these columns, each held against its own header and the place it lies in. */
async function readSome(
  ports: ReadPorts,
  place: GroupPlace,
  columns: ReadonlySet<number>,
  sizes: readonly (number | undefined)[],
  faults: Map<number, Fault>,
  unread: Set<number>,
): Promise<void> {
  for (const column of columns) {
    if (sizes[column] === undefined) continue;
    try {
      await checkColumn(ports, place, column);
    } catch (error) {
      const fault = faultOf(error);
      if (fault === undefined) unread.add(column);
      else faults.set(column, fault);
    }
  }
}

/** Reads every chunk. Those that say of their group what most of the others do not say are of another. */
async function readAll(
  ports: ReadPorts,
  place: GroupPlace,
  group: NamedGroup,
  sizes: readonly (number | undefined)[],
  faults: Map<number, Fault>,
  unread: Set<number>,
): Promise<ObjectBytes> {
  const headers = new Map<number, ChunkHeader>();
  await mapLimit([...sizes.entries()], SCRUBBED_COLUMNS_AT_ONCE, async ([column, size]) => {
    if (size === undefined) return;
    try {
      headers.set(column, await checkColumn(ports, place, column));
    } catch (error) {
      const fault = faultOf(error);
      if (fault === undefined) unread.add(column);
      else faults.set(column, fault);
    }
  });
  const inOrder = [...headers].sort(([a], [b]) => a - b).map(([, header]) => header);
  const agreed = agreedHeader(inOrder, group);
  for (const [column, header] of headers)
    if (agreed !== undefined && groupText(header) !== groupText(agreed)) faults.set(column, OF_ANOTHER);
  const columnBytes = agreed?.columnBytes ?? group.columnBytes;
  // What was read whole is as long as it says; only what is not there is left to tell.
  return sizes.map((_, column) => (columnBytes?.[column] === 0 ? 0 : undefined));
}

/** What all chunks of a group have in common. */
const groupText = ({ appendId, kind, codec, columnBytes, columnCrcs }: ChunkHeader): string =>
  [appendId, kind, codec, columnBytes, columnCrcs].join('/');

/** What most chunks say, and of two equally many that which the group's row says. */
function agreedHeader(headers: readonly ChunkHeader[], { columnBytes }: NamedGroup): ChunkHeader | undefined {
  const byText = [...Map.groupBy(headers, groupText).values()];
  const isOfRow = (header: ChunkHeader | undefined): number =>
    columnBytes !== undefined && header?.columnBytes.join() === columnBytes.join() ? 1 : 0;
  return byText.sort((a, b) => b.length - a.length || isOfRow(b[0]) - isOfRow(a[0]))[0]?.[0];
}
