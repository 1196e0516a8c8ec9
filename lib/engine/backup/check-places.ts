// After a plain restore: does what the drives hold fit what the rows say? By listings and, at most, a header a group,
// so it is cheap: a bucket whose group cannot be decoded from the drives that are there was moved, or erased, since the
// backup was made. A drive that is away is in nobody's disfavour.
import { codecOf } from '../../codec/codecs.ts';
import type { Drive, ZoneRef } from '../../drive/drive.ts';
import { CHUNK_HEADER_BYTES, parseChunkHeader } from '../../format/chunk.ts';
import { chunkName } from '../../format/object-names.ts';
import { isPocketfulError } from '../../foundation/errors.ts';
import type { Panda } from '../../panda/panda.ts';
import { type BucketRow, bucketFromRow, bucketKey } from '../../panda/rows/bucket-row.ts';
import { type VolumeRow, volumeFromRow, volumePartitions } from '../../panda/rows/volume-row.ts';
import { zoneFromRow, zonePartition } from '../../panda/rows/zone-row.ts';
import { appendsIn } from '../../volume/behind/newer-chunks.ts';
import { listGroups, rowsAt, rowsOf } from '../../volume/rows/read-rows.ts';

export interface PlacesReport {
  /** Zones whose drives hold what the rows do not know: the store went on after the backup was made. */
  readonly newerZones: number;
  /** Open volumes with appends that the rows do not know. */
  readonly newerVolumes: number;
  readonly liveBuckets: number;
  /** Those of them that cannot be read from where the rows say they are. */
  readonly unreadableBuckets: number;
}

type Ports = Parameters<typeof appendsIn>[0];

export async function checkPlaces(ports: Ports): Promise<PlacesReport> {
  const { panda, drives } = ports;
  const { cell } = ports.settings;
  const newer = await Promise.all(drives.map((drive, id) => countNewerZones(panda, drive, id)));
  let liveBuckets = 0;
  let unreadableBuckets = 0;
  let newerVolumes = 0;
  for (const partition of volumePartitions(cell))
    for await (const row of rowsOf(panda, partition)) {
      const volume = volumeFromRow(row);
      if (volume.state === 'open' && (await appendsIn(ports, volume)).hasUnknown) newerVolumes += 1;
      const buckets = await liveBucketsOf(panda, cell, volume);
      if (buckets.length === 0) continue;
      liveBuckets += buckets.length;
      unreadableBuckets += await countUnreadable(panda, drives, volume, buckets);
    }
  return { newerZones: newer.reduce((sum, zones) => sum + zones, 0), newerVolumes, liveBuckets, unreadableBuckets };
}

async function liveBucketsOf(panda: Panda, cell: string, volume: VolumeRow): Promise<BucketRow[]> {
  const rows = await rowsAt(
    panda,
    [...volume.buckets].map((id) => bucketKey(cell, id)),
  );
  const found = rows.flatMap((row) => (row === undefined ? [] : [bucketFromRow(row)]));
  return found.filter((bucket) => bucket.volume === volume.id && bucket.liveBytes > 0);
}

/** What a drive lists of each column of a volume; undefined where the drive is away. */
type Listed = readonly (ReadonlySet<string> | undefined)[];

async function countUnreadable(
  panda: Panda,
  drives: readonly Drive[],
  volume: VolumeRow,
  buckets: readonly BucketRow[],
): Promise<number> {
  const listed = await Promise.all(volume.extents.map((_, column) => listColumn(drives, volume, column)));
  const verdicts = new Map<string, boolean>();
  const isGone = async (name: string, columnBytes?: readonly number[]): Promise<boolean> => {
    const known = verdicts.get(name) ?? (await isGroupGone(drives, volume, listed, name, columnBytes));
    verdicts.set(name, known);
    return known;
  };
  const unreadable = new Set<string>();
  for (const bucket of buckets)
    if (bucket.move > 0 && (await isGone(chunkName(bucket.seq, bucket.token)))) unreadable.add(bucket.id);
  const own = new Set(buckets.filter(({ move }) => move === 0).map(({ id }) => id));
  if (own.size > 0) {
    for (const group of await listGroups(panda, volume))
      if (group.kind === 'append' && own.has(group.bucket))
        if (await isGone(chunkName(group.seq, group.token), group.columnBytes)) unreadable.add(group.bucket);
    // Rows of groups go when a warm volume is sealed: what is left to be seen is which of its zones hold nothing now.
    // Zones are erased one after another, so that the last may still be as they were.
    const erased = listed.flatMap((names, column) =>
      names?.size === 0 && (volume.extentUsedBytes[column] ?? 0) > 0 ? [column] : [],
    );
    if (erased.length > 0 && !codecOf(volume.codec).canReconstruct(erased)) for (const id of own) unreadable.add(id);
  }
  return unreadable.size;
}

async function listColumn(
  drives: readonly Drive[],
  volume: VolumeRow,
  column: number,
): Promise<ReadonlySet<string> | undefined> {
  const place = zoneOf(volume, column);
  try {
    return new Set((await drives[place.drive]?.list(place.at))?.map(({ name }) => name));
  } catch (error) {
    if (!isPocketfulError(error)) throw error;
    return undefined;
  }
}

function zoneOf(volume: VolumeRow, column: number): { readonly drive: number; readonly at: ZoneRef } {
  const { drive = 0, zone = 0, zoneGeneration = 0 } = volume.extents[column] ?? {};
  return { drive, at: { zone, generation: zoneGeneration } };
}

/** True if it is certain: columns of drives that are away count as being there. */
async function isGroupGone(
  drives: readonly Drive[],
  volume: VolumeRow,
  listed: Listed,
  name: string,
  columnBytes: readonly number[] | undefined,
): Promise<boolean> {
  const absent = listed.flatMap((names, column) => (names === undefined || names.has(name) ? [] : [column]));
  const canDo = (lost: readonly number[]): boolean =>
    lost.length === 0 || codecOf(volume.codec).canReconstruct([...lost]);
  if (canDo(absent)) return false;
  // Columns without a byte are nowhere: any chunk of the group says which they are.
  const lengths = columnBytes ?? (await lengthsOf(drives, volume, listed, name));
  if (lengths === undefined) return listed.every((names) => names !== undefined);
  return !canDo(absent.filter((column) => (lengths[column] ?? 0) > 0));
}

async function lengthsOf(
  drives: readonly Drive[],
  volume: VolumeRow,
  listed: Listed,
  name: string,
): Promise<readonly number[] | undefined> {
  for (const [column, names] of listed.entries()) {
    if (!names?.has(name)) continue;
    const { drive, at } = zoneOf(volume, column);
    try {
      const head = await drives[drive]?.read(at, name, { offset: 0, length: CHUNK_HEADER_BYTES });
      if (head !== undefined) return parseChunkHeader(head).columnBytes;
    } catch (error) {
      if (!isPocketfulError(error)) throw error;
    }
  }
  return undefined;
}

/** Zone generations on a drive that no row knows yet; none if it is away. */
async function countNewerZones(panda: Panda, drive: Drive, id: number): Promise<number> {
  const known = new Map<number, number>();
  for await (const row of rowsOf(panda, zonePartition(id))) {
    const { zone, generation, state } = zoneFromRow(row);
    known.set(zone, state === 'used' ? generation : generation - 1);
  }
  try {
    return (await drive.zones()).filter(({ zone, generation }) => generation > (known.get(zone) ?? 0)).length;
  } catch (error) {
    if (!isPocketfulError(error)) throw error;
    return 0;
  }
}
