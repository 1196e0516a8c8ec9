// Which objects must exist of a volume: the chunks of groups that a group row names or that a slot in its directories
// lies in, and those directories. Everything else in its zones is a stray (a burnt sequence, a zombie's late put): no
// damage.
import { codecShape } from '../../codec/shape.ts';
import { CHUNK_HEADER_BYTES } from '../../format/chunk.ts';
import { type GroupEntry, groupDirectoryBytes } from '../../format/group-directory.ts';
import type { BucketRow } from '../../panda/rows/bucket-row.ts';
import type { GroupRow } from '../../panda/rows/group-row.ts';
import type { VolumeRow } from '../../panda/rows/volume-row.ts';

/** A group that must exist, and what its row says of it if there is one. */
export interface NamedGroup {
  readonly seq: number;
  readonly token: number;
  readonly columnBytes?: readonly number[];
  /** Records and buckets of the whole group. */
  readonly lists?: { readonly records: number; readonly buckets: number };
}

export function namedByRow(row: GroupRow): NamedGroup {
  const { seq, token, columnBytes } = row;
  if (row.kind === 'append') return { seq, token, columnBytes, lists: { records: row.slots.length, buckets: 1 } };
  if (row.kind === 'move') return { seq, token, columnBytes };
  const full = row.buckets.filter(({ slots }) => slots.length > 0);
  const records = full.reduce((sum, { slots }) => sum + slots.length, 0);
  return { seq, token, columnBytes, lists: { records, buckets: full.length } };
}

/** By column: bytes of the object that must be there, 0 for an empty column; unknown where nothing tells. */
export type ObjectBytes = readonly (number | undefined)[];

/** From the row alone: every column that lists the whole group. */
export function bytesByRow({ codec }: Pick<VolumeRow, 'codec'>, { columnBytes, lists }: NamedGroup): ObjectBytes {
  const { dataColumns, parityColumns } = codecShape(codec);
  return Array.from({ length: dataColumns + parityColumns }, (_, column) => {
    const bytes = columnBytes?.[column];
    if (bytes === undefined || bytes === 0) return bytes;
    const isWhole = column >= dataColumns || dataColumns === 1;
    if (!isWhole || lists === undefined) return undefined;
    return CHUNK_HEADER_BYTES + bytes + groupDirectoryBytes(lists.records, lists.buckets);
  });
}

/** From the directory of the whole group. */
export function bytesByDirectory(
  { codec }: Pick<VolumeRow, 'codec'>,
  columnBytes: readonly number[],
  entries: readonly GroupEntry[],
): ObjectBytes {
  const { dataColumns } = codecShape(codec);
  const all = new Set<string>();
  const records = new Array<number>(dataColumns).fill(0);
  const buckets = records.map(() => new Set<string>());
  for (const { column, bucket } of entries) {
    all.add(bucket);
    records[column] = (records[column] ?? 0) + 1;
    buckets[column]?.add(bucket);
  }
  return columnBytes.map((bytes, column) => {
    if (bytes === 0) return 0;
    const own = column < dataColumns && dataColumns > 1;
    const directory = own
      ? groupDirectoryBytes(records[column] as number, buckets[column]?.size ?? 0)
      : groupDirectoryBytes(entries.length, all.size);
    return CHUNK_HEADER_BYTES + bytes + directory;
  });
}

/**
 * Where a bucket was moved to, as its own row says it. After a top-off the rows of the host's own buckets still say
 * where they were in the generation before: the group is in this generation only if its token is of it.
 */
export function namedByBucket(
  volume: Pick<VolumeRow, 'id' | 'generation' | 'token'>,
  bucket: BucketRow,
): NamedGroup | undefined {
  if (bucket.volume !== volume.id || bucket.move === 0) return undefined;
  if (volume.generation > 1 && bucket.token !== volume.token) return undefined;
  return { seq: bucket.seq, token: bucket.token };
}
