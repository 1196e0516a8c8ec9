// From plaintext to record and back: compress where it pays, encrypt under a key of this block alone (BEK), wrap that
// key with the KEK. The record id is random and the only name on a drive; the block id, a hash of the plaintext, never
// leaves Panda. The nonce is fixed at zero. GCM needs a nonce that is never used twice under one key, and here a key is
// never used twice: 256 fresh random bits for every sealing, even of the same block sealed again.
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createSecretKey,
  hash,
  type KeyObject,
  timingSafeEqual,
} from 'node:crypto';
import type { RecordHeader } from '../format/record.ts';
import { parseRecord, RECORD_TAG_BYTES, recordAad, recordBytes, writeRecord } from '../format/record.ts';
import { assert } from '../foundation/assert.ts';
import { corrupt, denied, isKind, type PocketfulError } from '../foundation/errors.ts';
import { type BlockId, bytesOf, hexOf, type RecordId } from '../foundation/ids.ts';
import type { Randomness } from '../foundation/randomness.ts';
import { GIVEN_BACK_BYTES_MIN } from '../limits/bytes.ts';
import { BLOCK_BYTES_MAX } from '../limits/frontend.ts';
import { compressed, compressedInPool, decompressed, decompressedInPool, POOL_BYTES_MIN } from './compression.ts';
import { sha256InPool } from './thread-pool.ts';

export const KEK_BYTES = 32;
const BEK_BYTES = 32;
export const RECORD_ID_BYTES = 16;
/** What sealing a block draws: its record's id and its key. */
export const SEAL_RANDOM_BYTES = RECORD_ID_BYTES + BEK_BYTES;
/** A BEK under AES key wrap (RFC 3394): 8 bytes longer. */
export const WRAPPED_BEK_BYTES = BEK_BYTES + 8;
const ZERO_NONCE = Buffer.alloc(12);
/** The initial value of RFC 3394: it makes unwrapping under a wrong key fail. */
const WRAP_INITIAL_VALUE = Buffer.alloc(8, 0xa6);

export interface Kek {
  readonly version: number;
  readonly key: Uint8Array;
}

export interface SealedBlock {
  readonly recordId: RecordId;
  /** Complete, as it lies on a drive. */
  readonly record: Uint8Array;
  readonly wrappedBek: Uint8Array;
  readonly kekVersion: number;
}

export interface ExpectedBlock {
  readonly recordId: RecordId;
  readonly blockId: BlockId;
  /** Namespaces one of which may keep the block for itself. */
  readonly owners?: readonly string[];
}

/** SHA-256 of the plaintext. */
export const blockIdOf = (plaintext: Uint8Array): BlockId => hash('sha256', plaintext, 'hex') as BlockId;

/** The same, off the calling thread for large blocks. */
export async function blockIdInPool(plaintext: Uint8Array): Promise<BlockId> {
  if (plaintext.byteLength < POOL_BYTES_MIN) return blockIdOf(plaintext);
  return hexOf(await sha256InPool(plaintext)) as BlockId;
}

/**
 * The id of a block that a namespace shares with no other one. Nothing of it is secret: a caller writes under the name
 * of its own namespace only, so no other one's block has this id.
 */
export const ownBlockId = (namespace: string, blockId: BlockId): BlockId =>
  createHash('sha256').update(`pocketful block of ${namespace}\0`).update(blockId, 'hex').digest('hex') as BlockId;

export function sealBlock(plaintext: Uint8Array, randomness: Randomness, kek: Kek): SealedBlock {
  assertBlock(plaintext);
  return encrypt(plaintext, compressed(plaintext), randomness, kek);
}

/** The same, with large blocks compressed in the thread pool: for servers and pipelines. `memoryOf`: its record's. */
export async function sealBlockInPool(
  plaintext: Uint8Array,
  randomness: Randomness,
  kek: Kek,
  memoryOf?: (bytes: number) => Buffer,
): Promise<SealedBlock> {
  assertBlock(plaintext);
  return encrypt(plaintext, await compressedInPool(plaintext), randomness, kek, memoryOf);
}

