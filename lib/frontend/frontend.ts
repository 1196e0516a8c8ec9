// The use-cases of a client: put, get, head, list, delete. The embedded engine and the deployed function both call this
// class.
import { invalid, missing } from '../foundation/errors.ts';
import type { BlockId } from '../foundation/ids.ts';
import { READ_AHEAD_BYTES_MAX } from '../limits/frontend.ts';
import type { ObjectRow } from '../panda/rows/object-row.ts';
import type { VolumeStore } from '../volume/volume-store.ts';
import type { BulkWriter } from '../volume/write/bulk-stream.ts';
import { confirmObjects, type RememberedObject } from './again/confirm-objects.ts';
import { extendUpload, type UploadRun } from './bulk/extend-upload.ts';
import { PutRoom } from './bulk/put-room.ts';
import { type ComposeRequest, composeObject } from './compose/compose-object.ts';
import { type DeleteItem, type DeleteOutcome, deleteObjects } from './delete-objects.ts';
import { type GetResult, getBlock, getObject, headObject, type Range, type RangeOf } from './get-object.ts';
import { HotGauge, type PressureSignal, type Relief } from './hot-gauge.ts';
import { KekRing } from './kek-ring.ts';
import { type ListPage, type ListRequest, listObjects } from './list-objects.ts';
import type { PutItem, PutOutcome, PutResult } from './put-item.ts';
import { PutObjects } from './put-objects.ts';
import { ReadBudget } from './read-budget.ts';
import { readTogether, type SealedRecord, type Together } from './reads/read-together.ts';
import { abandonUploads, finishReleases } from './release-references.ts';
import { listRemoved, type Removed, type RemovedRequest } from './removed/list-removed.ts';
import { type RestoreRequest, restoreObject } from './removed/restore-object.ts';

export type {
  ComposeRequest,
  DeleteItem,
  DeleteOutcome,
  GetResult,
  ListPage,
  ListRequest,
  PutItem,
  PutOutcome,
  PutResult,
  Range,
  RangeOf,
  RestoreRequest,
  SealedRecord,
  Together,
};

export class Frontend {
  readonly #store: VolumeStore;
  readonly #keks: KekRing;
  readonly #hot: HotGauge;
  readonly #bulk: BulkWriter | undefined;
  readonly #readBudget = new ReadBudget(READ_AHEAD_BYTES_MAX);

  /** `bulk`: who writes what much comes in at once; missing: all of it goes into hot volumes first. */
  constructor(store: VolumeStore, onPressure?: PressureSignal, bulk?: BulkWriter) {
    this.#store = store;
    this.#bulk = bulk;
    this.#keks = new KekRing(store.components);
    this.#hot = new HotGauge(store.components, onPressure);
  }

  /**
   * One outcome for each item, as they become durable: acknowledged means stored on all drives and indexed. One object
   * is atomic, a batch is not. `relief` is waited for when the hot tier is full.
   */
  putAll(items: AsyncIterable<PutItem> | Iterable<PutItem>, relief?: Relief): AsyncIterable<PutOutcome> {
    return new PutObjects(this.#store, this.#keks, (bytes) => this.#hot.check(bytes, relief), this.#bulk).run(items);
  }

  /** Before so many bytes go into hot volumes by another way. Throws `retry` HOT_FULL. */
  waitForRoom(bytes: number): Promise<void> {
    return this.#hot.check(bytes);
  }

  /** Bytes of an upload in parts, many at once (bulk/extend-upload.ts). */
  extendUpload(run: UploadRun): Promise<number> {
    const { settings } = this.#store.components;
    const room = new PutRoom(settings, (bytes) => this.#hot.check(bytes), this.#bulk);
    return extendUpload(this.#store, this.#keks, room, run);
  }

  async put(item: PutItem): Promise<PutResult> {
    for await (const outcome of this.putAll([item])) {
      if (outcome.ok) return outcome;
      throw outcome.error;
    }
    throw missing('OUTCOME_MISSING', 'a put ended without an outcome');
  }

  get(namespace: string, key: string, range?: Range | RangeOf): Promise<GetResult> {
    return getObject(this.#store, this.#keks, this.#readBudget, namespace, key, range);
  }

  /** Many objects in the order of where they lie, sealed (read-together.ts). */
  readTogether(objects: AsyncIterable<ObjectRow>, wanted: (object: ObjectRow) => boolean): AsyncIterable<Together> {
    return readTogether(this.#store, this.#keks, objects, wanted);
  }

  /** The whole (range of an) object in memory; refused if it is longer than `bytesMax`. */
  async read(namespace: string, key: string, bytesMax: number, range?: Range): Promise<Uint8Array> {
    const { length, body } = await this.get(namespace, key, range);
    if (length > bytesMax) throw invalid('BODY_TOO_LONG', `${length} bytes, at most ${bytesMax} are read at once`);
    const parts: Uint8Array[] = [];
    for await (const part of body) parts.push(part);
    return Buffer.concat(parts);
  }

  /** A block by its id, checked against it. Throws `missing` BLOCK_MISSING. */
  readBlock(id: BlockId): Promise<Uint8Array> {
    return getBlock(this.#store, this.#keks, id);
  }

  head(namespace: string, key: string): Promise<ObjectRow> {
    return headObject(this.#store, namespace, key);
  }

  /** Their rows, where they are still what they were and can be read now; undefined: to be put. */
  confirm(remembered: readonly RememberedObject[]): Promise<(ObjectRow | undefined)[]> {
    return confirmObjects(this.#store, this.#keks, remembered);
  }

  list(request: ListRequest): Promise<ListPage> {
    return listObjects(this.#store.components.panda, request);
  }

  deleteAll(items: AsyncIterable<DeleteItem> | Iterable<DeleteItem>): AsyncIterable<DeleteOutcome> {
    return deleteObjects(this.#store, items);
  }

  /** Throws `missing` OBJECT_MISSING, `conflict` VERSION_MISMATCH. */
  async delete(namespace: string, key: string, options: { readonly ifVersion?: string } = {}): Promise<void> {
    for await (const outcome of this.deleteAll([{ namespace, key, ...options }])) if (!outcome.ok) throw outcome.error;
  }

  /** What was deleted or overwritten and can be restored, oldest first. */
  removed(request: RemovedRequest): AsyncIterable<Removed> {
    return listRemoved(this.#store.components, request);
  }

  /** Throws `missing` NOT_IN_TRASH or BLOCKS_SHREDDED, `conflict` NAME_TAKEN. */
  restore(request: RestoreRequest): Promise<ObjectRow> {
    return restoreObject(this.#store.components, request);
  }

  /**
   * A new object of what other objects hold, one after the other: no byte of them moves. Throws `missing`
   * OBJECT_MISSING, `conflict` VERSION_MISMATCH or OBJECT_CHANGED.
   */
  compose(request: ComposeRequest): Promise<ObjectRow> {
    return composeObject(this.#store, request);
  }

  finishReleases(): Promise<number> {
    return finishReleases(this.#store.components);
  }

  abandonUploads(): Promise<number> {
    return abandonUploads(this.#store.components);
  }
}
