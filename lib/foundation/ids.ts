// Branded ids, all lower-case hex, and how they are made. A volume id is never accepted where a bucket id is meant.
import { assert } from './assert.ts';
import type { Randomness } from './randomness.ts';

type Brand<T, B extends string> = T & { readonly __brand: B };

/** SHA-256 of a block's plaintext: 64 hex digits. Secret: never on a drive. */
export type BlockId = Brand<string, 'BlockId'>;
/** Random name of one stored record: 32 hex digits. Only Panda ties it to a block id. */
export type RecordId = Brand<string, 'RecordId'>;
/** 16 hex digits; the first one is the volume's shard. */
export type VolumeId = Brand<string, 'VolumeId'>;
/** 16 hex digits; the first one is the bucket's shard. */
export type BucketId = Brand<string, 'BucketId'>;
/** Names one store (all its drives and its Panda): 32 hex digits. */
export type StoreId = Brand<string, 'StoreId'>;
/** Names one append attempt, kept over retries of its own puts: 32 hex digits. */
export type AppendId = Brand<string, 'AppendId'>;
/** Version of an object, and at once the operation id of the transaction that wrote it: 24 hex digits. */
export type ObjectVersion = Brand<string, 'ObjectVersion'>;
/** Owner of a volume while it is compacted, encoded or repaired: `strategy/owner/nonce`. */
export type RunId = Brand<string, 'RunId'>;
/** Position of a drive in the store's list, for good: drives are never renumbered. */
export type DriveId = Brand<number, 'DriveId'>;

const HEX = /^[0-9a-f]*$/;
const isHex = (text: string, digits: number): boolean => text.length === digits && HEX.test(text);

export const hexOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
export const bytesOf = (hex: string): Uint8Array => Buffer.from(hex, 'hex');

const BLOCK_ID_DIGITS = 64;
const RECORD_ID_DIGITS = 32;
const SHORT_ID_DIGITS = 16;

export function blockId(hex: string): BlockId {
  assert(isHex(hex, BLOCK_ID_DIGITS), 'a block id is 64 hex digits');
  return hex as BlockId;
}
export function recordId(hex: string): RecordId {
  assert(isHex(hex, RECORD_ID_DIGITS), 'a record id is 32 hex digits');
  return hex as RecordId;
}
export function volumeId(hex: string): VolumeId {
  assert(isHex(hex, SHORT_ID_DIGITS), 'a volume id is 16 hex digits');
  return hex as VolumeId;
}
export function bucketId(hex: string): BucketId {
  assert(isHex(hex, SHORT_ID_DIGITS), 'a bucket id is 16 hex digits');
  return hex as BucketId;
}
export function storeId(hex: string): StoreId {
  assert(isHex(hex, RECORD_ID_DIGITS), 'a store id is 32 hex digits');
  return hex as StoreId;
}
export function appendId(hex: string): AppendId {
  assert(isHex(hex, RECORD_ID_DIGITS), 'an append id is 32 hex digits');
  return hex as AppendId;
}
export function driveId(index: number): DriveId {
  assert(Number.isInteger(index) && index >= 0 && index < 0x1_0000, 'a drive id is an integer below 65,536');
  return index as DriveId;
}

export const newRecordId = (r: Randomness): RecordId => hexOf(r.bytes(16)) as RecordId;
export const newVolumeId = (r: Randomness): VolumeId => hexOf(r.bytes(8)) as VolumeId;
export const newBucketId = (r: Randomness): BucketId => hexOf(r.bytes(8)) as BucketId;
export const newStoreId = (r: Randomness): StoreId => hexOf(r.bytes(16)) as StoreId;
export const newAppendId = (r: Randomness): AppendId => hexOf(r.bytes(16)) as AppendId;
export const newObjectVersion = (r: Randomness): ObjectVersion => hexOf(r.bytes(12)) as ObjectVersion;

/** The first hex digit as a number 0..15: volumes, buckets and trash are spread over 16 Panda partitions. */
export const shardOf = (id: VolumeId | BucketId): number => Number.parseInt(id[0] as string, 16);
export const SHARDS = 16;
