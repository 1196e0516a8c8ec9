// block/HH | block id: where a block's record is, who refers to it, and its wrapped key. HH are the first 8 bits of the
// hash. Only puts, deletes and GC write it; compaction never does.

import type { BlockId, BucketId, RecordId, VolumeId } from '../../foundation/ids.ts';
import { bytesOf, hexOf } from '../../foundation/ids.ts';
import type { Attributes, Key, Row } from '../panda.ts';
import {
  blockIdIn,
  bucketIdIn,
  bytesIn,
  countIn,
  listIn,
  malformedRow,
  recordIdIn,
  stringIn,
  volumeIdIn,
  wordIn,
} from './row-reader.ts';

/** Where a record was written first; right until its bucket is moved or its volume gets a new generation. */
export interface LocationHint {
  readonly volume: VolumeId;
  readonly generation: number;
  readonly seq: number;
  readonly token: number;
  readonly column: number;
  readonly offset: number;
}

/** live: refs >= 1. trash: refs = 0, can come back. Gone: no row. */
export type BlockState = 'live' | 'trash';

export interface BlockRow {
  readonly id: BlockId;
  readonly cell: string;
  readonly bucket: BucketId;
  readonly slot: number;
  readonly recordId: RecordId;
  readonly recordBytes: number;
  readonly plaintextBytes: number;
  readonly hint: LocationHint;
  readonly refs: number;
  readonly state: BlockState;
  readonly wrappedBek: Uint8Array;
  readonly kekVersion: number;
}

export const blockPartitions = (): string[] =>
  Array.from({ length: 256 }, (_, bits) => `block/${bits.toString(16).padStart(2, '0')}`);
export const blockKey = (id: BlockId): Key => ({ partition: `block/${id.slice(0, 2)}`, sort: id });

export function blockFromRow(row: Row): BlockRow {
  const hint = listIn(row, 'h');
  if (hint.length !== 6) malformedRow(row, `attribute h has ${hint.length} parts`);
  const [volume, generation, seq, token, column, offset] = hint;
  return {
    id: blockIdIn(row, row.sort),
    cell: stringIn(row, 'c'),
    bucket: bucketIdIn(row, stringIn(row, 'b')),
    slot: countIn(row, 'n'),
    recordId: recordIdIn(row, hexOf(bytesIn(row, 'r'))),
    recordBytes: countIn(row, 'l'),
    plaintextBytes: countIn(row, 'z'),
    hint: {
      volume: volumeIdIn(row, String(volume)),
      generation: Number(generation),
      seq: Number(seq),
      token: Number(token),
      column: Number(column),
      offset: Number(offset),
    },
    refs: countIn(row, 'f'),
    state: wordIn(row, 's', ['live', 'trash'] as const),
    wrappedBek: bytesIn(row, 'w'),
    kekVersion: countIn(row, 'k'),
  };
}

export function blockAttributes(block: Omit<BlockRow, 'id'>): Attributes {
  const h = block.hint;
  return {
    c: block.cell,
    b: block.bucket,
    n: block.slot,
    r: bytesOf(block.recordId),
    l: block.recordBytes,
    z: block.plaintextBytes,
    h: [h.volume, h.generation, h.seq, h.token, h.column, h.offset],
    f: block.refs,
    s: block.state,
    w: block.wrappedBek,
    k: block.kekVersion,
  };
}
