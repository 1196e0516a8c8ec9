// One object on a drive: a group's column. [header 256 B][payload = the column's bytes][record directory]. The header
// names its store, volume, generation and group, and the length and checksum of every column of the group, so that any
// one surviving chunk tells empty columns from lost ones and proves the others. Names of objects: names.ts.

import type { CodecName } from '../codec/codec.ts';
import { parityBytes } from '../codec/codec.ts';
import { codecOfWire, codecShape } from '../codec/shape.ts';
import { assert } from '../foundation/assert.ts';
import { corrupt } from '../foundation/errors.ts';
import {
  type AppendId,
  appendId,
  bytesOf,
  hexOf,
  type StoreId,
  storeId,
  type VolumeId,
  volumeId,
} from '../foundation/ids.ts';
import { assertWithin, crcOf, isZero, readU64, U32_MAX, unknownVersion, viewOf, writeU64 } from './wire.ts';

export { bucketDirectoryName, chunkName, parseBucketDirectoryName, parseChunkName } from './object-names.ts';

export const CHUNK_HEADER_BYTES = 256;

const MAGIC = 0x4b43_4650; // 'PFCK'
const VERSION = 1;
const COLUMN_BYTES_AT = 80;
const COLUMN_CRCS_AT = 144;
const RESERVED_AT = 208;
const HEADER_CRC_AT = 252;
const KINDS = ['append', 'move'] as const;

export type GroupKind = (typeof KINDS)[number];

export interface ChunkHeader {
  readonly storeId: StoreId;
  readonly volumeId: VolumeId;
  readonly generation: number;
  readonly sequence: number;
  readonly token: number;
  readonly appendId: AppendId;
  readonly kind: GroupKind;
  readonly codec: CodecName;
  /** Which column of the group this chunk holds. */
  readonly column: number;
  /** k+m entries: true lengths of the data columns (0: empty, not stored), the padded length of parity. */
  readonly columnBytes: readonly number[];
  /** k+m entries: CRC-32 of each column's payload. */
  readonly columnCrcs: readonly number[];
  readonly directoryBytes: number;
  readonly directoryCrc: number;
}

/** What a reader knows of a chunk before it reads it. */
export type ChunkIdentity = Partial<
  Pick<ChunkHeader, 'storeId' | 'volumeId' | 'generation' | 'sequence' | 'token' | 'column'>
>;

/** Length of the whole object. */
export const chunkBytes = (header: Pick<ChunkHeader, 'column' | 'columnBytes' | 'directoryBytes'>): number =>
  CHUNK_HEADER_BYTES + (header.columnBytes[header.column] as number) + header.directoryBytes;

export function encodeChunkHeader(header: ChunkHeader): Uint8Array {
  assertWithin(header.sequence, U32_MAX, 'sequence');
  assertWithin(header.directoryBytes, U32_MAX, 'directoryBytes');
  for (const bytes of header.columnBytes) assertWithin(bytes, U32_MAX, 'columnBytes');
  const wrong = columnFault(header);
  assert(wrong === undefined, `chunk header: ${wrong}`);
  const view = Buffer.alloc(CHUNK_HEADER_BYTES);
  view.writeUInt32LE(MAGIC, 0);
  view.writeUInt8(VERSION, 4);
  view.writeUInt8(KINDS.indexOf(header.kind) + 1, 5);
  view.writeUInt8(codecShape(header.codec).wire, 6);
  view.writeUInt8(header.column, 7);
  view.set(bytesOf(header.storeId), 8);
  view.set(bytesOf(header.volumeId), 24);
  view.set(bytesOf(header.appendId), 32);
  writeU64(view, header.generation, 48);
  writeU64(view, header.token, 56);
  view.writeUInt32LE(header.sequence, 64);
  view.writeUInt32LE(header.directoryBytes, 68);
  view.writeUInt32LE(header.directoryCrc, 72);
  view.writeUInt8(header.columnBytes.length, 76);
  for (const [i, bytes] of header.columnBytes.entries()) view.writeUInt32LE(bytes, COLUMN_BYTES_AT + 4 * i);
  for (const [i, crc] of header.columnCrcs.entries()) view.writeUInt32LE(crc, COLUMN_CRCS_AT + 4 * i);
  view.writeUInt32LE(crcOf(view.subarray(0, HEADER_CRC_AT)), HEADER_CRC_AT);
  return view;
}