/**
 * The plaintext of a record. Throws `corrupt` BLOCK_CORRUPT if it is not exactly the record and block expected, and
 * `denied` KEK_WRONG if the KEK does not open `wrappedBek`.
 */
export function openBlock(
  record: Uint8Array,
  wrappedBek: Uint8Array,
  kek: Uint8Array,
  expected: ExpectedBlock,
): Uint8Array {
  const { header, body } = decrypt(record, wrappedBek, kek, expected);
  const plaintext = header.compressed ? unpacked(() => decompressed(body, header.plaintextBytes)) : body;
  return checked(plaintext, header, expected, blockIdOf(plaintext));
}

/** The same, with large blocks decompressed and hashed in the thread pool. */
export async function openBlockInPool(
  record: Uint8Array,
  wrappedBek: Uint8Array,
  kek: Uint8Array,
  expected: ExpectedBlock,
): Promise<Uint8Array> {
  const { header, body } = decrypt(record, wrappedBek, kek, expected);
  let plaintext = body;
  if (header.compressed) {
    plaintext = await decompressedInPool(body, header.plaintextBytes).catch((cause) => {
      throw undecompressable(cause);
    });
    giveBack(body);
  }
  return checked(plaintext, header, expected, await blockIdInPool(plaintext));
}

/** Wraps a BEK with a KEK; for rotation, with `unwrapBek`. */
export function wrapBek(bek: Uint8Array, kek: Uint8Array): Uint8Array {
  assert(bek.byteLength === BEK_BYTES, 'a BEK has 32 bytes');
  const cipher = createCipheriv('id-aes256-wrap', kekObject(kek), WRAP_INITIAL_VALUE);
  return Buffer.concat([cipher.update(bek), cipher.final()]);
}

/** Throws `denied` KEK_WRONG if this KEK did not wrap it, or it is damaged. */
export function unwrapBek(wrappedBek: Uint8Array, kek: Uint8Array): Uint8Array {
  const key = kekObject(kek);
  try {
    const decipher = createDecipheriv('id-aes256-wrap', key, WRAP_INITIAL_VALUE);
    const bek = Buffer.concat([decipher.update(wrappedBek), decipher.final()]);
    if (bek.byteLength === BEK_BYTES) return bek;
  } catch (cause) {
    throw kekWrong(cause);
  }
  throw kekWrong();
}

/**
 * Sealed with SEAL_RANDOM_BYTES that were drawn for this block, never used before and never again: wiped. The record
 * is at the start of `into`, which has room for the longest that the block may become.
 */
export function sealBlockInto(into: Buffer, plaintext: Uint8Array, random: Uint8Array, kek: Kek): SealedBlock {
  assertBlock(plaintext);
  assert(random.byteLength === SEAL_RANDOM_BYTES, 'a block is sealed with 48 random bytes');
  return encryptWith(plaintext, compressed(plaintext), random, kek, (bytes) => into.subarray(0, bytes));
}

/** One draw for id and key: entropy has its price by the call. */
const encrypt = (
  plaintext: Uint8Array,
  packed: Uint8Array | undefined,
  randomness: Randomness,
  kek: Kek,
  memoryOf?: (bytes: number) => Buffer,
): SealedBlock => encryptWith(plaintext, packed, randomness.bytes(SEAL_RANDOM_BYTES), kek, memoryOf);

function encryptWith(
  plaintext: Uint8Array,
  packed: Uint8Array | undefined,
  random: Uint8Array,
  kek: Kek,
  memoryOf: (bytes: number) => Buffer = Buffer.allocUnsafeSlow,
): SealedBlock {
  const recordId = hexOf(random.subarray(0, RECORD_ID_BYTES)) as RecordId;
  const bek = random.subarray(RECORD_ID_BYTES);
  const content = packed ?? plaintext;
  const header: RecordHeader = {
    recordId,
    compressed: packed !== undefined,
    plaintextBytes: plaintext.byteLength,
    bodyBytes: content.byteLength + RECORD_TAG_BYTES,
  };
  // A key object first: given the bytes, createCipheriv takes 20 us longer, as much as encrypting 16 KiB.
  const cipher = createCipheriv('aes-256-gcm', createSecretKey(bek), ZERO_NONCE);
  cipher.setAAD(recordAad(header));
  const ciphertext = cipher.update(content);
  const record = writeRecord(memoryOf(recordBytes(header)), header, ciphertext, cipher.final(), cipher.getAuthTag());
  giveBack(ciphertext);
  const wrappedBek = wrapBek(bek, kek.key);
  bek.fill(0);
  return { recordId, record, wrappedBek, kekVersion: kek.version };
}

