// What an object's row says, and how it is stored. Format 3 packs it into one binary attribute beside the version;
// format 1 and 2 had an attribute for each fact, and are read until the object is put again.
import { createHash } from 'node:crypto';
import { type BlockId, bytesOf, hexOf, type ObjectVersion } from '../../../foundation/ids.ts';
import type { Attributes, Row } from '../../panda.ts';
import { PACKED_FORM, Packer, Unpacker } from '../packing.ts';
import { bytesIn, countIn, malformedRow, optionalCount, optionalString, stringIn } from '../row-reader.ts';
import { type PartRun, packParts, unpackParts } from './object-parts.ts';

export interface ObjectRow {
  readonly namespace: string;
  readonly key: string;
  readonly version: ObjectVersion;
  readonly sizeBytes: number;
  /** Plaintext bytes of every block but the last. */
  readonly blockBytes: number;
  /** Hex SHA-256 of the content if it is one block, else SHA-256 over the block ids and the number of blocks. */
  readonly etag: string;
  readonly createdAtMs: number;
  /** The caller's own: content type, mode, times; JSON text, at most 2 KiB. */
  readonly metadata: string | undefined;
  /** All blocks in order, if they are few. */
  readonly blocks: readonly BlockId[] | undefined;
  /** Number of segment rows, if they are many. */
  readonly segments: number | undefined;
  /** Put plain: its only block names it by its version, and it counts only as long as it does. */
  readonly isNamed?: true;
  /** Stored as format 1 and 2 did. */
  readonly isOld?: true;
  /** Hex MD5 of the content, or of its parts' MD5s: of what came over S3. */
  readonly md5?: string;
  /** What S3 keeps of it: content type, its users' metadata, checksums; JSON text. */
  readonly system?: string;
  /** The parts it was put together from, in order. Each was cut into blocks on its own, its last one being short. */
  readonly parts?: readonly PartRun[];
}

export const BLOCK_ID_BYTES = 32;
const DIGEST_BYTES = 32;
const VERSION_BYTES = 12;
const MD5_BYTES = 16;

/** A flag of `d`. */
const IS_NAMED = 1 << 0;
/** What `d` holds besides, in this order. This release writes no version id, and passes over one of a later release. */
const HAS_MD5 = 1 << 1;
const HAS_SYSTEM_ATTRIBUTES = 1 << 2;
const HAS_VERSION_ID = 1 << 3;
const HAS_PARTS = 1 << 4;
const FLAGS_KNOWN = IS_NAMED | HAS_MD5 | HAS_SYSTEM_ATTRIBUTES | HAS_VERSION_ID | HAS_PARTS;

/** Hex SHA-256 of the content where it is one block (or empty), else SHA-256 over the block ids and their number. */
export function etagOf(blocks: readonly BlockId[]): string {
  if (blocks.length === 1) return blocks[0] as BlockId;
  const hash = createHash('sha256');
  for (const id of blocks) hash.update(id, 'hex');
  return etagText(hash.digest('hex'), blocks.length);
}

/** One block, or none, is the content itself. */
const etagText = (digest: string, blocks: number): string => (blocks < 2 ? digest : `${digest}-${blocks}`);

export function packBlockIds(blocks: readonly BlockId[]): Uint8Array {
  const out = new Uint8Array(blocks.length * BLOCK_ID_BYTES);
  for (const [i, id] of blocks.entries()) out.set(bytesOf(id), i * BLOCK_ID_BYTES);
  return out;
}

/** Block ids packed in a row's attribute. */
export function blockIdsIn(row: Row, name: string): BlockId[] {
  const bytes = bytesIn(row, name);
  if (bytes.length % BLOCK_ID_BYTES !== 0) malformedRow(row, `attribute ${name} does not hold whole block ids`);
  return unpackBlockIds(bytes);
}

function unpackBlockIds(bytes: Uint8Array): BlockId[] {
  const hex = hexOf(bytes);
  return Array.from({ length: bytes.length / BLOCK_ID_BYTES }, (_, i) => hex.slice(i * 64, i * 64 + 64) as BlockId);
}

export const isOldObject = (row: Row): boolean => row.attributes['d'] === undefined;

const nameOf = ({ partition, sort }: Row): Pick<ObjectRow, 'namespace' | 'key'> => ({
  namespace: partition.slice('object/'.length),
  key: sort,
});