/** The header of a chunk, from its first 256 bytes (more may follow). Payload and directory: checkChunk. */
export function parseChunkHeader(bytes: Uint8Array): ChunkHeader {
  const view = soundHead(bytes);
  const kind = KINDS[view.readUInt8(5) - 1];
  if (kind === undefined) throw malformed(`unknown group kind ${view.readUInt8(5)}`);
  const codec = codecOfWire(view.readUInt8(6));
  if (codec === undefined) throw malformed(`unknown codec ${view.readUInt8(6)}`);
  const { dataColumns, parityColumns } = codecShape(codec);
  const columns = dataColumns + parityColumns;
  if (view.readUInt8(76) !== columns) throw malformed(`${view.readUInt8(76)} columns in a group of ${codec}`);
  const unused =
    isZero(view, 77, COLUMN_BYTES_AT) &&
    isZero(view, COLUMN_BYTES_AT + 4 * columns, COLUMN_CRCS_AT) &&
    isZero(view, COLUMN_CRCS_AT + 4 * columns, RESERVED_AT) &&
    isZero(view, RESERVED_AT, HEADER_CRC_AT);
  if (!unused) throw malformed('unused bytes are not zero');
  const generation = readU64(view, 48);
  const token = readU64(view, 56);
  if (generation === undefined || token === undefined) throw malformed('generation or token out of range');
  const header: ChunkHeader = {
    storeId: storeId(hexOf(view.subarray(8, 24))),
    volumeId: volumeId(hexOf(view.subarray(24, 32))),
    generation,
    sequence: view.readUInt32LE(64),
    token,
    appendId: appendId(hexOf(view.subarray(32, 48))),
    kind,
    codec,
    column: view.readUInt8(7),
    columnBytes: Array.from({ length: columns }, (_, i) => view.readUInt32LE(COLUMN_BYTES_AT + 4 * i)),
    columnCrcs: Array.from({ length: columns }, (_, i) => view.readUInt32LE(COLUMN_CRCS_AT + 4 * i)),
    directoryBytes: view.readUInt32LE(68),
    directoryCrc: view.readUInt32LE(72),
  };
  const wrong = columnFault(header);
  if (wrong !== undefined) throw malformed(wrong);
  return header;
}

export interface CheckedChunk {
  readonly header: ChunkHeader;
  /** The column's bytes; shares memory with the object. */
  readonly payload: Uint8Array;
  /** For parseGroupDirectory; shares memory with the object. */
  readonly directory: Uint8Array;
}

/** Verifies a whole object: header, whose it is, length, both checksums. */
export function checkChunk(bytes: Uint8Array, expected: ChunkIdentity = {}): CheckedChunk {
  const header = parseChunkHeader(bytes);
  checkChunkIdentity(header, expected);
  if (bytes.byteLength !== chunkBytes(header))
    throw malformed(`${bytes.byteLength} bytes stored, ${chunkBytes(header)} declared`);
  const directoryAt = bytes.byteLength - header.directoryBytes;
  const payload = bytes.subarray(CHUNK_HEADER_BYTES, directoryAt);
  const directory = bytes.subarray(directoryAt);
  if (crcOf(payload) !== header.columnCrcs[header.column])
    throw malformed(`the checksum of column ${header.column} does not match`);
  if (crcOf(directory) !== header.directoryCrc) throw malformed('the checksum of its directory does not match');
  return { header, payload, directory };
}

/** Throws `corrupt` CHUNK_FOREIGN naming the first field that is not as expected. */
export function checkChunkIdentity(header: ChunkHeader, expected: ChunkIdentity): void {
  for (const field of ['storeId', 'volumeId', 'generation', 'sequence', 'token', 'column'] as const) {
    if (expected[field] !== undefined && header[field] !== expected[field])
      throw corrupt('CHUNK_FOREIGN', `chunk has ${field} ${header[field]}, expected ${expected[field]}`);
  }
}

/**
 * Magic, checksum and version, which are at the same place in every version: damage is never taken for a newer release.
 */
function soundHead(bytes: Uint8Array): Buffer {
  if (bytes.byteLength < CHUNK_HEADER_BYTES) throw malformed(`only ${bytes.byteLength} bytes`);
  const view = viewOf(bytes);
  if (view.readUInt32LE(0) !== MAGIC) throw malformed('it does not begin as a chunk does');
  if (crcOf(view.subarray(0, HEADER_CRC_AT)) !== view.readUInt32LE(HEADER_CRC_AT))
    throw malformed('the checksum of its header does not match');
  const version = view.readUInt8(4);
  if (version !== VERSION) throw unknownVersion('CHUNK_VERSION', 'chunk', version, VERSION);
  return view;
}

function columnFault({ codec, column, columnBytes, columnCrcs }: ChunkHeader): string | undefined {
  const { dataColumns, parityColumns } = codecShape(codec);
  const columns = dataColumns + parityColumns;
  if (columnBytes.length !== columns || columnCrcs.length !== columns)
    return `${columnBytes.length} lengths and ${columnCrcs.length} checksums for ${columns} columns of ${codec}`;
  if (!(column < columns)) return `column ${column} of ${columns}`;
  if (columnBytes[column] === 0) return `column ${column} is empty, and empty columns are not stored`;
  const parity = parityBytes(Math.max(...columnBytes.slice(0, dataColumns)));
  if (columnBytes.slice(dataColumns).some((bytes) => bytes !== parity))
    return `parity is not as long as the longest column (${parity} bytes)`;
  return undefined;
}

const malformed = (why: string) => corrupt('CHUNK_MALFORMED', `chunk is malformed: ${why}`);
