// An object of a segment: a header, then frames. Each object has a key of its own, wrapped by the key-encryption key;
// each frame is encrypted under it, with its number for a nonce and a bit in it for the last one, and the header for
// what goes with it: frames of another object, in another order, or too few of them are refused.
import { createCipheriv, createDecipheriv, createSecretKey } from 'node:crypto';
import { constants, zstdCompressSync } from 'node:zlib';
import { assertWithin, crcOf, isZero, readU64, U32_MAX, unknownVersion, viewOf, writeU64 } from '../format/wire.ts';
import { bytesOf, hexOf, type StoreId, storeId } from '../foundation/ids.ts';
import type { Randomness } from '../foundation/randomness.ts';
import { decompressed } from '../keys/compression.ts';
import { type Kek, unwrapBek, WRAPPED_BEK_BYTES, wrapBek } from '../keys/envelope.ts';
import { FRAME_BYTES_MAX, SEGMENT_PARTS_MAX } from '../limits/journal.ts';
import { type RowImage, rowImagesOf, segmentCorrupt } from './frame.ts';
import { LEVELS, NOTHING, type PartName, samePoint } from './points.ts';

export const PART_HEADER_BYTES = 160;
const MAGIC = 0x534a_4650; // 'PFJS'
const VERSION = 1;
const SNAPSHOT = 0xff;
const KEY_AT = 88;
const RESERVED_AT = KEY_AT + WRAPPED_BEK_BYTES;
const CRC_AT = PART_HEADER_BYTES - 4;
const KEY_BYTES = 32;
const TAG_BYTES = 16;
const FRAME_HEAD_BYTES = 8;
const NONCE_BYTES = 12;

export interface PartHeader extends PartName {
  readonly storeId: StoreId;
  readonly epoch: number;
  readonly rows: number;
  readonly frames: number;
  /** Of everything behind the header. */
  readonly payloadBytes: number;
  readonly kekVersion: number;
  readonly wrappedKey: Uint8Array;
}

export interface PartIdentity extends PartName {
  readonly storeId: StoreId;
  readonly epoch: number;
}

/** `frames`: each the bytes of some rows. */
export function buildPart(
  name: PartIdentity,
  frames: readonly Uint8Array[],
  rows: number,
  kek: Kek,
  randomness: Randomness,
): Uint8Array[] {
  const key = randomness.bytes(KEY_BYTES);
  const packed = frames.map((plain) => {
    const smaller = zstdCompressSync(plain, { params: { [constants.ZSTD_c_compressionLevel]: 1 } });
    return smaller.byteLength < plain.byteLength ? smaller : plain;
  });
  const payloadBytes = packed.reduce((sum, { byteLength }) => sum + FRAME_HEAD_BYTES + byteLength + TAG_BYTES, 0);
  const header = encodeHeader({
    ...name,
    ...{ rows, frames: frames.length, payloadBytes, kekVersion: kek.version, wrappedKey: wrapBek(key, kek.key) },
  });
  const secret = createSecretKey(key);
  key.fill(0);
  const out: Uint8Array[] = [header];
  for (const [i, content] of packed.entries()) {
    const head = Buffer.alloc(FRAME_HEAD_BYTES);
    head.writeUInt32LE((frames[i] as Uint8Array).byteLength, 0);
    head.writeUInt32LE(content.byteLength, 4);
    const cipher = createCipheriv('aes-256-gcm', secret, nonceOf(i, i === frames.length - 1));
    cipher.setAAD(Buffer.concat([header, head]));
    out.push(head, cipher.update(content), cipher.final(), cipher.getAuthTag());
  }
  return out;
}

function nonceOf(frame: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(NONCE_BYTES);
  nonce.writeUInt32LE(frame, 0);
  nonce.writeUInt8(isLast ? 1 : 0, NONCE_BYTES - 1);
  return nonce;
}

function encodeHeader(header: PartHeader): Buffer {
  const { level, from, to, part } = header;
  assertWithin(part, SEGMENT_PARTS_MAX, 'part');
  const view = Buffer.alloc(PART_HEADER_BYTES);
  view.writeUInt32LE(MAGIC, 0);
  view.writeUInt8(VERSION, 4);
  view.writeUInt8(level === 'snapshot' ? SNAPSHOT : level, 5);
  view.writeUInt8(header.isLast ? 1 : 0, 6);
  view.set(bytesOf(header.storeId), 8);
  writeU64(view, header.epoch, 24);
  writeU64(view, from.sequence, 32);
  writeU64(view, to.sequence, 40);
  writeU64(view, header.atMs, 48);
  view.set(bytesOf(from.mark), 56);
  view.set(bytesOf(to.mark), 60);
  view.writeUInt32LE(part, 64);
  view.set(bytesOf(header.id), 68);
  for (const [i, value] of [header.rows, header.frames, header.payloadBytes, header.kekVersion].entries()) {
    assertWithin(value, U32_MAX, 'a count of a segment');
    view.writeUInt32LE(value, 72 + 4 * i);
  }
  view.set(header.wrappedKey, KEY_AT);
  view.writeUInt32LE(crcOf(view.subarray(0, CRC_AT)), CRC_AT);
  return view;
}

