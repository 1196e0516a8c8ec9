// trash/CELL/SHARD | bucket/slot: a block nobody refers to, waiting for GC. shred/CELL | time/id: what GC destroyed.
import { type BlockId, type BucketId, hexOf, type RecordId, SHARDS, shardOf } from '../../foundation/ids.ts';
import type { Attributes, Clause, Key, Row } from '../panda.ts';
import type { Change } from './change.ts';
import { blockIdIn, bucketIdIn, bytesIn, countIn, padded, recordIdIn, stringIn } from './row-reader.ts';

export interface TrashRow {
  readonly bucket: BucketId;
  readonly slot: number;
  readonly blockId: BlockId;
  readonly recordId: RecordId;
  readonly recordBytes: number;
  readonly sinceMs: number;
}

const SLOT_DIGITS = 5;
export const trashPartitions = (cell: string): string[] =>
  Array.from({ length: SHARDS }, (_, shard) => `trash/${cell}/${shard}`);
export const trashKey = (cell: string, bucket: BucketId, slot: number): Key => ({
  partition: `trash/${cell}/${shardOf(bucket)}`,
  sort: `${bucket}/${padded(slot, SLOT_DIGITS)}`,
});
export function trashFromRow(row: Row): TrashRow {
  const [bucket, slot] = row.sort.split('/');
  return {
    bucket: bucketIdIn(row, bucket ?? ''),
    slot: Number(slot),
    blockId: blockIdIn(row, stringIn(row, 'b')),
    recordId: recordIdIn(row, stringIn(row, 'r')),
    recordBytes: countIn(row, 'l'),
    sinceMs: countIn(row, 'a'),
  };
}
export const trashAttributes = (trash: Omit<TrashRow, 'bucket' | 'slot'>): Attributes => ({
  b: trash.blockId,
  r: trash.recordId,
  l: trash.recordBytes,
  a: trash.sinceMs,
});

/** The same stay in trash: a block that came back and went there again has a row with another time. */
export const inTrashSince = (sinceMs: number): Clause => ({ attribute: 'a', equals: sinceMs });

/** Its grace begins anew. */
export const restartGrace = (nowMs: number): Change => ({ set: { a: nowMs } });

/** One entry of the shred log: record ids whose wrapped keys are destroyed. */
export interface ShredRow {
  readonly id: string;
  readonly atMs: number;
  readonly recordIds: readonly RecordId[];
  /** The highest KEK version that wrapped one of them: final when it and all before are destroyed. */
  readonly kekVersion: number;
}
const TIME_DIGITS = 15;
const RECORD_ID_BYTES = 16;
export const shredPartition = (cell: string): string => `shred/${cell}`;
export const shredKey = (cell: string, atMs: number, id: string): Key => ({
  partition: shredPartition(cell),
  sort: `${padded(atMs, TIME_DIGITS)}/${id}`,
});
export function shredFromRow(row: Row): ShredRow {
  const hex = hexOf(bytesIn(row, 'r'));
  const [at, id] = row.sort.split('/');
  return {
    id: id ?? '',
    atMs: Number(at),
    recordIds: Array.from({ length: Math.ceil(hex.length / (2 * RECORD_ID_BYTES)) }, (_, i) =>
      recordIdIn(row, hex.slice(i * 32, i * 32 + 32)),
    ),
    kekVersion: countIn(row, 'k'),
  };
}
export const shredAttributes = (shred: Pick<ShredRow, 'recordIds' | 'kekVersion'>): Attributes => ({
  r: Buffer.from(shred.recordIds.join(''), 'hex'),
  k: shred.kekVersion,
});
