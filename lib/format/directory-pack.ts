// The directory pack of a sealed volume, one object `dirs` on each of m+1 columns: [header 64 B][index][bucket
// directories]. The index says where each directory lies, so that a reader gets one bucket's by a range; header, index
// and every directory carry their own checksum, so that whatever was read verifies without the rest.
import { assert } from '../foundation/assert.ts';
import { corrupt } from '../foundation/errors.ts';
import {
  type BucketId,
  bucketId,
  bytesOf,
  hexOf,
  type StoreId,
  storeId,
  type VolumeId,
  volumeId,
} from '../foundation/ids.ts';
import { PACK_BUCKETS_MAX } from '../limits/bytes.ts';
import { BUCKET_DIRECTORY_BYTES_MIN, bucketDirectoryBytes } from './bucket-directory.ts';
import { assertWithin, crcOf, isZero, readU64, U32_MAX, unknownVersion, viewOf, writeU64 } from './wire.ts';

export const PACK_HEADER_BYTES = 64;

const MAGIC = 0x5044_4650; // 'PFDP'
const VERSION = 1;
const HEADER_CRC_AT = 60;
const ENTRY_BYTES = 16;

export interface PackOwner {
  readonly storeId: StoreId;
  readonly volumeId: VolumeId;
  readonly generation: number;
}

export interface PackHeader extends PackOwner {
  readonly buckets: number;
  /** Of header and index: what has to be read before a directory can be found. */
  readonly headBytes: number;
  /** Of the whole object. */
  readonly totalBytes: number;
  readonly indexCrc: number;
}

export interface PackEntry {
  readonly bucket: BucketId;
  /** From the start of the object. */
  readonly offset: number;
  readonly length: number;
}

/**
 * What a bucket adds to a pack at the most: its place in the index, and a directory of `slots` slots written by
 * `groups` groups.
 */
export const packedBytes = (slots: number, groups: number): number => ENTRY_BYTES + bucketDirectoryBytes(slots, groups);

/** The parts of the object, in order. `directories`: encoded bucket directories of this owner, in any order. */
export function encodeDirectoryPack(
  owner: PackOwner,
  directories: Iterable<readonly [bucket: BucketId, directory: Uint8Array]>,
): Uint8Array[] {
  const sorted = [...directories].sort(([a], [b]) => (a < b ? -1 : 1));
  assertWithin(sorted.length, PACK_BUCKETS_MAX, 'buckets');
  const head = Buffer.alloc(PACK_HEADER_BYTES + sorted.length * ENTRY_BYTES);
  let offset = head.length;
  for (const [i, [bucket, { length }]] of sorted.entries()) {
    assert(bucket !== sorted[i - 1]?.[0], `bucket ${bucket} is there twice`);
    assert(length >= BUCKET_DIRECTORY_BYTES_MIN, `the directory of bucket ${bucket} is one`);
    const at = PACK_HEADER_BYTES + i * ENTRY_BYTES;
    head.set(bytesOf(bucket), at);
    head.writeUInt32LE(offset, at + 8);
    head.writeUInt32LE(length, at + 12);
    offset += length;
    assertWithin(offset, U32_MAX, 'pack bytes');
  }
  head.writeUInt32LE(MAGIC, 0);
  head.writeUInt8(VERSION, 4);
  head.set(bytesOf(owner.storeId), 8);
  head.set(bytesOf(owner.volumeId), 24);
  writeU64(head, owner.generation, 32);
  head.writeUInt32LE(sorted.length, 40);
  head.writeUInt32LE(offset, 44);
  head.writeUInt32LE(crcOf(head.subarray(PACK_HEADER_BYTES)), 48);
  head.writeUInt32LE(crcOf(head.subarray(0, HEADER_CRC_AT)), HEADER_CRC_AT);
  return [head, ...sorted.map(([, directory]) => directory)];
}

/**
 * The header, from its 64 bytes (more may follow). Throws `corrupt` DIRECTORY_MALFORMED, DIRECTORY_FOREIGN or
 * DIRECTORY_VERSION.
 */
