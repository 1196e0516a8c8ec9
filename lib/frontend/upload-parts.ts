// PUT of a long object in parts that come as separate calls, perhaps to separate processes: the steps of put-long.ts,
// each of which can be sent again. All state is in Panda: the upload row, and segments numbered by their first block.
import { createHash } from 'node:crypto';
import { conflict, corrupt, invalid, missing } from '../foundation/errors.ts';
import { type BlockId, newObjectVersion, type ObjectVersion } from '../foundation/ids.ts';
import type { Lane } from '../foundation/lane.ts';
import { blockIdOf } from '../keys/envelope.ts';
import {
  type ObjectRow,
  objectFromRow,
  objectKey,
  segmentFromRow,
  segmentKey,
  segmentPartition,
  type UploadRow,
  uploadFromRow,
  uploadKey,
} from '../panda/rows/object-row.ts';
import type { Components } from '../volume/rows/components.ts';
import { readBlocks, rowsOf } from '../volume/rows/read-rows.ts';
import type { VolumeStore } from '../volume/volume-store.ts';
import { appendBytesMax } from '../volume/write/append.ts';
import { HeldBlock } from './blocks/held-block.ts';
import { cutBlocks } from './cut-blocks.ts';
import { isGuardFailure } from './index-objects.ts';
import type { KekRing } from './kek-ring.ts';
import { checkKey, checkMetadata, checkNamespace, checkPathKey } from './object-keys.ts';
import { beginUpload, giveUpUpload, publish, storeSegment, windows } from './put-long.ts';
import type { BulkWay } from './store-blocks.ts';

export interface UploadPart {
  readonly upload: ObjectVersion;
  /** A multiple of the block size. Parts may come in any order and at once. */
  readonly offset: number;
  /** Whole blocks, except at the end of the object. */
  readonly body: Uint8Array;
  /** Whether a namespace shares its blocks with no other one; absent: none does. */
  readonly ownBlocksIn?: ((namespace: string) => Promise<boolean>) | undefined;
}

export interface UploadEnd {
  readonly upload: ObjectVersion;
  readonly namespace: string;
  readonly key: string;
  readonly sizeBytes: number;
  readonly metadata?: string | undefined;
  readonly ifVersion?: ObjectVersion | 'absent' | undefined;
}

/** The answer names the upload, and the object's version when it is published. */
export async function beginPartUpload(components: Components, namespace: string, key: string): Promise<ObjectVersion> {
  checkNamespace(namespace);
  checkPathKey(key);
  const version = newObjectVersion(components.randomness);
  const startedAtMs = Math.max(0, components.clock.nowMs());
  await beginUpload(components, { version, namespace, key, owner: components.owner, startedAtMs, segments: 0 });
  return version;
}

/**
 * Throws `missing` UPLOAD_MISSING, `invalid` PART_INVALID, `conflict` PART_CHANGED if another body was stored there.
 */
export async function putPart(store: VolumeStore, keks: KekRing, part: UploadPart): Promise<void> {
  const { blockBytesMax } = store.components.settings;
  if (part.body.byteLength === 0) throw invalid('PART_INVALID', 'a part has at least one byte');
  if (part.offset % blockBytesMax !== 0)
    throw invalid('PART_INVALID', `a part begins at a multiple of ${blockBytesMax}, not at ${part.offset}`);
  const upload = await readUpload(store.components, part.upload);
  if (upload === undefined) throw gone();
  const blocks: HeldBlock[] = [];
  const isOwn = (await part.ownBlocksIn?.(upload.namespace)) ?? false;
  const owner = isOwn ? upload.namespace : undefined;
  for await (const bytes of cutBlocks(part.body, blockBytesMax))
    blocks.push(new HeldBlock(blockIdOf(bytes), bytes, { owner }));
  const lane = await store.components.laneOf?.(upload.namespace);
  let index = part.offset / blockBytesMax;
  for await (const window of windows(blocks, appendBytesMax(store.components.settings))) {
    await putSegment(store, keks, { upload, lane }, index, window);
    index += window.length;
  }
}

/** A segment that is there already was stored by another try of the same part, perhaps at the same time. */
export async function putSegment(
  store: VolumeStore,
  keks: KekRing,
  { upload, lane }: { readonly upload: UploadRow; readonly lane: Lane | undefined },
  index: number,
  window: readonly HeldBlock[],
  bulk?: BulkWay,
): Promise<void> {
  if (await hasSegment(store.components, upload, index, window)) return;
  try {
    await storeSegment(store, keks, { upload, lane, onStored: () => {}, bulk }, index, window);
  } catch (error) {
    if (!isGuardFailure(error)) throw error;
    if (await hasSegment(store.components, upload, index, window)) return;
    throw (await readUpload(store.components, upload.version)) === undefined ? gone() : error;
  }
}

