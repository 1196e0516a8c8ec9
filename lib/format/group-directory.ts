// The record directory at the tail of a chunk: which records a group holds, and where. A data column's chunk lists its
// own records; parity chunks, and all chunks of `single` and `replica-4`, list the whole group, so that what a group
// held can be told without Panda from any one parity column or from all data columns. Its version is the chunk's.
import { codecShape } from '../codec/shape.ts';
import { assert } from '../foundation/assert.ts';
import { corrupt } from '../foundation/errors.ts';
import { type BucketId, bucketId, bytesOf, hexOf, type RecordId, recordId } from '../foundation/ids.ts';
import type { ChunkHeader } from './chunk.ts';
import { RECORD_BYTES_MAX, RECORD_BYTES_MIN } from './record.ts';
import { assertWithin, U32_MAX, viewOf } from './wire.ts';

export const SLOT_MAX = 65_535;

const COUNT_BYTES = 4;
const BUCKET_BYTES = 16;
const ENTRY_BYTES = 29;

export interface GroupEntry {
  readonly bucket: BucketId;
  /** The bucket's move number when the group was written. */
  readonly move: number;
  readonly slot: number;
  readonly recordId: RecordId;
  readonly column: number;
  /** From the start of the column's payload. */
  readonly offset: number;
  /** Record bytes, header included. */
  readonly length: number;
}

/** Length of a directory that lists a whole group. */
export const groupDirectoryBytes = (records: number, buckets: number): number =>
  COUNT_BYTES + buckets * BUCKET_BYTES + records * ENTRY_BYTES;

/** Bytes depend on the set of entries only, not on their order. */
export function encodeGroupDirectory(entries: readonly GroupEntry[]): Uint8Array {
  const sorted = [...entries].sort((a, b) => compareText(a.bucket, b.bucket) || a.slot - b.slot);
  const heads = sorted.filter((entry, i) => entry.bucket !== sorted[i - 1]?.bucket);
  const view = Buffer.alloc(groupDirectoryBytes(sorted.length, heads.length));
  view.writeUInt32LE(heads.length, 0);
  let at = COUNT_BYTES;
  let countAt = 0;
  for (const [i, entry] of sorted.entries()) {
    const previous = sorted[i - 1];
    if (entry.bucket === previous?.bucket) {
      assert(entry.move === previous.move, () => `bucket ${entry.bucket} has two move numbers in one group`);
      assert(entry.slot !== previous.slot, () => `slot ${entry.slot} of bucket ${entry.bucket} is there twice`);
    } else {
      assertWithin(entry.move, U32_MAX, 'move');
      view.set(bytesOf(entry.bucket), at);
      view.writeUInt32LE(entry.move, at + 8);
      countAt = at + 12;
      at += BUCKET_BYTES;
    }
    view.writeUInt32LE(view.readUInt32LE(countAt) + 1, countAt);
    writeEntry(view, entry, at);
    at += ENTRY_BYTES;
  }
  return view;
}

/** The entries by bucket and slot. `header` is the header of the chunk the directory was found in. */
export function parseGroupDirectory(
  bytes: Uint8Array,
  header: Pick<ChunkHeader, 'codec' | 'columnBytes'>,
): GroupEntry[] {
  const view = viewOf(bytes);
  if (view.length < COUNT_BYTES) throw malformed(`only ${view.length} bytes`);
  const buckets = view.readUInt32LE(0);
  const entries: GroupEntry[] = [];
  let at = COUNT_BYTES;
  let previousBucket = '';
  for (let i = 0; i < buckets; i++) {
    if (view.length - at < BUCKET_BYTES) throw malformed('it ends within a bucket');
    const bucket = bucketId(hexOf(view.subarray(at, at + 8)));
    if (bucket <= previousBucket) throw malformed('its buckets are not in ascending order');
    previousBucket = bucket;
    const move = view.readUInt32LE(at + 8);
    const count = view.readUInt32LE(at + 12);
    at += BUCKET_BYTES;
    if (count === 0) throw malformed(`bucket ${bucket} is listed without records`);
    if (count > (view.length - at) / ENTRY_BYTES) throw malformed(`it ends within the records of bucket ${bucket}`);
    for (let j = 0, previousSlot = -1; j < count; j++, at += ENTRY_BYTES) {
      const entry = readEntry(view, at, bucket, move);
      if (entry.slot <= previousSlot) throw malformed(`the slots of bucket ${bucket} are not in ascending order`);
      previousSlot = entry.slot;
      entries.push(entry);
    }
  }
  if (at !== view.length) throw malformed(`${view.length - at} bytes too many`);
  checkPlaces(entries, header);
  return entries;
}

function writeEntry(view: Buffer, entry: GroupEntry, at: number): void {
  assertWithin(entry.slot, SLOT_MAX, 'slot');
  assertWithin(entry.column, 255, 'column');
  assertWithin(entry.offset, U32_MAX, 'offset');
  assertWithin(entry.length, RECORD_BYTES_MAX, 'length');
  view.set(bytesOf(entry.recordId), at);
  view.writeUInt32LE(entry.slot, at + 16);
  view.writeUInt8(entry.column, at + 20);
  view.writeUInt32LE(entry.offset, at + 21);
  view.writeUInt32LE(entry.length, at + 25);
}

function readEntry(view: Buffer, at: number, bucket: BucketId, move: number): GroupEntry {
  const slot = view.readUInt32LE(at + 16);
  if (slot > SLOT_MAX) throw malformed(`slot ${slot}`);
  return {
    bucket,
    move,
    slot,
    recordId: recordId(hexOf(view.subarray(at, at + 16))),
    column: view.readUInt8(at + 20),
    offset: view.readUInt32LE(at + 21),
    length: view.readUInt32LE(at + 25),
  };
}

function checkPlaces(entries: readonly GroupEntry[], header: Pick<ChunkHeader, 'codec' | 'columnBytes'>): void {
  const { dataColumns } = codecShape(header.codec);
  const byPlace = [...entries].sort((a, b) => a.column - b.column || a.offset - b.offset);
  for (const [i, { column, offset, length, bucket, slot }] of byPlace.entries()) {
    const where = `slot ${slot} of bucket ${bucket}`;
    if (column >= dataColumns) throw malformed(`${where} is in column ${column} of ${dataColumns}`);
    if (length < RECORD_BYTES_MIN || length > RECORD_BYTES_MAX) throw malformed(`${where} has ${length} bytes`);
    if (offset + length > (header.columnBytes[column] ?? 0)) throw malformed(`${where} is beyond its column's end`);
    const before = byPlace[i - 1];
    if (before?.column === column && before.offset + before.length > offset)
      throw malformed(`${where} overlaps the record before it`);
  }
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const malformed = (why: string) => corrupt('DIRECTORY_MALFORMED', `group directory is malformed: ${why}`);
