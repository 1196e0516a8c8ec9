// removed/CELL/SHARD | time/version: objects that one transaction deleted or overwrote, as they were, until the grace
// of their blocks is over. It tells what could be restored; and it holds the references of those that list their
// blocks, until GC gives them back (held-references.ts). Block lists of long ones are moved to removed-segment as their
// references are given back. A row without `n` is of an earlier release and holds none.
import { type BlockId, bytesOf, type ObjectVersion } from '../../../foundation/ids.ts';
import { REMOVED_BYTES_MAX } from '../../../limits/panda.ts';
import type { Attributes, Clause, Key, Row } from '../../panda.ts';
import { type ObjectRow, objectPartition, segmentFromRow } from '../object-row.ts';
import { packBlockIds, packedObject, packedObjectAttributes } from '../objects/object-form.ts';
import { PACKED_FORM, Packer, Unpacker } from '../packing.ts';
import { bytesIn, malformedRow, padded } from '../row-reader.ts';

export interface RemovedObject {
  readonly object: ObjectRow;
  /** Another one took its name; else it was deleted. */
  readonly isOverwritten: boolean;
  /** It was brought back since, or nothing was lost: only its references and block list are still to go. */
  readonly isRestored: boolean;
}

export interface RemovedRow extends Key {
  readonly atMs: number;
  readonly objects: readonly RemovedObject[];
  /** As it is stored. */
  readonly packed: Uint8Array;
}

const TIME_DIGITS = 15;
const VERSION_BYTES = 12;
const IS_OVERWRITTEN = 1 << 0;
const IS_RESTORED = 1 << 1;
const FLAGS_KNOWN = IS_OVERWRITTEN | IS_RESTORED;

/** Each is looked into by every pass of GC; one takes some hundred transactions a second. */
const REMOVED_SHARDS = 4;
export const removedPartitions = (cell: string): string[] =>
  Array.from({ length: REMOVED_SHARDS }, (_, shard) => `removed/${cell}/${shard}`);

/** Named by the version of one of the objects: each is removed once. */
export const removedKey = (cell: string, atMs: number, version: ObjectVersion): Key => ({
  partition: `removed/${cell}/${Number.parseInt(version[0] as string, 16) % REMOVED_SHARDS}`,
  sort: `${padded(atMs, TIME_DIGITS)}/${version}`,
});

/** What an object takes of a row at the most. */
export const removedBytesMax = ({ namespace, key, metadata, system, parts = [], blocks = [] }: ObjectRow): number =>
  Buffer.byteLength(namespace) +
  Buffer.byteLength(key) +
  Buffer.byteLength(metadata ?? '') +
  Buffer.byteLength(system ?? '') +
  16 * parts.length +
  32 * blocks.length +
  96;

export function removedFromRow(row: Row): RemovedRow {
  const atMs = Number(row.sort.split('/')[0]);
  if (!Number.isSafeInteger(atMs)) malformedRow(row, 'it names no time');
  const packed = bytesIn(row, 'd');
  const facts = new Unpacker(packed, (why) => malformedRow(row, `d ${why}`), REMOVED_BYTES_MAX);
  if (facts.byte() !== PACKED_FORM) malformedRow(row, 'd is of another form');
  const objects: RemovedObject[] = [];
  while (facts.left > 0) objects.push(unpackOne(row, facts));
  return { partition: row.partition, sort: row.sort, atMs, objects, packed };
}

function unpackOne(row: Row, facts: Unpacker): RemovedObject {
  const flags = facts.byte();
  if ((flags & ~FLAGS_KNOWN) !== 0) malformedRow(row, `d has flags ${flags}`);
  const namespace = facts.text();
  const key = facts.text();
  const version = facts.take(VERSION_BYTES);
  const packed = facts.take(facts.varint());
  const metadataBytes = facts.varint();
  const metadata = metadataBytes === 0 ? undefined : facts.take(metadataBytes - 1).toString();
  const segments = facts.varint();
  const attributes: Attributes = {
    v: version,
    d: packed,
    ...(metadata === undefined ? {} : { m: metadata }),
    ...(segments === 0 ? {} : { n: segments - 1 }),
  };
  return {
    object: packedObject({ partition: objectPartition(namespace), sort: key, attributes }),
    isOverwritten: (flags & IS_OVERWRITTEN) !== 0,
    isRestored: (flags & IS_RESTORED) !== 0,
  };
}

export function removedAttributes(objects: readonly RemovedObject[]): Attributes {
  const facts = new Packer().byte(PACKED_FORM);
  for (const { object, isOverwritten, isRestored } of objects) {
    const { namespace, key, version, metadata, segments } = object;
    const packed = packedObjectAttributes(object)['d'] as Uint8Array;
    facts.byte((isOverwritten ? IS_OVERWRITTEN : 0) | (isRestored ? IS_RESTORED : 0));
    facts.text(namespace).text(key).bytes(bytesOf(version)).varint(packed.length).bytes(packed);
    if (metadata === undefined) facts.varint(0);
    else facts.varint(Buffer.byteLength(metadata) + 1).bytes(Buffer.from(metadata));
    facts.varint(segments === undefined ? 0 : segments + 1);
  }
  return { d: facts.end() };
}

/** Nobody has restored one of them, or forgotten all, since it was read. */
export const removedAs = ({ packed }: Pick<RemovedRow, 'packed'>): Clause => ({ attribute: 'd', equals: packed });

export const removedSegmentPartition = (version: ObjectVersion): string => `removed-segment/${version}`;
export const removedSegmentKey = (version: ObjectVersion, index: number): Key => ({
  partition: removedSegmentPartition(version),
  sort: padded(index, 8),
});
export const removedSegmentAttributes = (blocks: readonly BlockId[]): Attributes => ({ b: packBlockIds(blocks) });
export const removedSegmentFromRow = segmentFromRow;
/** Of a row in such a partition. */
export const removedVersionOf = (row: Key): ObjectVersion => row.partition.split('/')[1] as ObjectVersion;
