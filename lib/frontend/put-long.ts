// PUT of an object of more blocks than one transaction takes (protocol 7): an upload row, segments of blocks indexed
// one by one, and a last transaction that publishes the object. Until then nobody sees it; if it is given up, its
// references are released.
import { conflict, isKind, isPocketfulError } from '../foundation/errors.ts';
import type { BlockId } from '../foundation/ids.ts';
import type { Lane } from '../foundation/lane.ts';
import { RECORD_SLACK_BYTES } from '../limits/frontend.ts';
import { BLOCKS_INLINE_MAX } from '../limits/panda.ts';
import type { Write } from '../panda/panda.ts';
import {
  countSegment,
  countsSegments,
  type ObjectRow,
  objectFromRow,
  objectKey,
  releaseAttributes,
  releaseKey,
  segmentAttributes,
  segmentKey,
  segmentsAre,
  type UploadRow,
  uploadAttributes,
  uploadKey,
  versionIs,
} from '../panda/rows/object-row.ts';
import type { Components } from '../volume/rows/components.ts';
import { transact } from '../volume/rows/transact.ts';
import type { VolumeStore } from '../volume/volume-store.ts';
import { type HeldBlock, heldById } from './blocks/held-block.ts';
import { isGuardFailure, runIndex } from './index-objects.ts';
import type { KekRing } from './kek-ring.ts';
import { isItemError } from './put-item.ts';
import { type BulkWay, storeBatch } from './store-blocks.ts';

/** Blocks that are stored by the segment, several at once. */
export interface SegmentSource {
  readonly blocks: AsyncIterable<HeldBlock>;
  /** Waits for the memory of a segment, which all long puts share; the answer gives it back. */
  room(segment: readonly HeldBlock[]): Promise<() => void>;
  /** Bytes of a segment at the most. */
  readonly segmentBytesMax: number;
  /** No more bytes are read for it. */
  onRead(): void;
  readonly bulk?: BulkWay | undefined;
  /** Asked before each segment but the first: false ends it there. */
  mayGoOn?(): boolean;
}

export interface LongPut extends SegmentSource {
  readonly lane?: Lane | undefined;
  readonly upload: UploadRow;
  /** The object row once all blocks are known, `segments` of them. Called once; may reject to give the upload up. */
  publish(segments: number): Promise<ObjectRow>;
  readonly ifVersion: string | undefined;
  readonly onStored: (newBytes: number, knownBlocks: number) => void;
}

export async function putLong(store: VolumeStore, keks: KekRing, put: LongPut): Promise<ObjectRow> {
  const { components } = store;
  await beginUpload(components, put.upload);
  try {
    const segments = await storeSegments(put, (window, index) => storeSegment(store, keks, put, index, window));
    const object = await put.publish(segments);
    await publish(components, put, object);
    return object;
  } catch (error) {
    if (isItemError(error)) await giveUpUpload(components, put.upload);
    throw isGuardFailure(error) ? abandoned(error) : error;
  }
}

/**
 * This request may be done a second time long after it was answered, when the upload was given up: then its row is
 * there again, and its writer goes on. So the row begins with no segments, and not while a release of the version is
 * under way, which would take the new ones with it.
 */
export async function beginUpload(components: Components, upload: UploadRow): Promise<void> {
  const key = uploadKey(upload.version);
  const writes: Write[] = [
    { kind: 'put', ...key, attributes: uploadAttributes(upload), if: ['absent'] },
    { kind: 'check', ...releaseKey(upload.version), if: ['absent'] },
  ];
  try {
    await transact(components, writes, async () => (await components.panda.get(key)) !== undefined);
  } catch (error) {
    throw isKind(error, 'conflict') ? abandoned(error) : error;
  }
}

/** How many; rejects when no other is under way any more. */
export async function storeSegments(
  put: SegmentSource,
  storeOne: (window: readonly HeldBlock[], index: number) => Promise<void>,
): Promise<number> {
  const running = new Set<Promise<void>>();
  const failed: unknown[] = [];
  // A bug or the end of the process: what else is under way may then never return.
  const broken = Promise.withResolvers<never>();
  broken.promise.catch(() => {});
  let segments = 0;
  const start = async (window: readonly HeldBlock[]): Promise<void> => {
    const give = await Promise.race([put.room(window), broken.promise]);
    const index = segments++;
    const end = put.bulk?.stream.begin();
    const task = storeOne(window, index)
      .catch((error: unknown) => {
        failed.push(error);
        if (!isPocketfulError(error)) broken.reject(error);
      })
      .finally(() => {
        running.delete(task);
        give();
        end?.();
      });
    running.add(task);
  };
  try {
    for await (const window of windows(put.blocks, put.segmentBytesMax)) {
      if (failed.length > 0 || (segments > 0 && put.mayGoOn?.() === false)) break;
      await start(window);
    }
  } finally {
    put.onRead();
    await Promise.race([Promise.all(running), broken.promise]);
  }
  if (failed.length > 0) throw failed[0];
  return segments;
}

