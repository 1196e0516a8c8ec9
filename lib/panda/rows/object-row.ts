// object/NAMESPACE | key: a name, and the blocks it stands for. An object of more blocks than BLOCKS_INLINE_MAX keeps
// them in segment/VERSION | number rows. work/upload and work/release hold what another worker must be able to finish.
import { type BlockId, bytesOf, type ObjectVersion } from '../../foundation/ids.ts';
import type { Attributes, Clause, Condition, Key, Row } from '../panda.ts';
import type { Change } from './change.ts';
import {
  blockIdsIn,
  isOldObject,
  type ObjectRow,
  oldObject,
  packBlockIds,
  packedObject,
  packedObjectAttributes,
} from './objects/object-form.ts';
import { countIn, optionalCount, padded, stringIn } from './row-reader.ts';

export type { ObjectRow } from './objects/object-form.ts';

export const objectPartition = (namespace: string): string => `object/${namespace}`;
export const objectKey = (namespace: string, key: string): Key => ({
  partition: objectPartition(namespace),
  sort: key,
});

export const objectFromRow = (row: Row): ObjectRow => (isOldObject(row) ? oldObject(row) : packedObject(row));

/** Of format 3, always. The ETag follows from the blocks, unless they are in segments. */
export const objectAttributes = (object: Omit<ObjectRow, 'namespace' | 'key'>): Attributes =>
  packedObjectAttributes(object);

/** The object is at the version that was read; undefined: there is none. */
export const versionIs = (object: Pick<ObjectRow, 'version' | 'isOld'> | undefined): Condition =>
  object === undefined
    ? ['absent']
    : [{ attribute: 'v', equals: object.isOld ? object.version : bytesOf(object.version) }];

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
  /** Its segments go to where those of removed objects are, so that the object can be restored. */
  readonly keepsSegments?: true | undefined;
}
export const RELEASES = 'work/release';
export const releaseKey = (version: ObjectVersion): Key => ({ partition: RELEASES, sort: version });
export const releaseFromRow = (row: Row): ReleaseRow => ({
  version: row.sort as ObjectVersion,
  namespace: stringIn(row, 'ns'),
  key: stringIn(row, 'key'),
  blocks: blockIdsIn(row, 'b'),
  cursor: stringIn(row, 'at'),
  ...(row.attributes['kp'] === undefined ? {} : { keepsSegments: true }),
});
export const releaseAttributes = (release: ReleaseRow): Attributes => ({
  ns: release.namespace,
  key: release.key,
  b: packBlockIds(release.blocks),
  at: release.cursor,
  ...(release.keepsSegments ? { kp: 1 } : {}),
});

/** Nobody has given references back since it was read. */
export const cursorIs = (cursor: string): Clause => ({ attribute: 'at', equals: cursor });

/** So many references are given back. */
export const setCursor = (cursor: string): Change => ({ set: { at: cursor } });
