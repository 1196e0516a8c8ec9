// object/NAMESPACE | key: a name, and the blocks it stands for. An object of more blocks than BLOCKS_INLINE_MAX keeps
// them in segment/VERSION | number rows. work/upload and work/release hold what another worker must be able to finish.
import { type BlockId, bytesOf, hexOf, type ObjectVersion } from '../../foundation/ids.ts';
import type { Attributes, Clause, Condition, Key, Row } from '../panda.ts';
import type { Change } from './change.ts';
import { bytesIn, countIn, malformedRow, optionalCount, optionalString, padded, stringIn } from './row-reader.ts';

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
}

export const objectPartition = (namespace: string): string => `object/${namespace}`;
export const objectKey = (namespace: string, key: string): Key => ({
  partition: objectPartition(namespace),
  sort: key,
});

const BLOCK_ID_BYTES = 32;

function packBlockIds(blocks: readonly BlockId[]): Uint8Array {
  const out = new Uint8Array(blocks.length * BLOCK_ID_BYTES);
  for (const [i, id] of blocks.entries()) out.set(bytesOf(id), i * BLOCK_ID_BYTES);
  return out;
}

/** Block ids packed in a row's attribute. */
function blockIdsIn(row: Row, name: string): BlockId[] {
  const bytes = bytesIn(row, name);
  if (bytes.length % BLOCK_ID_BYTES !== 0) malformedRow(row, `attribute ${name} does not hold whole block ids`);
  return unpackBlockIds(bytes);
}

function unpackBlockIds(bytes: Uint8Array): BlockId[] {
  const hex = hexOf(bytes);
  return Array.from({ length: bytes.length / BLOCK_ID_BYTES }, (_, i) => hex.slice(i * 64, i * 64 + 64) as BlockId);
}

export function objectFromRow(row: Row): ObjectRow {
  return {
    namespace: row.partition.slice('object/'.length),
    key: row.sort,
    version: stringIn(row, 'v') as ObjectVersion,
    sizeBytes: countIn(row, 'z'),
    blockBytes: countIn(row, 'k'),
    etag: stringIn(row, 'e'),
    createdAtMs: countIn(row, 'a'),
    metadata: optionalString(row, 'm'),
    blocks: row.attributes['b'] === undefined ? undefined : blockIdsIn(row, 'b'),
    segments: optionalCount(row, 'n'),
  };
}

export function objectAttributes(object: ObjectRow): Attributes {
  return {
    v: object.version,
    z: object.sizeBytes,
    k: object.blockBytes,
    e: object.etag,
    a: object.createdAtMs,
    ...(object.metadata === undefined ? {} : { m: object.metadata }),
    ...(object.blocks === undefined ? {} : { b: packBlockIds(object.blocks) }),
    ...(object.segments === undefined ? {} : { n: object.segments }),
  };
}

/** The object is at the version that was read; undefined: there is none. */
export const versionIs = (version: ObjectVersion | undefined): Condition =>
  version === undefined ? ['absent'] : [{ attribute: 'v', equals: version }];

const SEGMENT_DIGITS = 8;
export const segmentPartition = (version: ObjectVersion): string => `segment/${version}`;
export const segmentKey = (version: ObjectVersion, index: number): Key => ({
  partition: segmentPartition(version),
  sort: padded(index, SEGMENT_DIGITS),
});
export const segmentFromRow = (row: Row): { index: number; blocks: BlockId[] } => ({
  index: Number(row.sort),
  blocks: blockIdsIn(row, 'b'),
});
export const segmentAttributes = (blocks: readonly BlockId[]): Attributes => ({ b: packBlockIds(blocks) });

/** An object of many blocks that is being written. */
export interface UploadRow {
  readonly version: ObjectVersion;
  readonly namespace: string;
  readonly key: string;
  readonly owner: string;
  readonly startedAtMs: number;
  /** Stored since the row came into being; unknown in an upload that an earlier release began. */
  readonly segments: number | undefined;
}
export const UPLOADS = 'work/upload';
export const uploadKey = (version: ObjectVersion): Key => ({ partition: UPLOADS, sort: version });
export const uploadFromRow = (row: Row): UploadRow => ({
  version: row.sort as ObjectVersion,
  namespace: stringIn(row, 'ns'),
  key: stringIn(row, 'key'),
  owner: stringIn(row, 'o'),
  startedAtMs: countIn(row, 'a'),
  segments: optionalCount(row, 'n'),
});
export const uploadAttributes = (upload: UploadRow): Attributes => ({
  ns: upload.namespace,
  key: upload.key,
  o: upload.owner,
  a: upload.startedAtMs,
  ...(upload.segments === undefined ? {} : { n: upload.segments }),
});

/** One more segment is stored. */
export const countSegment: Change = { add: { n: 1 } };

/** All of these segments, and no other, were stored since the row came into being. Undefined: they are not counted. */
export const segmentsAre = (segments: number | undefined): Clause =>
  segments === undefined ? { attribute: 'n', missing: true } : { attribute: 'n', equals: segments };

/** Segments are counted. */
export const countsSegments: Clause = { attribute: 'n', atLeast: 0 };

/** References of an object that is gone already, still to be given back, segment by segment. */
export interface ReleaseRow {
  readonly version: ObjectVersion;
  readonly namespace: string;
  readonly key: string;
  /** Blocks of the object row itself, still to be released; empty when they are in segments. */
  readonly blocks: readonly BlockId[];
  /** References given back so far: block number in the list, or segment and block in it. */
  readonly cursor: string;
}
export const RELEASES = 'work/release';
export const releaseKey = (version: ObjectVersion): Key => ({ partition: RELEASES, sort: version });
export const releaseFromRow = (row: Row): ReleaseRow => ({
  version: row.sort as ObjectVersion,
  namespace: stringIn(row, 'ns'),
  key: stringIn(row, 'key'),
  blocks: blockIdsIn(row, 'b'),
  cursor: stringIn(row, 'at'),
});
export const releaseAttributes = (release: ReleaseRow): Attributes => ({
  ns: release.namespace,
  key: release.key,
  b: packBlockIds(release.blocks),
  at: release.cursor,
});

/** Nobody has given references back since it was read. */
export const cursorIs = (cursor: string): Clause => ({ attribute: 'at', equals: cursor });

/** So many references are given back. */
export const setCursor = (cursor: string): Change => ({ set: { at: cursor } });