async function hasSegment(
  components: Components,
  upload: UploadRow,
  index: number,
  window: readonly HeldBlock[],
): Promise<boolean> {
  const found = await components.panda.get(segmentKey(upload.version, index));
  if (found === undefined) return false;
  const { blocks } = segmentFromRow(found);
  if (blocks.length === window.length && blocks.every((id, i) => id === window[i]?.id)) return true;
  throw conflict('PART_CHANGED', `other bytes were stored as block ${index} of the upload: begin it again`);
}

/** Publishes the object. Throws `invalid` UPLOAD_INCOMPLETE unless the parts make up `sizeBytes`. */
export async function finishPartUpload(store: VolumeStore, end: UploadEnd): Promise<ObjectRow> {
  const { components } = store;
  checkMetadata(end.metadata);
  const upload = await readUpload(components, end.upload);
  if (upload === undefined) return published(components, end);
  if (upload.namespace !== end.namespace || upload.key !== end.key)
    throw invalid('UPLOAD_MISMATCH', 'the upload was begun for another object');
  let checked: CheckedSegments;
  try {
    checked = await checkedSegments(components, upload, end.sizeBytes);
  } catch (error) {
    // Given up, or published by another try, while its segments and blocks were read: nothing is wrong with them.
    if ((await readUpload(components, end.upload)) === undefined) return published(components, end);
    throw error;
  }
  const { etag, segments } = checked;
  const object: ObjectRow = {
    namespace: upload.namespace,
    key: upload.key,
    version: upload.version,
    sizeBytes: end.sizeBytes,
    blockBytes: components.settings.blockBytesMax,
    etag,
    createdAtMs: Math.max(0, components.clock.nowMs()),
    metadata: end.metadata,
    blocks: undefined,
    segments,
  };
  await publish(components, { upload, ifVersion: end.ifVersion }, object);
  return object;
}

/** Gives an upload up; its blocks' references are released. Idempotent. */
export async function abortPartUpload(components: Components, version: ObjectVersion): Promise<void> {
  const row = await components.panda.get(uploadKey(version));
  if (row !== undefined) await giveUpUpload(components, uploadFromRow(row));
}

export async function readUpload(components: Components, version: ObjectVersion): Promise<UploadRow | undefined> {
  const row = await components.panda.get(uploadKey(version));
  return row === undefined ? undefined : uploadFromRow(row);
}

export const gone = (): Error =>
  missing('UPLOAD_MISSING', 'there is no such upload: it was finished, or given up after a day');

/** The object, if an earlier try of the same call published it. */
async function published(components: Components, { namespace, key, upload }: UploadEnd): Promise<ObjectRow> {
  const row = await components.panda.get(objectKey(checkNamespace(namespace), checkKey(key)));
  const object = row === undefined ? undefined : objectFromRow(row);
  if (object?.version !== upload) throw gone();
  return object;
}

interface CheckedSegments {
  readonly etag: string;
  readonly segments: number;
}

/** Sees that every block is there and only the last one is short. */
async function checkedSegments(components: Components, upload: UploadRow, sizeBytes: number): Promise<CheckedSegments> {
  const { blockBytesMax } = components.settings;
  const hash = createHash('sha256');
  let segments = 0;
  let blocks = 0;
  let bytes = 0;
  let onlyId: BlockId | undefined;
  for await (const row of rowsOf(components.panda, segmentPartition(upload.version))) {
    const segment = segmentFromRow(row);
    if (segment.index !== blocks || bytes !== blocks * blockBytesMax) throw incomplete(`bytes are missing at ${bytes}`);
    const rows = await readBlocks(components.panda, [...new Set(segment.blocks)]);
    for (const id of segment.blocks) {
      const block = rows.get(id);
      if (block === undefined) throw corrupt('BLOCK_ROW_MISSING', 'a block of the upload has no row: run doctor');
      hash.update(id, 'hex');
      bytes += block.plaintextBytes;
      onlyId = id;
    }
    segments += 1;
    blocks += segment.blocks.length;
  }
  if (bytes !== sizeBytes || blocks === 0) throw incomplete(`${bytes} bytes were stored, not ${sizeBytes}`);
  return { etag: blocks === 1 && onlyId !== undefined ? onlyId : `${hash.digest('hex')}-${blocks}`, segments };
}

const incomplete = (why: string): Error => invalid('UPLOAD_INCOMPLETE', `the upload cannot be finished: ${why}`);
