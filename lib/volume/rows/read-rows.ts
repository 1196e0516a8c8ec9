// Reads of volume, bucket, group and block rows. Strongly consistent unless told otherwise.

import { mapLimit } from '../../foundation/concurrency.ts';
import type { BlockId, BucketId, VolumeId } from '../../foundation/ids.ts';
import { KEYS_AT_ONCE } from '../../limits/panda.ts';
import { PARTITIONS_AT_ONCE } from '../../limits/volume.ts';
import type { Key, Panda, ReadOptions, Row } from '../../panda/panda.ts';
import { type BlockRow, blockFromRow, blockKey } from '../../panda/rows/block-row.ts';
import { type BucketRow, bucketFromRow, bucketKey, bucketPartitions } from '../../panda/rows/bucket-row.ts';
import { type GroupRow, groupFromRow, groupKey, groupPartition } from '../../panda/rows/group-row.ts';
import { type BadRowSink, readOrTell } from '../../panda/rows/row-reader.ts';
import { type VolumeRow, volumeFromRow, volumeKey, volumePartitions } from '../../panda/rows/volume-row.ts';

/** Every row of a partition range, page by page. */
export async function* rowsOf(panda: Panda, partition: string, from?: string, to?: string): AsyncGenerator<Row> {
  let next = from;
  for (;;) {
    const range = { ...(next === undefined ? {} : { from: next }), ...(to === undefined ? {} : { to }) };
    const page = await panda.query(partition, range);
    yield* page.rows;
    if (page.next === undefined) return;
    next = page.next;
  }
}

/** The rows of any number of keys, each undefined where there is none. */
export async function rowsAt(panda: Panda, keys: readonly Key[], options?: ReadOptions): Promise<(Row | undefined)[]> {
  const rows: (Row | undefined)[] = [];
  for (let at = 0; at < keys.length; at += KEYS_AT_ONCE)
    rows.push(...(await panda.getMany(keys.slice(at, at + KEYS_AT_ONCE), options)));
  return rows;
}

async function all<T>(
  panda: Panda,
  partitions: readonly string[],
  parse: (row: Row) => T,
  bad: BadRowSink | undefined,
): Promise<T[]> {
  const parts = await mapLimit(partitions, PARTITIONS_AT_ONCE, async (partition) => {
    const found: T[] = [];
    for await (const row of rowsOf(panda, partition)) {
      const one = bad === undefined ? parse(row) : readOrTell(row, parse, bad);
      if (one !== undefined) found.push(one);
    }
    return found;
  });
  return parts.flat();
}

/** Rows that cannot be read are told to `bad` and passed over; without it the first of them is thrown. */
export const listVolumes = (panda: Panda, cell: string, bad?: BadRowSink): Promise<VolumeRow[]> =>
  all(panda, volumePartitions(cell), volumeFromRow, bad);

/** As `listVolumes`. */
export const listBuckets = (panda: Panda, cell: string, bad?: BadRowSink): Promise<BucketRow[]> =>
  all(panda, bucketPartitions(cell), bucketFromRow, bad);

export async function readVolume(panda: Panda, cell: string, id: VolumeId): Promise<VolumeRow | undefined> {
  const row = await panda.get(volumeKey(cell, id));
  return row === undefined ? undefined : volumeFromRow(row);
}

export async function readBucket(panda: Panda, cell: string, id: BucketId): Promise<BucketRow | undefined> {
  const row = await panda.get(bucketKey(cell, id));
  return row === undefined ? undefined : bucketFromRow(row);
}

/** Every id has an entry; undefined: it has no row. */
export async function readBlocks(
  panda: Panda,
  ids: readonly BlockId[],
  options?: ReadOptions,
): Promise<Map<BlockId, BlockRow | undefined>> {
  // One alone: what many keys are asked of may be a thread, and the way there and back takes longer than the look.
  const [only] = ids;
  const isOne = only !== undefined && ids.length === 1 && options === undefined;
  const rows = isOne ? [await panda.get(blockKey(only))] : await rowsAt(panda, ids.map(blockKey), options);
  return new Map(ids.map((id, i) => [id, rows[i] && blockFromRow(rows[i])]));
}

export async function readGroup(panda: Panda, volume: VolumeRow, seq: number): Promise<GroupRow | undefined> {
  const row = await panda.get(groupKey(volume.id, volume.generation, seq));
  return row === undefined ? undefined : groupFromRow(row);
}

/** The committed groups of a volume's generation, by sequence. Rows are dropped once a warm volume is sealed. */
export async function listGroups(panda: Panda, volume: VolumeRow): Promise<GroupRow[]> {
  const groups: GroupRow[] = [];
  for await (const row of rowsOf(panda, groupPartition(volume.id, volume.generation))) groups.push(groupFromRow(row));
  return groups;
}
