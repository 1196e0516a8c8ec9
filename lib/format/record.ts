// One stored block: a 32-byte header and its body (ciphertext and AEAD tag). The bytes are in docs/format.md. The first
// 28 bytes are the AEAD's associated data, so a header cannot be put before another body; the checksum finds damage
// without a key.
import { crc32 } from 'node:zlib';
import { assert } from '../foundation/assert.ts';
import { corrupt } from '../foundation/errors.ts';
import { bytesOf, hexOf, type RecordId, recordId } from '../foundation/ids.ts';
import { BLOCK_BYTES_MAX } from '../limits/frontend.ts';
import { crcOfJoined } from './crc-combine.ts';
import { assertWithin, crcOf, unknownVersion, viewOf } from './wire.ts';

export const RECORD_HEADER_BYTES = 32;
const RECORD_AAD_BYTES = 28;
/** AES-256-GCM tag at the end of every body. */
export const RECORD_TAG_BYTES = 16;
/** A body is at most this much longer than its plaintext: the tag, and 16 spare bytes. */
const RECORD_BODY_EXTRA_BYTES_MAX = 32;
/** What a record that is not compressed is longer than its plaintext. */
export const RECORD_OVERHEAD_BYTES = RECORD_HEADER_BYTES + RECORD_TAG_BYTES;
export const RECORD_BYTES_MIN = RECORD_HEADER_BYTES + RECORD_TAG_BYTES;
export const RECORD_BYTES_MAX = RECORD_HEADER_BYTES + BLOCK_BYTES_MAX + RECORD_BODY_EXTRA_BYTES_MAX;

const MAGIC = 0x7270; // 'pr'
const VERSION = 1;
const FLAG_COMPRESSED = 1;

export interface RecordHeader {
  readonly recordId: RecordId;
  /** The plaintext was compressed with zstd before it was encrypted. */
  readonly compressed: boolean;
  readonly plaintextBytes: number;
  /** Ciphertext and tag. */
  readonly bodyBytes: number;
}

/** Length of the whole record. */
export const recordBytes = (header: Pick<RecordHeader, 'bodyBytes'>): number => RECORD_HEADER_BYTES + header.bodyBytes;

/** The first 28 bytes: associated data of the encryption. */
export function recordAad(header: RecordHeader): Uint8Array {
  const view = Buffer.alloc(RECORD_AAD_BYTES);
  writeAad(view, header);
  return view;
}

/** The parts of the body one after the other are copied behind the header. */
export function buildRecord(header: RecordHeader, ...parts: readonly Uint8Array[]): Uint8Array {
  return writeRecord(Buffer.allocUnsafeSlow(recordBytes(header)), header, ...parts);
}

/** The same into memory that has just the length of the record. */
export function writeRecord(record: Buffer, header: RecordHeader, ...parts: readonly Uint8Array[]): Uint8Array {
  const bodyBytes = parts.reduce((sum, part) => sum + part.byteLength, 0);
  assert(bodyBytes === header.bodyBytes, () => `a body of ${bodyBytes} bytes, ${header.bodyBytes} declared`);
  assert(record.byteLength === recordBytes(header), 'the memory of a record is as long as it');
  writeAad(record, header);
  let at = RECORD_HEADER_BYTES;
  for (const part of parts) {
    record.set(part, at);
    at += part.byteLength;
  }
  const crc = crcOf(record.subarray(0, RECORD_AAD_BYTES), record.subarray(RECORD_HEADER_BYTES));
  record.writeUInt32LE(crc, RECORD_AAD_BYTES);
  return record;
}

/**
 * The header alone, for readers of directories and of the first bytes of a range. The checksum needs the body:
 * parseRecord.
 */
