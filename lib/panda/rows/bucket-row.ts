// bucket/CELL/SHARD | bucket id: which volume holds a bucket, and how much of it lives. Moving a bucket rewrites this
// row and no block row. dead/CELL/SHARD | bucket id: the dead bits of its slots, 0 to 1 only.
import { type BucketId, SHARDS, shardOf, type VolumeId } from '../../foundation/ids.ts';
import type { Attributes, Clause, Condition, Key, Row } from '../panda.ts';
import type { Change } from './change.ts';
import { bucketIdIn, bytesIn, countIn, optionalCount, stringIn, volumeIdIn } from './row-reader.ts';

export interface BucketRow {
  readonly id: BucketId;
  readonly volume: VolumeId;
  /** How often it was moved; the reader and the mover hold this number against what they saw. */
  readonly move: number;
  /** The move group that holds it (0 and 0 while it was never moved: then it lies in append groups). */
  readonly seq: number;
  readonly token: number;
  /** Record bytes ever appended. */
  readonly usedBytes: number;
  /** Record bytes of the slots whose dead bit is clear. */
  readonly liveBytes: number;
  readonly slots: number;
  readonly createdAtMs: number;
}

const partition = (cell: string, shard: number): string => `bucket/${cell}/${shard}`;
export const bucketPartitions = (cell: string): string[] =>
  Array.from({ length: SHARDS }, (_, shard) => partition(cell, shard));
export const bucketKey = (cell: string, id: BucketId): Key => ({ partition: partition(cell, shardOf(id)), sort: id });

export function bucketFromRow(row: Row): BucketRow {
  return {
    id: bucketIdIn(row, row.sort),
    volume: volumeIdIn(row, stringIn(row, 'v')),
    move: countIn(row, 'm'),
    seq: optionalCount(row, 'q') ?? 0,
    token: optionalCount(row, 't') ?? 0,
    usedBytes: countIn(row, 'u'),
    liveBytes: countIn(row, 'l'),
    slots: countIn(row, 'n'),
    createdAtMs: countIn(row, 'a'),
  };
}

/** A bucket that was never moved lies in append groups and names none. */
export const bucketAttributes = (bucket: Omit<BucketRow, 'id'>): Attributes => ({
  v: bucket.volume,
  m: bucket.move,
  ...(bucket.move === 0 ? {} : { q: bucket.seq, t: bucket.token }),
  u: bucket.usedBytes,
  l: bucket.liveBytes,
  n: bucket.slots,
  a: bucket.createdAtMs,
});

/** It is in this volume still. */
export const bucketIsIn = (volume: VolumeId): Clause => ({ attribute: 'v', equals: volume });

/** Nobody has moved it since it was read, not even there and back. */
export const moveIs = (move: number): Clause => ({ attribute: 'm', equals: move });

/** It has as many slots as were read: nobody has appended to it. */
export const slotCountIs = (slots: number): Clause => ({ attribute: 'n', equals: slots });

/** No slot of it lives, so none will: slots only die. */
export const nothingLives: Clause = { attribute: 'l', equals: 0 };

/** An append: so many more slots, all of them live. */
export const addSlots = (slots: number, recordBytes: number): Change => ({
  add: { u: recordBytes, l: recordBytes, n: slots },
});

/** Slots with so many record bytes have died. */
export const loseLiveBytes = (recordBytes: number): Change => ({ add: { l: -recordBytes } });

/** The bucket is in another volume, in this group of it. */
export const moveTo = ({ volume, move, seq, token }: Pick<BucketRow, 'volume' | 'move' | 'seq' | 'token'>): Change => ({
  set: { v: volume, m: move, q: seq, t: token },
});

export interface DeadRow {
  readonly version: number;
  /** Bit `slot % 8` of byte `slot / 8`; slots past the end are not dead. */
  readonly bits: Uint8Array;
}

export const NO_DEAD: DeadRow = { version: 0, bits: new Uint8Array(0) };
export const deadKey = (cell: string, id: BucketId): Key => ({ partition: `dead/${cell}/${shardOf(id)}`, sort: id });

export const deadFromRow = (row: Row | undefined): DeadRow =>
  row === undefined ? NO_DEAD : { version: countIn(row, 'v'), bits: bytesIn(row, 'b') };

export const deadAttributes = ({ version, bits }: DeadRow): Attributes => ({ v: version, b: bits });

/** The row is as it was read, or still not there: no slot of the bucket has died meanwhile. */
export const deadIsAsRead = ({ version }: DeadRow): Condition =>
  version === 0 ? ['absent'] : [{ attribute: 'v', equals: version }];

export const isDead = (dead: DeadRow, slot: number): boolean => ((dead.bits[slot >> 3] ?? 0) & (1 << (slot & 7))) !== 0;

/** The bits with those of `slots` set as well. */
export function withDead(dead: DeadRow, slots: readonly number[]): Uint8Array {
  const highest = Math.max(dead.bits.length * 8 - 1, ...slots);
  const bits = new Uint8Array((highest >> 3) + 1);
  bits.set(dead.bits);
  for (const slot of slots) bits[slot >> 3] = (bits[slot >> 3] as number) | (1 << (slot & 7));
  return bits;
}
