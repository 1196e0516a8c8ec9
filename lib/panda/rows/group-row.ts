// group/VOLUME/GENERATION | sequence: a committed group. The row is what makes a proposal on the drives part of the
// store. Append and merge groups list their slots with block and record ids, so that anyone can recover them.

import { assert } from '../../foundation/assert.ts';
import {
  type BlockId,
  type BucketId,
  bytesOf,
  hexOf,
  type ObjectVersion,
  type RecordId,
  type VolumeId,
} from '../../foundation/ids.ts';
import { GROUP_SLOT_BYTES, GROUP_SLOTS_MAX } from '../../limits/panda.ts';
import type { Attributes, Key, Row } from '../panda.ts';
import { PACKED_FORM, Packer, Unpacker } from './packing.ts';
import {
  bucketIdIn,
  bytesIn,
  countIn,
  countsIn,
  listIn,
  malformedRow,
  padded,
  stringIn,
  wordIn,
} from './row-reader.ts';

export interface GroupSlot {
  readonly blockId: BlockId;
  readonly recordId: RecordId;
  readonly recordBytes: number;
}

interface GroupCommon {
  readonly seq: number;
  readonly token: number;
  /** Payload bytes of all k + m columns. */
  readonly columnBytes: readonly number[];
}
export interface AppendGroupRow extends GroupCommon {
  readonly kind: 'append';
  readonly bucket: BucketId;
  readonly firstSlot: number;
  /** One per slot from `firstSlot` on. */
  readonly slots: readonly GroupSlot[];
  /** Objects that are to be put plain, each of one block of the group: whoever recovers it looks at them. */
  readonly intents?: readonly GroupIntent[];
}
/** The object that is to be made of one slot, and the version that names it. */
export interface GroupIntent {
  /** Counted from the group's first one. */
  readonly slot: number;
  readonly namespace: string;
  readonly key: string;
  readonly version: ObjectVersion;
}
export interface MoveGroupRow extends GroupCommon {
  readonly kind: 'move';
  /** The run that moves, its buckets are named in the group's directory. */
  readonly run: string;
}
/** What one new bucket of a merge group holds, from slot 0 on. */
export interface MergedBucket {
  readonly bucket: BucketId;
  readonly slots: readonly GroupSlot[];
}
/** Records copied out of bucket remnants; on the drives it is a move of its new buckets. */
export interface MergeGroupRow extends GroupCommon {
  readonly kind: 'merge';
  readonly run: string;
  readonly buckets: readonly MergedBucket[];
}
export type GroupRow = AppendGroupRow | MoveGroupRow | MergeGroupRow;

const SEQ_DIGITS = 8;
export const groupPartition = (volume: VolumeId, generation: number): string => `group/${volume}/${generation}`;
export const groupKey = (volume: VolumeId, generation: number, seq: number): Key => ({
  partition: groupPartition(volume, generation),
  sort: padded(seq, SEQ_DIGITS),
});

function packSlots(slots: readonly GroupSlot[]): Uint8Array {
  assert(slots.length <= GROUP_SLOTS_MAX, 'a group has a bounded number of slots');
  const out = Buffer.alloc(slots.length * GROUP_SLOT_BYTES);
  slots.forEach((slot, i) => {
    out.set(bytesOf(slot.blockId), i * GROUP_SLOT_BYTES);
    out.set(bytesOf(slot.recordId), i * GROUP_SLOT_BYTES + 32);
    out.writeUInt32LE(slot.recordBytes, i * GROUP_SLOT_BYTES + 48);
  });
  return out;
}

function slotsIn(row: Row): GroupSlot[] {
  const bytes = bytesIn(row, 'd');
  return bytes.length % GROUP_SLOT_BYTES === 0 ? unpackSlots(bytes) : malformedRow(row, 'its slots are not whole');
}