/** Blocks as many to a segment as one append and one transaction take. */
export async function* windows(
  blocks: AsyncIterable<HeldBlock> | Iterable<HeldBlock>,
  bytesMax: number,
): AsyncGenerator<HeldBlock[]> {
  let window: HeldBlock[] = [];
  let bytes = 0;
  for await (const block of blocks) {
    const recordBytes = block.length + RECORD_SLACK_BYTES;
    if (window.length > 0 && (window.length === BLOCKS_INLINE_MAX || bytes + recordBytes > bytesMax)) {
      yield window;
      window = [];
      bytes = 0;
    }
    window.push(block);
    bytes += recordBytes;
  }
  if (window.length > 0) yield window;
}

export async function storeSegment(
  store: VolumeStore,
  keks: KekRing,
  put: Pick<LongPut, 'upload' | 'onStored' | 'bulk' | 'lane'>,
  index: number,
  window: readonly HeldBlock[],
): Promise<void> {
  const ids = window.map(({ id }) => id);
  const { stored } = await storeBatch(store, keks, {
    blocks: heldById(window),
    ...segmentOf(store.components, put.upload, index, ids),
    bulk: put.bulk,
    lane: put.lane,
  });
  const newBytes = [...stored.newBytes.values()].reduce((sum, bytes) => sum + bytes, 0);
  put.onStored(newBytes, window.length - stored.newBytes.size);
}

/** A segment of blocks that are known. False if one of them is gone. */
export async function referSegment(
  components: Components,
  upload: UploadRow,
  index: number,
  ids: readonly BlockId[],
): Promise<boolean> {
  const { ok } = await runIndex(components, { fresh: new Map(), ...segmentOf(components, upload, index, ids) });
  return ok;
}

/** A reference for each of its blocks, with its row, as long as the upload goes on. */
function segmentOf(components: Components, upload: UploadRow, index: number, ids: readonly BlockId[]) {
  const key = segmentKey(upload.version, index);
  const extra = new Map<BlockId, number>();
  for (const id of ids) extra.set(id, (extra.get(id) ?? 0) + 1);
  const guards: Write[] = [
    segmentGuard(upload),
    { kind: 'put', ...key, attributes: segmentAttributes(ids), if: ['absent'] },
  ];
  return { changes: [], extra, guards, took: async () => (await components.panda.get(key)) !== undefined };
}

/** The upload goes on, and has one segment more. */
const segmentGuard = ({ version, segments }: UploadRow): Write =>
  segments === undefined
    ? { kind: 'check', ...uploadKey(version), if: ['exists', segmentsAre(undefined)] }
    : { kind: 'update', ...uploadKey(version), ...countSegment, if: [countsSegments] };

/** Nothing of it was released: its row counts every segment of the object. */
export async function publish(
  components: Components,
  put: Pick<LongPut, 'upload' | 'ifVersion'>,
  object: ObjectRow,
  guards: readonly Write[] = [],
): Promise<void> {
  const change = { namespace: object.namespace, key: object.key, next: object, ifVersion: put.ifVersion };
  const { version, segments } = put.upload;
  const counted = segments === undefined ? undefined : (object.segments ?? 0);
  try {
    await runIndex(components, {
      changes: [change],
      fresh: new Map(),
      guards: [{ kind: 'delete', ...uploadKey(version), if: ['exists', segmentsAre(counted)] }, ...guards],
    });
  } catch (error) {
    throw isGuardFailure(error, 0) ? abandoned(error) : error;
  }
}

const abandoned = (cause: unknown) =>
  conflict('UPLOAD_ABANDONED', 'the upload was given up by another worker, who took it for dead: put it again', cause);

/**
 * An upload that will not be published: its references are given back by whoever finishes releases. The row that began
 * it may have been written after it was published (a request whose answer got lost, sent again, and done late): then
 * the object has the references, and only the row goes. That the object is as it was seen is a condition, so that it
 * cannot be published in between.
 */
export async function giveUpUpload(components: Components, upload: UploadRow): Promise<boolean> {
  const at = objectKey(upload.namespace, upload.key);
  const release = releaseKey(upload.version);
  const end: Write = { kind: 'delete', ...uploadKey(upload.version), if: ['exists'] };
  try {
    const object = await components.panda.get(at);
    const seen = object === undefined ? undefined : objectFromRow(object);
    if (seen?.version === upload.version) {
      await transact(
        components,
        [end],
        async () => (await components.panda.get(uploadKey(upload.version))) === undefined,
      );
      return true;
    }
    const asSeen: Write = { kind: 'check', ...at, if: versionIs(seen) };
    const attributes = releaseAttributes({ ...upload, blocks: [], cursor: '0:0' });
    await transact(
      components,
      [end, asSeen, { kind: 'put', ...release, attributes, if: ['absent'] }],
      async () => (await components.panda.get(release)) !== undefined,
    );
    return true;
  } catch (error) {
    if (isPocketfulError(error)) return false; // published, given up by somebody else, or left to the next worker
    throw error;
  }
}
