// What a block's row says, and how it is stored. Format 3 packs it into three binary attributes; format 1 and 2 had one
// for each fact, and are read until somebody changes the row in any case.
import {
  type BlockId,
  type BucketId,
  bytesOf,
  hexOf,
  type ObjectVersion,
  type RecordId,
  type VolumeId,
} from '../../../foundation/ids.ts';
import type { Attributes, Row } from '../../panda.ts';
import { PACKED_FORM, Packer, Unpacker } from '../packing.ts';
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
} from '../row-reader.ts';

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
  /** The version whose reference, one of `refs`, is the named one: giving it back twice is giving it back once. */
  readonly named?: ObjectVersion;
  /** Stored as format 1 and 2 did: whoever changes it writes it anew. */
  readonly isOld?: true;
}

/** References that are only counted. */
export const countedRefs = ({ refs, named }: Pick<BlockRow, 'refs' | 'named'>): number =>
  named === undefined ? refs : refs - 1;

/** Where a block's record is meant to be: trash rows and dead bits go by this place. */
export type BlockSlot = Pick<BlockRow, 'bucket' | 'slot'>;

const ID_BYTES = 8;

export const packedPlace = ({ bucket, slot }: BlockSlot): Uint8Array => new Packer().hex(bucket).varint(slot).end();

/** KEK version and wrapped key. */
export const packedKey = ({ kekVersion, wrappedBek }: Pick<BlockRow, 'kekVersion' | 'wrappedBek'>): Uint8Array =>
  new Packer().varint(kekVersion).bytes(wrappedBek).end();

type Facts = Pick<BlockRow, 'cell' | 'recordBytes' | 'plaintextBytes' | 'hint'>;

/** Form, cell, lengths, and where the record was written first. */
export function packedFacts({ cell, recordBytes, plaintextBytes, hint }: Facts): Uint8Array {
  const { volume, generation, seq, token, column, offset } = hint;
  const out = new Packer().byte(PACKED_FORM).text(cell);
  out.varint(recordBytes).varint(plaintextBytes);
  return out.hex(volume).varint(generation).varint(seq).varint(token).byte(column).varint(offset).end();
}

/** Attributes that rows of format 1 and 2 have, and those of format 3 have not. */
export const OLD_BLOCK_ATTRIBUTES = ['c', 'b', 'n', 'l', 'z', 'h', 's', 'k'];

export const isOldBlock = (row: Row): boolean => row.attributes['d'] === undefined;

export function packedBlock(row: Row): BlockRow {
  const at = (name: string): Unpacker => new Unpacker(bytesIn(row, name), (why) => malformedRow(row, `${name} ${why}`));
  const place = at('p');
  const key = at('w');
  const facts = at('d');
  const form = facts.byte();
  if (form !== PACKED_FORM) malformedRow(row, `d is of form ${form}`);
  const named = row.attributes['o'] === undefined ? undefined : hexOf(bytesIn(row, 'o'));
  const refs = countIn(row, 'f') + (named === undefined ? 0 : 1);
  const block: BlockRow = {
    id: blockIdIn(row, row.sort),
    cell: facts.text(),
    bucket: bucketIdIn(row, place.hex(ID_BYTES)),
    slot: place.varint(),
    recordId: recordIdIn(row, hexOf(bytesIn(row, 'r'))),
    recordBytes: facts.varint(),
    plaintextBytes: facts.varint(),
    hint: packedHint(row, facts),
    refs,
    state: refs === 0 ? 'trash' : 'live',
    kekVersion: key.varint(),
    wrappedBek: new Uint8Array(key.take(key.left)),
    ...(named === undefined ? {} : { named: named as ObjectVersion }),
  };
  if (place.left + facts.left > 0) malformedRow(row, 'p or d is too long');
  return block;
}

const packedHint = (row: Row, facts: Unpacker): LocationHint => ({
  volume: volumeIdIn(row, facts.hex(ID_BYTES)),
  generation: facts.varint(),
  seq: facts.varint(),
  token: facts.varint(),
  column: facts.byte(),
  offset: facts.varint(),
});

export function oldBlock(row: Row): BlockRow {
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
    isOld: true,
  };
}

export const packedAttributes = (block: Omit<BlockRow, 'id'>): Attributes => ({
  r: bytesOf(block.recordId),
  p: packedPlace(block),
  f: countedRefs(block),
  ...(block.named === undefined ? {} : { o: bytesOf(block.named) }),
  w: packedKey(block),
  d: packedFacts(block),
});