function unpackSlots(bytes: Uint8Array): GroupSlot[] {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / GROUP_SLOT_BYTES }, (_, i) => ({
    blockId: hexOf(view.subarray(i * GROUP_SLOT_BYTES, i * GROUP_SLOT_BYTES + 32)) as BlockId,
    recordId: hexOf(view.subarray(i * GROUP_SLOT_BYTES + 32, i * GROUP_SLOT_BYTES + 48)) as RecordId,
    recordBytes: view.readUInt32LE(i * GROUP_SLOT_BYTES + 48),
  }));
}

export function groupFromRow(row: Row): GroupRow {
  const common = { seq: Number(row.sort), token: countIn(row, 't'), columnBytes: countsIn(row, 'u') };
  const kind = wordIn(row, 'k', ['append', 'move', 'merge'] as const);
  if (kind === 'move') return { kind, ...common, run: stringIn(row, 'r') };
  if (kind === 'merge') return { kind, ...common, run: stringIn(row, 'r'), buckets: mergedBuckets(row) };
  return {
    kind,
    ...common,
    bucket: bucketIdIn(row, stringIn(row, 'b')),
    firstSlot: countIn(row, 'f'),
    slots: slotsIn(row),
    ...(row.attributes['i'] === undefined ? {} : { intents: intentsIn(row) }),
  };
}

const VERSION_BYTES = 12;

/** Of a key only what differs from the one before it; a namespace only where it changes. */
function packedIntents(intents: readonly GroupIntent[]): Uint8Array {
  const out = new Packer().byte(PACKED_FORM);
  let namespace = '';
  let before = Buffer.alloc(0);
  for (const intent of intents) {
    const name = intent.namespace === namespace ? '' : intent.namespace;
    namespace = intent.namespace;
    const key = Buffer.from(intent.key);
    let same = 0;
    while (same < key.length && key[same] === before[same]) same += 1;
    before = key;
    out
      .varint(intent.slot)
      .text(name)
      .varint(same)
      .varint(key.length - same);
    out.bytes(key.subarray(same)).hex(intent.version);
  }
  return out.end();
}

function intentsIn(row: Row): GroupIntent[] {
  const packed = new Unpacker(bytesIn(row, 'i'), (why) => malformedRow(row, `i ${why}`));
  const form = packed.byte();
  if (form !== PACKED_FORM) malformedRow(row, `i is of form ${form}`);
  const intents: GroupIntent[] = [];
  let namespace = '';
  let before = Buffer.alloc(0);
  while (packed.left > 0) {
    const slot = packed.varint();
    const name = packed.text();
    if (name !== '') namespace = name;
    const same = packed.varint();
    if (same > before.length) malformedRow(row, 'i contradicts itself');
    before = Buffer.concat([before.subarray(0, same), packed.take(packed.varint())]);
    intents.push({ slot, namespace, key: before.toString(), version: packed.hex(VERSION_BYTES) as ObjectVersion });
  }
  return intents;
}

/** What an intent takes of the row at the most. */
export const intentBytesMax = ({ namespace, key }: { readonly namespace: string; readonly key: string }): number =>
  Buffer.byteLength(namespace) + Buffer.byteLength(key) + VERSION_BYTES + 10;

function mergedBuckets(row: Row): MergedBucket[] {
  const slots = slotsIn(row);
  let first = 0;
  return listIn(row, 'b').map((part) => {
    const [bucket = '', count = ''] = String(part).split(':');
    first += Number(count);
    return { bucket: bucketIdIn(row, bucket), slots: slots.slice(first - Number(count), first) };
  });
}

export function groupAttributes(group: GroupRow): Attributes {
  const common = { k: group.kind, t: group.token, u: group.columnBytes };
  if (group.kind === 'move') return { ...common, r: group.run };
  if (group.kind === 'append') {
    const { bucket, firstSlot, slots, intents = [] } = group;
    const own = { ...common, b: bucket, f: firstSlot, d: packSlots(slots) };
    return intents.length === 0 ? own : { ...own, i: packedIntents(intents) };
  }
  return {
    ...common,
    r: group.run,
    b: group.buckets.map(({ bucket, slots }) => `${bucket}:${slots.length}`),
    d: packSlots(group.buckets.flatMap(({ slots }) => slots)),
  };
}
