// block/HH | block id: where a block's record is, who refers to it, and its wrapped key. HH are the first 8 bits of the
// hash. Only puts, deletes and GC write it; compaction never does.

import type { BlockId, BucketId, RecordId, VolumeId } from '../../foundation/ids.ts';
import { bytesOf, hexOf } from '../../foundation/ids.ts';
import type { Attributes, Clause, Key, Row } from '../panda.ts';
import type { Change } from './change.ts';
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

/** Where a block's record is meant to be: trash rows and dead bits go by this place. */
export type BlockSlot = Pick<BlockRow, 'bucket' | 'slot'>;

/** Still the same record: the block was not shredded, stored anew or renewed since it was read. */
export const recordIs = (recordId: RecordId): Clause => ({ attribute: 'r', equals: bytesOf(recordId) });

/**
 * Still in the slot where it was read, for a merge may give it another one. Whatever is written by bucket and slot
 * (trash, dead bits) needs it.
 */
export const slotIs = ({ bucket, slot }: BlockSlot): Clause[] => [
  { attribute: 'b', equals: bucket },
  { attribute: 'n', equals: slot },
];

/** live: somebody refers to it. trash: nobody does, and a trash row says so. */
export const blockIs = (state: BlockState): Clause => ({ attribute: 's', equals: state });

/** As many references as were read: whoever takes the last ones away must know of all. */
export const refsAre = (refs: number): Clause => ({ attribute: 'f', equals: refs });

/** So many references or more. */
export const refsAtLeast = (refs: number): Clause => ({ attribute: 'f', atLeast: refs });

/** Its key is wrapped under this version: no other pass has wrapped it anew. */
export const wrappedUnder = (kekVersion: number): Clause => ({ attribute: 'k', equals: kekVersion });

/** More references, or fewer; the block stays live. */
export const addRefs = (delta: number): Change => ({ add: { f: delta } });

/** trash -> live, with these references. */
export const bringBack = (refs: number): Change => ({ set: { s: 'live', f: refs } });

/** live -> trash: nobody refers to it any more. */
export const sendToTrash: Change = { set: { s: 'trash', f: 0 } };

/** The same record, copied to another slot by a merge. */
export const moveToSlot = ({ bucket, slot }: BlockSlot): Change => ({ set: { b: bucket, n: slot } });

/** The same key, wrapped under another version. */
export const wrapUnder = ({ wrappedBek, kekVersion }: Pick<BlockRow, 'wrappedBek' | 'kekVersion'>): Change => ({
  set: { w: wrappedBek, k: kekVersion },
});

/** Another record of the same block. References may come and go meanwhile: neither they nor the state are written. */
export function renewRecord(block: Omit<BlockRow, 'id' | 'refs' | 'state'>): Change {
  const { f: _refs, s: _state, ...set } = blockAttributes({ ...block, refs: 0, state: 'live' });
  return { set };
}