export function parseRecordHeader(bytes: Uint8Array): RecordHeader {
  const view = headOf(bytes);
  const version = view.readUInt8(2);
  if (version !== VERSION) throw unknownVersion('RECORD_VERSION', 'record', version, VERSION);
  const flags = view.readUInt8(3);
  if ((flags & ~FLAG_COMPRESSED) !== 0) throw malformed(`unknown flags ${flags}`);
  const header: RecordHeader = {
    compressed: (flags & FLAG_COMPRESSED) !== 0,
    plaintextBytes: view.readUInt32LE(4),
    bodyBytes: view.readUInt32LE(8),
    recordId: recordId(hexOf(view.subarray(12, 28))),
  };
  const wrong = lengthFault(header);
  if (wrong !== undefined) throw malformed(wrong);
  return header;
}

/** `bytes` is exactly one record. The body shares its memory. */
export function parseRecord(bytes: Uint8Array): { header: RecordHeader; body: Uint8Array } {
  const view = headOf(bytes);
  const body = bytes.subarray(RECORD_HEADER_BYTES);
  const sound = crcOf(view.subarray(0, RECORD_AAD_BYTES), body) === view.readUInt32LE(RECORD_AAD_BYTES);
  // The checksum is where it is in every version, so that one flipped bit is not taken for a newer release's record.
  if (!sound && view.readUInt8(2) !== VERSION) throw checksum();
  const header = parseRecordHeader(bytes);
  if (bytes.byteLength !== recordBytes(header))
    throw malformed(`${bytes.byteLength} bytes given, ${recordBytes(header)} declared`);
  if (!sound) throw checksum();
  return { header, body };
}

/** CRC-32 of all bytes of a sound record, from the checksum in it; the body is not read. */
export function recordCrc(record: Uint8Array): number {
  const stored = viewOf(record).readUInt32LE(RECORD_AAD_BYTES);
  const aad = crc32(record.subarray(0, RECORD_AAD_BYTES));
  const head = crc32(record.subarray(RECORD_AAD_BYTES, RECORD_HEADER_BYTES), aad);
  // The stored checksum has the body behind the first 28 bytes, this one behind all 32; checksums are linear.
  return crcOfJoined((aad ^ head) >>> 0, stored, record.byteLength - RECORD_HEADER_BYTES);
}

function headOf(bytes: Uint8Array): Buffer {
  if (bytes.byteLength < RECORD_HEADER_BYTES) throw malformed(`only ${bytes.byteLength} bytes`);
  const view = viewOf(bytes);
  if (view.readUInt16LE(0) !== MAGIC) throw malformed('it does not begin as a record does');
  return view;
}

function writeAad(view: Buffer, header: RecordHeader): void {
  const wrong = lengthFault(header);
  assert(wrong === undefined, () => `record: ${wrong}`);
  assertWithin(header.plaintextBytes, BLOCK_BYTES_MAX, 'plaintextBytes');
  view.writeUInt16LE(MAGIC, 0);
  view.writeUInt8(VERSION, 2);
  view.writeUInt8(header.compressed ? FLAG_COMPRESSED : 0, 3);
  view.writeUInt32LE(header.plaintextBytes, 4);
  view.writeUInt32LE(header.bodyBytes, 8);
  view.set(bytesOf(header.recordId), 12);
}

function lengthFault({ plaintextBytes, bodyBytes, compressed }: RecordHeader): string | undefined {
  if (plaintextBytes > BLOCK_BYTES_MAX) return `a plaintext of ${plaintextBytes} bytes is over 4 MiB`;
  const bodyMin = (compressed ? 0 : plaintextBytes) + RECORD_TAG_BYTES;
  if (bodyBytes < bodyMin || bodyBytes > plaintextBytes + RECORD_BODY_EXTRA_BYTES_MAX)
    return `a body of ${bodyBytes} bytes cannot hold a plaintext of ${plaintextBytes}`;
  return undefined;
}

const malformed = (why: string) => corrupt('RECORD_MALFORMED', `record is malformed: ${why}`);
const checksum = () => corrupt('RECORD_CHECKSUM', 'record is damaged: its checksum does not match');
