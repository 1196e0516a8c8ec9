// Whether a block's row leads to its record: bucket, volume, directory, slot, record id and length, in an object that
// its drive lists. Rows change meanwhile, so what is wrong counts only if all of them are the same afterwards.
import { CHUNK_HEADER_BYTES } from '../format/chunk.ts';
import { chunkName } from '../format/object-names.ts';
import type { BLOCK_REASONS } from '../foundation/codes/reasons.ts';
import { isPocketfulError } from '../foundation/errors.ts';
import type { BlockId, RecordId } from '../foundation/ids.ts';
import { BLOCK_CHECKS_MAX } from '../limits/verify.ts';
import { type BlockRow, blockFromRow, blockKey } from '../panda/rows/block-row.ts';
import type { BucketRow } from '../panda/rows/bucket-row.ts';
import type { VolumeRow } from '../panda/rows/volume-row.ts';
import { type ColumnListing, listColumns } from '../volume/check/listing.ts';
import type { FoundSlot } from '../volume/read/directories.ts';
import { noteDamage } from '../volume/rows/damage.ts';
import { readBucket, readVolume } from '../volume/rows/read-rows.ts';
import type { VolumeStore } from '../volume/volume-store.ts';

/** What is wrong with the way from a block's row to its record. */
export type BlockFault = Exclude<keyof typeof BLOCK_REASONS, 'BLOCK_OTHER'>;

/** `unread`: its directory cannot be had now. */
export type BlockVerdict = 'sound' | 'unread' | { readonly fault: BlockFault };

/** Where the directories say a slot is, with the record in it. */
export interface KnownPlace extends FoundSlot {
  readonly recordId: RecordId;
}

/** What does not fit between a block's row and the place of its slot. */
export function placeFault(
  block: Pick<BlockRow, 'recordId' | 'recordBytes' | 'hint'>,
  place: KnownPlace | undefined,
  bucket: Pick<BucketRow, 'move'>,
  volume: Pick<VolumeRow, 'id' | 'generation'>,
): BlockFault | undefined {
  if (place === undefined) return 'SLOT_MISSING';
  if (place.recordId !== block.recordId) return 'RECORD_OTHER';
  if (place.length !== block.recordBytes) return 'LENGTH_OTHER';
  const { hint } = block;
  if (bucket.move > 0 || hint.volume !== volume.id || hint.generation !== volume.generation) return undefined;
  const isThere =
    hint.seq === place.sequence &&
    hint.token === place.token &&
    hint.column === place.column &&
    hint.offset === place.offset;
  return isThere ? undefined : 'HINT_WRONG';
}

/** Whether the object is listed, long enough to hold it; unknown while its drive cannot be listed. */
function isListed(listings: readonly ColumnListing[], place: FoundSlot): boolean | undefined {
  const objects = listings[place.column]?.objects;
  if (objects === undefined) return undefined;
  return (objects.get(chunkName(place.sequence, place.token)) ?? -1) >= endOf(place);
}

/** The end of a slot's record in its object. */
export const endOf = ({ offset, length }: FoundSlot): number => CHUNK_HEADER_BYTES + offset + length;

/**
 * Objects that are not there, each listed anew and noted as damage once. What a row names was there when the row was
 * written, so one that is missing once is missing for every row.
 */
export class MissingObjects {
  readonly #store: VolumeStore;
  readonly #missing = new Set<string>();

  constructor(store: VolumeStore) {
    this.#store = store;
  }

  async lacks(volume: VolumeRow, place: FoundSlot): Promise<boolean> {
    const { components } = this.#store;
    const { column, sequence, token } = place;
    const key = `${volume.id}/${volume.generation}/${column}/${sequence}-${token}`;
    if (this.#missing.has(key)) return true;
    const listings = await listColumns(this.#store, volume);
    if (isListed(listings, place) !== false) return false;
    const isThere = listings[column]?.objects?.has(chunkName(sequence, token)) === true;
    const what = isThere
      ? ({ kind: 'short', reason: 'CHUNK_TRUNCATED' } as const)
      : ({ kind: 'missing', reason: 'CHUNK_MISSING' } as const);
    const { id, generation } = volume;
    if (!(await noteDamage(components, volume, [{ volume: id, generation, column, part: sequence, ...what }])))
      return false; // the volume has moved on
    this.#missing.add(key);
    return true;
  }
}

export async function checkBlock(store: VolumeStore, id: BlockId, missing: MissingObjects): Promise<BlockVerdict> {
  for (let attempt = 0; attempt < BLOCK_CHECKS_MAX; attempt++) {
    const rows = await readWay(store, id);
    if (rows === undefined) return 'sound'; // gone meanwhile
    const verdict = await judge(store, rows, missing);
    if (verdict === 'sound') return 'sound';
    const after = await readWay(store, id);
    if (after === undefined) return 'sound';
    if (textOf(after) === textOf(rows)) return verdict;
    if (rows.volume !== undefined) store.directories.forget(rows.volume);
  }
  return 'unread'; // it moves whenever it is looked at
}

interface Way {
  readonly block: BlockRow;
  readonly bucket: BucketRow | undefined;
  readonly volume: VolumeRow | undefined;
}

async function readWay({ components }: VolumeStore, id: BlockId): Promise<Way | undefined> {
  const { panda, settings } = components;
  const row = await panda.get(blockKey(id));
  if (row === undefined) return undefined;
  const block = blockFromRow(row);
  const bucket = await readBucket(panda, settings.cell, block.bucket);
  const volume = bucket === undefined ? undefined : await readVolume(panda, settings.cell, bucket.volume);
  return { block, bucket, volume };
}

const textOf = ({ block, bucket, volume }: Way): string =>
  [
    block.bucket,
    block.slot,
    block.recordId,
    bucket?.volume,
    bucket?.move,
    volume?.id,
    volume?.generation,
    volume?.state,
    volume?.directoriesPending,
  ].join('/');

async function judge(
  store: VolumeStore,
  { block, bucket, volume }: Way,
  missing: MissingObjects,
): Promise<BlockVerdict> {
  if (bucket === undefined) return { fault: 'BUCKET_MISSING' };
  if (volume === undefined) return { fault: 'VOLUME_MISSING' };
  try {
    const slots = await store.directories.bucketPart(volume, bucket, 'many buckets');
    const found = slots.find(block.slot);
    if (found === undefined) return slots.lost === undefined ? { fault: 'SLOT_MISSING' } : 'unread';
    const place = await withRecordId(store, volume, bucket, block.slot, found);
    const fault = placeFault(block, place, bucket, volume);
    if (fault !== undefined) return { fault };
    return (await missing.lacks(volume, found)) ? { fault: 'CHUNK_UNLISTED' } : 'sound';
  } catch (error) {
    if (!isPocketfulError(error)) throw error;
    return 'unread';
  }
}

/** Bucket directories of sealed volumes do not name records: those of groups do. */
async function withRecordId(
  { directories }: VolumeStore,
  volume: VolumeRow,
  bucket: BucketRow,
  slot: number,
  found: FoundSlot,
): Promise<KnownPlace | undefined> {
  if (found.recordId !== undefined) return { ...found, recordId: found.recordId };
  const entries = await directories.group(volume, found.sequence, found.token);
  const entry = entries.find((one) => one.slot === slot && one.bucket === bucket.id);
  if (entry === undefined) return undefined;
  const isSame = entry.column === found.column && entry.offset === found.offset && entry.length === found.length;
  return isSame ? { ...found, recordId: entry.recordId } : undefined;
}
