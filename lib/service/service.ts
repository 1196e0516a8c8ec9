// The use-cases of one store as the two wire formats need them: everything small enough for one answer.

import type { Shelf } from '../drive/shelf.ts';
import { sampleStage } from '../engine/upkeep/stage-tasks.ts';
import { conflict, invalid } from '../foundation/errors.ts';
import type { ObjectVersion } from '../foundation/ids.ts';
import { Frontend, type PutOutcome } from '../frontend/frontend.ts';
import { Batcher } from '../frontend/gathered/batcher.ts';
import type { PressureSignal } from '../frontend/hot-gauge.ts';
import { KekRing } from '../frontend/kek-ring.ts';
import { checkNamespace, checkPathKey } from '../frontend/object-keys.ts';
import { abortPartUpload, beginPartUpload, finishPartUpload, putPart } from '../frontend/upload-parts.ts';
import { BODY_BYTES_MAX, PART_BYTES_MAX } from '../limits/stage.ts';
import { keepsOwnBlocks } from '../panda/rows/namespace-row.ts';
import type { Caller } from '../settings/principals.ts';
import { type KnownNamespaces, knownNamespaces } from '../volume/rows/known-namespaces.ts';
import type { VolumeStore } from '../volume/volume-store.ts';
import { BulkPuts } from './bulk-puts.ts';
import { admit } from './namespace-guard.ts';
import { infoOf, type ListPage, type ListRequest, type ObjectInfo } from './object-info.ts';
import type { RequestOf, ResultOf } from './protocol.ts';

export interface NewObject {
  readonly key: string;
  readonly body: Uint8Array;
  readonly metadata?: string | undefined;
  readonly ifVersion?: string | undefined;
}

export interface ReadResult {
  readonly object: ObjectInfo;
  readonly offset: number;
  readonly body: Uint8Array;
}

export type DeleteOutcome = { readonly key: string } | { readonly key: string; readonly error: Error };

/** Opens the store at the first request, or gives the one that is open. */
export type OpenService = () => Promise<FrontendService>;

export class FrontendService {
  readonly #store: VolumeStore;
  readonly #frontend: Frontend;
  /** Puts of requests that this process has at once: a function on managed instances is given several. */
  readonly #batcher: Batcher;
  readonly #keks: KekRing;
  readonly #namespaces: KnownNamespaces;
  readonly #bulk: BulkPuts | undefined;

  /** `staging`: where parts of bulk puts wait; without it there are none. */
  constructor(store: VolumeStore, onPressure?: PressureSignal, staging?: Shelf) {
    this.#store = store;
    this.#frontend = new Frontend(store, onPressure);
    this.#batcher = new Batcher(this.#frontend);
    this.#keks = new KekRing(store.components);
    this.#namespaces = knownNamespaces(store.components);
    this.#bulk = BulkPuts.of(store, staging, onPressure);
  }