/** Memory of its own goes at once: as garbage it would add up to many times what is in use. */
export function giveBack({ buffer, byteLength }: Uint8Array): void {
  if (byteLength >= GIVEN_BACK_BYTES_MIN && byteLength === buffer.byteLength) (buffer as ArrayBuffer).transfer(0);
}

function decrypt(
  record: Uint8Array,
  wrappedBek: Uint8Array,
  kek: Uint8Array,
  expected: ExpectedBlock,
): { header: RecordHeader; body: Uint8Array } {
  const { header, body } = parsed(record);
  if (!timingSafeEqual(bytesOf(header.recordId), bytesOf(expected.recordId)))
    throw damaged(`it is record ${header.recordId}, not ${expected.recordId}`);
  const bek = unwrapBek(wrappedBek, kek);
  const decipher = createDecipheriv('aes-256-gcm', createSecretKey(bek), ZERO_NONCE, {
    authTagLength: RECORD_TAG_BYTES,
  });
  bek.fill(0);
  const tagAt = body.byteLength - RECORD_TAG_BYTES;
  decipher.setAAD(recordAad(header));
  decipher.setAuthTag(body.subarray(tagAt));
  const content = decipher.update(body.subarray(0, tagAt)); // nothing of it is used unless final() finds the tag right
  try {
    decipher.final();
  } catch (cause) {
    throw damaged('its authentication tag does not match', cause);
  }
  return { header, body: content };
}

function parsed(record: Uint8Array): { header: RecordHeader; body: Uint8Array } {
  try {
    return parseRecord(record);
  } catch (error) {
    if (isKind(error, 'corrupt')) throw damaged(error.message, error);
    throw error;
  }
}

function unpacked(decompress: () => Uint8Array): Uint8Array {
  try {
    return decompress();
  } catch (cause) {
    throw undecompressable(cause);
  }
}

function checked(plaintext: Uint8Array, header: RecordHeader, expected: ExpectedBlock, found: BlockId): Uint8Array {
  if (plaintext.byteLength !== header.plaintextBytes)
    throw damaged(`it has ${plaintext.byteLength} bytes of plaintext, ${header.plaintextBytes} declared`);
  if (!isExpected(found, expected)) throw damaged('its plaintext is another block');
  return plaintext;
}

function isExpected(found: BlockId, { blockId, owners = [] }: ExpectedBlock): boolean {
  const isIt = (id: BlockId): boolean => timingSafeEqual(bytesOf(id), bytesOf(blockId));
  return isIt(found) || owners.some((namespace) => isIt(ownBlockId(namespace, found)));
}

function assertBlock(plaintext: Uint8Array): void {
  assert(plaintext.byteLength <= BLOCK_BYTES_MAX, () => `a block of ${plaintext.byteLength} bytes is over 4 MiB`);
}

function kekObject(kek: Uint8Array): KeyObject {
  assert(kek.byteLength === KEK_BYTES, 'a KEK has 32 bytes');
  return createSecretKey(kek);
}

const damaged = (why: string, cause?: unknown): PocketfulError =>
  corrupt('BLOCK_CORRUPT', `block cannot be read: ${why}`, cause);
const undecompressable = (cause: unknown): PocketfulError => damaged('its compressed bytes are not sound', cause);
const kekWrong = (cause?: unknown): PocketfulError =>
  denied(
    'KEK_WRONG',
    "the key-encryption key does not open this block: it is another store's, or the row is damaged",
    cause,
  );