export function parsePackHeader(bytes: Uint8Array, expected: Partial<PackOwner> = {}): PackHeader {
  const view = soundHeader(bytes);
  const generation = readU64(view, 32);
  if (generation === undefined) throw malformed('generation out of range');
  const owner = {
    storeId: storeId(hexOf(view.subarray(8, 24))),
    volumeId: volumeId(hexOf(view.subarray(24, 32))),
    generation,
  };
  for (const field of ['storeId', 'volumeId', 'generation'] as const) {
    if (expected[field] !== undefined && owner[field] !== expected[field])
      throw corrupt('DIRECTORY_FOREIGN', `directory pack has ${field} ${owner[field]}, expected ${expected[field]}`);
  }
  if (!isZero(view, 5, 8) || !isZero(view, 52, HEADER_CRC_AT)) throw malformed('unused bytes are not zero');
  const buckets = view.readUInt32LE(40);
  const totalBytes = view.readUInt32LE(44);
  if (buckets > PACK_BUCKETS_MAX) throw malformed(`${buckets} buckets`);
  const headBytes = PACK_HEADER_BYTES + buckets * ENTRY_BYTES;
  if (totalBytes < headBytes + buckets * BUCKET_DIRECTORY_BYTES_MIN || (buckets === 0 && totalBytes !== headBytes))
    throw malformed(`${buckets} buckets in ${totalBytes} bytes`);
  return { ...owner, buckets, headBytes, totalBytes, indexCrc: view.readUInt32LE(48) };
}

/** Where the directories lie, ascending by bucket; from the first `headBytes` bytes (more may follow). */
export function parsePackIndex(header: PackHeader, bytes: Uint8Array): PackEntry[] {
  const view = viewOf(bytes);
  if (view.length < header.headBytes)
    throw malformed(`${view.length} bytes of an index that ends at ${header.headBytes}`);
  if (crcOf(view.subarray(PACK_HEADER_BYTES, header.headBytes)) !== header.indexCrc)
    throw malformed('the checksum of its index does not match');
  const entries: PackEntry[] = [];
  let end = header.headBytes;
  let previous = '';
  for (let at = PACK_HEADER_BYTES; at < header.headBytes; at += ENTRY_BYTES) {
    const bucket = bucketId(hexOf(view.subarray(at, at + 8)));
    const offset = view.readUInt32LE(at + 8);
    const length = view.readUInt32LE(at + 12);
    if (bucket <= previous) throw malformed('its buckets are not in ascending order');
    if (offset !== end) throw malformed(`the directory of bucket ${bucket} is at ${offset}, not at ${end}`);
    if (length < BUCKET_DIRECTORY_BYTES_MIN) throw malformed(`a directory of ${length} bytes`);
    entries.push({ bucket, offset, length });
    previous = bucket;
    end += length;
  }
  if (end !== header.totalBytes) throw malformed(`its directories end at ${end}, the pack at ${header.totalBytes}`);
  return entries;
}

/**
 * Magic, checksum and version, which are at the same place in every version: damage is never taken for a newer release.
 */
function soundHeader(bytes: Uint8Array): Buffer {
  if (bytes.byteLength < PACK_HEADER_BYTES) throw malformed(`only ${bytes.byteLength} bytes`);
  const view = viewOf(bytes);
  if (view.readUInt32LE(0) !== MAGIC) throw malformed('it does not begin as a directory pack does');
  if (crcOf(view.subarray(0, HEADER_CRC_AT)) !== view.readUInt32LE(HEADER_CRC_AT))
    throw malformed('the checksum of its header does not match');
  const version = view.readUInt8(4);
  if (version !== VERSION) throw unknownVersion('DIRECTORY_VERSION', 'directory pack', version, VERSION);
  return view;
}

const malformed = (why: string) => corrupt('DIRECTORY_MALFORMED', `directory pack is malformed: ${why}`);