  /** Before anything is done for a caller. Throws `denied` NAMESPACE_DENIED. */
  admit(namespace: string, right: 'read' | 'write', caller: Caller): Promise<void> {
    return admit(this.#namespaces, namespace, right, caller);
  }

  async #keepsOwnBlocks(namespace: string): Promise<boolean> {
    return keepsOwnBlocks(await this.#namespaces.of(checkNamespace(namespace)));
  }

  /**
   * One outcome per object, in their order. Throws `invalid` KEY_TWICE: which of two outcomes is whose could not be
   * told.
   */
  async put(namespace: string, objects: readonly NewObject[]): Promise<PutOutcome[]> {
    if (new Set(objects.map(({ key }) => key)).size < objects.length)
      throw invalid('KEY_TWICE', 'a key is there twice in one request');
    const ownBlocks = await this.#keepsOwnBlocks(namespace);
    const settled = await Promise.allSettled(
      objects.map((object) =>
        this.#batcher.outcomeOf({
          namespace,
          ownBlocks,
          ...object,
          ifVersion: object.ifVersion as ObjectVersion | 'absent' | undefined,
          sizeBytes: object.body.byteLength,
        }),
      ),
    );
    return settled.map((one) => {
      if (one.status === 'rejected') throw one.reason;
      return one.value;
    });
  }

  async putOne(namespace: string, object: NewObject): Promise<Extract<PutOutcome, { ok: true }>> {
    const [outcome] = await this.put(namespace, [object]);
    if (outcome?.ok) return outcome;
    throw outcome?.error;
  }

  /**
   * Throws `conflict` OBJECT_CHANGED unless it is the version wanted, `invalid` BODY_TOO_LONG if it does not fit one
   * answer.
   */
  async read(
    namespace: string,
    key: string,
    wanted: Pick<RequestOf<'get'>, 'range' | 'version'> = {},
  ): Promise<ReadResult> {
    const { object, offset, length, body } = await this.#frontend.get(namespace, checkPathKey(key), wanted.range);
    if (wanted.version !== undefined && wanted.version !== object.version)
      throw conflict('OBJECT_CHANGED', 'the object was overwritten while it was read');
    if (length > BODY_BYTES_MAX)
      throw invalid(
        'BODY_TOO_LONG',
        `${length} bytes do not fit one answer: ask for ranges of at most ${PART_BYTES_MAX}`,
      );
    const pieces: Uint8Array[] = [];
    for await (const piece of body) pieces.push(piece);
    return { object: infoOf(object), offset, body: Buffer.concat(pieces) };
  }

  async head(namespace: string, key: string): Promise<ObjectInfo> {
    return infoOf(await this.#frontend.head(namespace, checkPathKey(key)));
  }

  /** One outcome per object, in their order. */
  async delete(
    namespace: string,
    objects: readonly { readonly key: string; readonly ifVersion?: string | undefined }[],
  ): Promise<DeleteOutcome[]> {
    const outcomes: DeleteOutcome[] = [];
    for await (const outcome of this.#frontend.deleteAll(objects.map((object) => ({ namespace, ...object }))))
      outcomes.push(outcome.ok ? { key: outcome.key } : outcome);
    return outcomes;
  }

  async list(namespace: string, request: ListRequest): Promise<ListPage> {
    const { prefix, delimiter, from, limit } = request;
    const { objects, damaged, commonPrefixes, next } = await this.#frontend.list({
      namespace,
      ...(prefix === undefined ? {} : { prefix }),
      ...(delimiter === undefined ? {} : { delimiter }),
      ...(from === undefined ? {} : { from }),
      ...(limit === undefined ? {} : { limit }),
    });
    return { objects: objects.map(infoOf), commonPrefixes, next, ...(damaged.length === 0 ? {} : { damaged }) };
  }

  async uploadBegin(namespace: string, key: string): Promise<{ upload: ObjectVersion; partBytesMax: number }> {
    const { blockBytesMax } = this.#store.components.settings;
    const upload = await beginPartUpload(this.#store.components, namespace, key);
    return { upload, partBytesMax: PART_BYTES_MAX - (PART_BYTES_MAX % blockBytesMax) };
  }

  async uploadPart(upload: string, offset: number, body: Uint8Array): Promise<void> {
    await this.#frontend.waitForRoom(body.byteLength);
    return putPart(this.#store, this.#keks, {
      ...{ upload: upload as ObjectVersion, offset, body },
      ownBlocksIn: (namespace) => this.#keepsOwnBlocks(namespace),
    });
  }

  async uploadFinish(request: RequestOf<'uploadFinish'>): Promise<ObjectInfo> {
    const object = await finishPartUpload(this.#store, {
      ...request,
      upload: request.upload as ObjectVersion,
      ifVersion: request.ifVersion as ObjectVersion | 'absent' | undefined,
    });
    return infoOf(object);
  }

  /** Throws `invalid` REQUEST_INVALID where there are none, as an earlier release does. */
  get bulk(): BulkPuts {
    if (this.#bulk === undefined) throw invalid('REQUEST_INVALID', 'request: op: there are no bulk puts here');
    return this.#bulk;
  }

  /** One outcome per object, in their order. */
  async bulkGather(request: RequestOf<'bulkGather'>): Promise<PutOutcome[]> {
    return this.bulk.gather(request, await this.#keepsOwnBlocks(request.namespace));
  }

  /** How many bytes of a long object there was time for. */
  async bulkExtend(request: RequestOf<'bulkExtend'>): Promise<number> {
    return this.bulk.extend(request, await this.#keepsOwnBlocks(request.namespace));
  }

  /** Reads back what is due to be sampled, as clients would, for at most so long. */
  async sample(msMax: number): Promise<ResultOf<'sample'>> {
    const report = await sampleStage(this.#store, msMax);
    const { sampled = 0, read = 0, bytes = 0, done = true } = report?.sample ?? {};
    return { level: report?.level ?? 'healthy', sampled, read, bytes, done, findings: report?.findings.length ?? 0 };
  }

  uploadAbort(upload: string): Promise<void> {
    return abortPartUpload(this.#store.components, upload as ObjectVersion);
  }
}