export const oldObject = (row: Row): ObjectRow => ({
  ...nameOf(row),
  version: stringIn(row, 'v') as ObjectVersion,
  sizeBytes: countIn(row, 'z'),
  blockBytes: countIn(row, 'k'),
  etag: stringIn(row, 'e'),
  createdAtMs: countIn(row, 'a'),
  metadata: optionalString(row, 'm'),
  blocks: row.attributes['b'] === undefined ? undefined : blockIdsIn(row, 'b'),
  segments: optionalCount(row, 'n'),
  isOld: true,
});

export function packedObject(row: Row): ObjectRow {
  const facts = new Unpacker(bytesIn(row, 'd'), (why) => malformedRow(row, `d ${why}`));
  const form = facts.byte();
  if (form !== PACKED_FORM) malformedRow(row, `d is of form ${form}`);
  const flags = facts.byte();
  if ((flags & ~FLAGS_KNOWN) !== 0) malformedRow(row, `d has flags ${flags}`);
  const sizes = { sizeBytes: facts.varint(), blockBytes: facts.varint(), createdAtMs: facts.varint() };
  const s3 = factsOfS3(facts, flags);
  const version = bytesIn(row, 'v');
  if (version.length !== VERSION_BYTES) malformedRow(row, `v has ${version.length} bytes`);
  return {
    ...nameOf(row),
    version: hexOf(version) as ObjectVersion,
    ...sizes,
    metadata: optionalString(row, 'm'),
    ...contentOf(row, facts, optionalCount(row, 'n')),
    ...s3,
    ...((flags & IS_NAMED) === 0 ? {} : { isNamed: true }),
  };
}

/** The rest of `d`: all blocks, or where they are in segments the ETag's digest and their number. */
function contentOf(row: Row, facts: Unpacker, segments: number | undefined) {
  if (segments !== undefined) {
    const etag = etagText(facts.hex(DIGEST_BYTES), facts.varint());
    return facts.left === 0 ? { etag, blocks: undefined, segments } : malformedRow(row, 'd is too long');
  }
  if (facts.left % BLOCK_ID_BYTES !== 0) malformedRow(row, 'd does not hold whole block ids');
  const blocks = unpackBlockIds(facts.take(facts.left));
  return { etag: etagOf(blocks), blocks, segments };
}

function factsOfS3(facts: Unpacker, flags: number): Pick<ObjectRow, 'md5' | 'system' | 'parts'> {
  const md5 = (flags & HAS_MD5) === 0 ? {} : { md5: facts.hex(MD5_BYTES) };
  const system = (flags & HAS_SYSTEM_ATTRIBUTES) === 0 ? {} : { system: facts.text() };
  if ((flags & HAS_VERSION_ID) !== 0) facts.take(VERSION_BYTES);
  return { ...md5, ...system, ...((flags & HAS_PARTS) === 0 ? {} : { parts: unpackParts(facts) }) };
}

function packFactsOfS3(facts: Packer, { md5, system, parts }: Pick<ObjectRow, 'md5' | 'system' | 'parts'>): void {
  if (md5 !== undefined) facts.hex(md5);
  if (system !== undefined) facts.text(system);
  if (parts !== undefined) packParts(facts, parts);
}

const flagsOf = ({ isNamed, md5, system, parts }: Omit<ObjectRow, 'namespace' | 'key'>): number =>
  (isNamed ? IS_NAMED : 0) |
  (md5 === undefined ? 0 : HAS_MD5) |
  (system === undefined ? 0 : HAS_SYSTEM_ATTRIBUTES) |
  (parts === undefined ? 0 : HAS_PARTS);

export function packedObjectAttributes(object: Omit<ObjectRow, 'namespace' | 'key'>): Attributes {
  const { version, sizeBytes, blockBytes, createdAtMs, metadata, blocks, segments, etag } = object;
  const facts = new Packer()
    .byte(PACKED_FORM)
    .byte(flagsOf(object))
    .varint(sizeBytes)
    .varint(blockBytes)
    .varint(createdAtMs);
  packFactsOfS3(facts, object);
  if (blocks !== undefined) for (const id of blocks) facts.hex(id);
  else {
    const [digest = '', count = '1'] = etag.split('-');
    facts.hex(digest).varint(Number(count));
  }
  return {
    v: bytesOf(version),
    d: facts.end(),
    ...(metadata === undefined ? {} : { m: metadata }),
    ...(segments === undefined ? {} : { n: segments }),
  };
}