/** From the first 160 bytes; more may follow. Throws `corrupt` SEGMENT_CORRUPT. */
export function parsePartHeader(bytes: Uint8Array): PartHeader {
  if (bytes.byteLength < PART_HEADER_BYTES) throw segmentCorrupt('it is too short');
  const view = viewOf(bytes).subarray(0, PART_HEADER_BYTES);
  if (view.readUInt32LE(0) !== MAGIC) throw segmentCorrupt('it is no segment');
  if (view.readUInt8(4) !== VERSION) throw unknownVersion('SEGMENT_CORRUPT', 'a segment', view.readUInt8(4), VERSION);
  if (view.readUInt32LE(CRC_AT) !== crcOf(view.subarray(0, CRC_AT))) throw segmentCorrupt('its header is damaged');
  const kind = view.readUInt8(5);
  const [epoch, from, to, atMs] = [24, 32, 40, 48].map((at) => readU64(view, at));
  const isKnown = kind === SNAPSHOT || kind < LEVELS;
  if (epoch === undefined || from === undefined || to === undefined || atMs === undefined || !isKnown)
    throw segmentCorrupt('its header holds what no writer writes');
  const header: PartHeader = {
    level: kind === SNAPSHOT ? 'snapshot' : kind,
    from: { sequence: from, mark: hexOf(view.subarray(56, 60)) },
    to: { sequence: to, mark: hexOf(view.subarray(60, 64)) },
    atMs,
    part: view.readUInt32LE(64),
    id: hexOf(view.subarray(68, 70)),
    isLast: view.readUInt8(6) === 1,
    storeId: storeId(hexOf(view.subarray(8, 24))),
    epoch,
    rows: view.readUInt32LE(72),
    frames: view.readUInt32LE(76),
    payloadBytes: view.readUInt32LE(80),
    kekVersion: view.readUInt32LE(84),
    wrappedKey: new Uint8Array(view.subarray(KEY_AT, RESERVED_AT)),
  };
  const isZeros = isZero(view, 7, 8) && isZero(view, 70, 72) && isZero(view, RESERVED_AT, CRC_AT);
  const isSnapshot = samePoint(header.from, NOTHING) === (header.level === 'snapshot');
  if (view.readUInt8(6) > 1 || !isZeros || !isSnapshot || header.part > SEGMENT_PARTS_MAX || from >= to)
    throw segmentCorrupt('its header holds what no writer writes');
  return header;
}

/** The rows of an object of a segment, in their order. Throws `corrupt` SEGMENT_CORRUPT, `denied` KEK_WRONG. */
export function* openPart(bytes: Uint8Array, kek: Uint8Array): Generator<RowImage> {
  const header = parsePartHeader(bytes);
  if (bytes.byteLength !== PART_HEADER_BYTES + header.payloadBytes) throw segmentCorrupt('it is cut off, or too long');
  const key = unwrapBek(header.wrappedKey, kek);
  const secret = createSecretKey(key);
  key.fill(0);
  let at = PART_HEADER_BYTES;
  let rows = 0;
  for (let i = 0; i < header.frames; i++) {
    const { content, end } = openFrame(bytes, at, secret, i, i === header.frames - 1);
    at = end;
    for (const row of rowImagesOf(content)) {
      rows += 1;
      yield row;
    }
  }
  if (at !== bytes.byteLength || rows !== header.rows) throw segmentCorrupt('it does not hold what its header says');
}

function openFrame(
  bytes: Uint8Array,
  at: number,
  secret: ReturnType<typeof createSecretKey>,
  index: number,
  isLast: boolean,
): { readonly content: Uint8Array; readonly end: number } {
  const view = viewOf(bytes);
  if (bytes.byteLength - at < FRAME_HEAD_BYTES + TAG_BYTES) throw segmentCorrupt('it ends within a frame');
  const plainBytes = view.readUInt32LE(at);
  const packedBytes = view.readUInt32LE(at + 4);
  const from = at + FRAME_HEAD_BYTES;
  const end = from + packedBytes + TAG_BYTES;
  if (plainBytes > FRAME_BYTES_MAX || packedBytes > plainBytes || end > bytes.byteLength)
    throw segmentCorrupt('a frame of a wrong length');
  const decipher = createDecipheriv('aes-256-gcm', secret, nonceOf(index, isLast), { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.concat([bytes.subarray(0, PART_HEADER_BYTES), bytes.subarray(at, from)]));
  decipher.setAuthTag(bytes.subarray(end - TAG_BYTES, end));
  const packed = decipher.update(bytes.subarray(from, end - TAG_BYTES));
  try {
    decipher.final();
    const content = packedBytes === plainBytes ? packed : decompressed(packed, plainBytes);
    if (content.byteLength !== plainBytes) throw segmentCorrupt('a frame of another length than it says');
    return { content, end };
  } catch (cause) {
    throw segmentCorrupt('a frame is damaged', cause);
  }
}
