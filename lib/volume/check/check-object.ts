// Whether one object of a volume is what it must be, read whole: header, checksums, directory, every record. What is
// wrong with it is said by a code; a drive that cannot be read now says nothing about the object.
import { codecShape } from '../../codec/shape.ts';
import { type BucketDirectory, parseBucketDirectory } from '../../format/bucket-directory.ts';
import { CHUNK_HEADER_BYTES, type ChunkHeader, checkChunk, chunkBytes, parseChunkHeader } from '../../format/chunk.ts';
import { PACK_HEADER_BYTES, parsePackHeader, parsePackIndex } from '../../format/directory-pack.ts';
import { parseGroupDirectory } from '../../format/group-directory.ts';
import { bucketDirectoryName, DIRECTORY_PACK_NAME } from '../../format/object-names.ts';
import { parseRecord } from '../../format/record.ts';
import type { ErrorCode } from '../../foundation/error-codes.ts';
import { corrupt, isPocketfulError } from '../../foundation/errors.ts';
import type { BucketId } from '../../foundation/ids.ts';
import { CHECKED_OBJECT_BYTES_MAX } from '../../limits/reads.ts';
import type { DamageKind } from '../../panda/rows/damage-row.ts';
import type { VolumeRow } from '../../panda/rows/volume-row.ts';
import { chunkNameOf, type GroupPlace, ownHeader, type ReadPorts, readObject, truncated } from '../read/read-column.ts';

export interface Fault {
  readonly kind: DamageKind;
  readonly reason: string;
}

const FOREIGN = new Set<ErrorCode>([
  'CHUNK_FOREIGN',
  'DIRECTORY_FOREIGN',
  'CHUNK_VERSION',
  'RECORD_VERSION',
  'DIRECTORY_VERSION',
]);

/** What an error says about the object that was read; undefined if it says something about the drive only. */
export function faultOf(error: unknown): Fault | undefined {
  if (!isPocketfulError(error)) throw error;
  const { code: reason, kind } = error;
  if (FOREIGN.has(reason)) return { kind: 'foreign', reason };
  if (kind === 'missing') return { kind: 'missing', reason };
  if (reason === 'CHUNK_TRUNCATED') return { kind: 'short', reason };
  return kind === 'corrupt' ? { kind: 'wrong', reason } : undefined;
}

/** Reads the chunk of one column whole. Throws what `faultOf` tells apart. */
export const checkColumn = async (ports: ReadPorts, place: GroupPlace, column: number): Promise<ChunkHeader> =>
  (await readSoundChunk(ports, place, column)).header;

/** The same, for whoever wants the chunk. */
export async function readSoundChunk(
  ports: ReadPorts,
  place: GroupPlace,
  column: number,
): Promise<{ readonly header: ChunkHeader; readonly bytes: Uint8Array }> {
  const bytes = await readObject(ports, place.volume, column, chunkNameOf(place));
  if (bytes.length < CHUNK_HEADER_BYTES) throw cut(place, column, bytes, CHUNK_HEADER_BYTES);
  const declared = chunkBytes(ownHeader(ports, place, column, parseChunkHeader(bytes)));
  if (bytes.length < declared) throw cut(place, column, bytes, declared);
  const { header, payload, directory } = checkChunk(bytes);
  const { dataColumns } = codecShape(header.codec);
  for (const { column: home, offset, length, recordId } of parseGroupDirectory(directory, header)) {
    // A copy holds the one data column; parity holds no records.
    if (home !== column && dataColumns > 1) continue;
    const record = parseRecord(payload.subarray(offset, offset + length));
    if (record.header.recordId !== recordId)
      throw corrupt(
        'RECORD_MALFORMED',
        `the record at ${offset} of column ${column} is another than its directory says`,
      );
  }
  return { header, bytes };
}

const cut = (place: GroupPlace, column: number, { length }: Uint8Array, declared: number) =>
  truncated(place, column, { offset: 0, length: declared }, length);

/** Sequences and tokens of the groups that hold a slot. */
export type NamedGroups = Map<number, number>;

/**
 * The pack of one column, every directory of it; `see` is shown them one by one. Only a part of it is in memory at a
 * time.
 */
export async function checkPack(
  ports: ReadPorts,
  volume: VolumeRow,
  column: number,
  listedBytes: number,
  see: (bucket: BucketId, directory: BucketDirectory, encoded: Uint8Array) => void = () => {},
): Promise<NamedGroups> {
  const read = (offset: number, length: number): Promise<Uint8Array> =>
    readObject(ports, volume, column, DIRECTORY_PACK_NAME, { offset, length });
  const owner = ownerOf(ports, volume);
  const first = await read(0, Math.min(listedBytes, CHECKED_OBJECT_BYTES_MAX));
  if (first.length < PACK_HEADER_BYTES)
    throw corrupt(
      'CHUNK_TRUNCATED',
      `the directory pack of column ${column} in volume ${volume.id} has no whole header`,
    );
  const header = parsePackHeader(first, owner);
  if (header.totalBytes !== listedBytes)
    throw corrupt(
      header.totalBytes > listedBytes ? 'CHUNK_TRUNCATED' : 'DIRECTORY_MALFORMED',
      `the directory pack of column ${column} in volume ${volume.id} has ${listedBytes} of ${header.totalBytes} bytes`,
    );
  const head = header.headBytes <= first.length ? first : await read(0, header.headBytes);
  const named: NamedGroups = new Map();
  for (const { bucket, offset, length } of parsePackIndex(header, head)) {
    const isRead = offset + length <= first.length;
    const bytes = isRead ? first.subarray(offset, offset + length) : await read(offset, length);
    const directory = parseBucketDirectory(bytes, { ...owner, bucket });
    for (const [seq, token] of directory.groups) named.set(seq, token);
    see(bucket, directory, bytes);
  }
  return named;
}

/** Bytes the pack of a column must have, from its header alone. */
export async function packBytes(ports: ReadPorts, volume: VolumeRow, column: number): Promise<number> {
  const head = await readObject(ports, volume, column, DIRECTORY_PACK_NAME, { offset: 0, length: PACK_HEADER_BYTES });
  return parsePackHeader(head, ownerOf(ports, volume)).totalBytes;
}

/** A bucket's directory of store format 1. */
export async function checkDirectoryObject(
  ports: ReadPorts,
  volume: VolumeRow,
  column: number,
  bucket: BucketId,
): Promise<NamedGroups> {
  const bytes = await readObject(ports, volume, column, bucketDirectoryName(bucket));
  return new Map(parseBucketDirectory(bytes, { ...ownerOf(ports, volume), bucket }).groups);
}

const ownerOf = ({ components }: ReadPorts, { id, generation }: VolumeRow) => ({
  storeId: components.storeId,
  volumeId: id,
  generation,
});
