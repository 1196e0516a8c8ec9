// The store as the operations see it: objects with what S3 keeps of them, small ones stored together, few large ones at
// once. S3 buckets, uploads and their parts are objects of namespaces that no client can name, so that putting,
// replacing, deleting, counting references and restoring after a loss are the store's own for them, too.
import { hash } from 'node:crypto';
import type { ObjectEngine } from '../client/face.ts';
import { Semaphore } from '../foundation/concurrency.ts';
import { isPocketfulError } from '../foundation/errors.ts';
import type { ComposeRequest, GetResult, ListPage, PutItem, PutResult, RangeOf } from '../frontend/frontend.ts';
import { Batcher } from '../frontend/gathered/batcher.ts';
import type { ObjectFacts, WholeBody } from '../frontend/put-item.ts';
import { SMALL_BODY_BYTES_MAX } from '../limits/frontend.ts';
import { LARGE_BODIES_AT_ONCE, SMALL_BODIES_BYTES_MAX, WAITING_BODIES_MAX } from '../limits/gateway.ts';
import type { ObjectRow } from '../panda/rows/object-row.ts';
import { S3Fault } from '../s3/fault.ts';
import { type Attributes, attributesFrom, attributesText } from '../s3/request/attributes.ts';
import type { BodySums, VerifiedBody } from './body.ts';
import { ReadRoom } from './read-room.ts';

export const BUCKETS = '+buckets';
export const UPLOADS = '+uploads';
export const PARTS = '+parts';
export const ACCESS = '+access';

type IfVersion = PutItem['ifVersion'];

/** Where an object is to be put, and under which condition. */
export interface PutPlace {
  readonly namespace: string;
  readonly key: string;
  readonly ifVersion?: string | undefined;
}

export interface PutDone {
  readonly result: PutResult;
  readonly sums: BodySums;
}

/** As clients see an object of which S3 knows, and one of which it does not: then nobody takes it for an MD5. */
export function etagOf({ md5, etag, system }: ObjectRow): string {
  if (md5 === undefined) return `${etag.slice(0, 32)}-${etag.split('-')[1] ?? '1'}`;
  const { n } = attributesFrom(system);
  return n === undefined ? md5 : `${md5}-${n}`;
}

export class GatewayObjects {
  readonly engine: ObjectEngine;
  readonly batcher: Batcher;
  readonly #large = new Semaphore(LARGE_BODIES_AT_ONCE);
  readonly #small = new Semaphore(SMALL_BODIES_BYTES_MAX);
  readonly #reads: ReadRoom;
  #waiting = 0;

  constructor(engine: ObjectEngine, onBatch?: (objects: number) => void) {
    this.engine = engine;
    this.#reads = new ReadRoom(engine.clock);
    this.batcher = new Batcher(engine, { onBatch, clock: engine.clock });
  }

  get nowMs(): number {
    return Math.max(0, this.engine.clock.nowMs());
  }

  /** Puts a body once it has been verified; what does not match is never seen. */
  async put(place: PutPlace, body: VerifiedBody, attributesFor: (sums: BodySums) => Attributes): Promise<PutDone> {
    const isSmall = body.sizeBytes <= SMALL_BODY_BYTES_MAX;
    const give = await this.#leave(isSmall ? this.#small : this.#large, isSmall ? Math.max(1, body.sizeBytes) : 1);
    try {
      return isSmall
        ? await this.#putSmall(place, body, attributesFor)
        : await this.#putLarge(place, body, attributesFor);
    } finally {
      give();
    }
  }

  async #leave(semaphore: Semaphore, units: number): Promise<() => void> {
    if (this.#waiting >= WAITING_BODIES_MAX) throw new S3Fault('SlowDown', 'please reduce your request rate');
    this.#waiting += 1;
    try {
      return await semaphore.acquire(units);
    } finally {
      this.#waiting -= 1;
    }
  }

  async #putSmall(
    place: PutPlace,
    body: VerifiedBody,
    attributesFor: (sums: BodySums) => Attributes,
  ): Promise<PutDone> {
    const bytes = await body.whole();
    const sums = body.finish();
    const facts = factsOf(sums.md5, attributesFor(sums));
    // What was hashed to verify it is not hashed again to name its block; its memory goes as soon as it is sealed.
    const whole = async (bytesMax: number): Promise<WholeBody | undefined> => {
      if (bytes.length > bytesMax) return undefined;
      const { sha256 = hash('sha256', bytes, 'hex') } = sums;
      return { bytes, sha256, free: () => void bytes.buffer.transfer(0) };
    };
    const result = await this.batcher.put({
      ...itemAt(place),
      body: bytes,
      whole,
      sizeBytes: bytes.length,
      facts: () => facts,
    });
    return { result, sums };
  }

  async #putLarge(
    place: PutPlace,
    body: VerifiedBody,
    attributesFor: (sums: BodySums) => Attributes,
  ): Promise<PutDone> {
    let sums: BodySums | undefined;
    const finished = (): BodySums => {
      sums ??= body.finish();
      return sums;
    };
    const item: PutItem = {
      ...itemAt(place),
      body: body.content(),
      sizeBytes: body.saidBytes,
      verify: async () => void finished(),
      facts: () => factsOf(finished().md5, attributesFor(finished())),
    };
    for await (const outcome of this.engine.putAll([item])) {
      if (!outcome.ok) throw outcome.error;
      return { result: outcome, sums: finished() };
    }
    throw new S3Fault('SlowDown', 'please reduce your request rate');
  }

  /** An object without content: all there is to know is in its row. */
  putNote(place: PutPlace, attributes: object): Promise<PutResult> {
    const system = JSON.stringify(attributes);
    return this.batcher.put({ ...itemAt(place), body: new Uint8Array(0), sizeBytes: 0, facts: () => ({ system }) });
  }

  /** Throws `missing` OBJECT_MISSING, which clients are told as NoSuchKey. */
  head(namespace: string, key: string): Promise<ObjectRow> {
    return this.engine.head(namespace, key);
  }

  async find(namespace: string, key: string): Promise<ObjectRow | undefined> {
    try {
      return await this.head(namespace, key);
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  async get(namespace: string, key: string, range: RangeOf): Promise<GetResult> {
    const found = await this.engine.get(namespace, key, range);
    const { length, object, body } = found;
    if (length <= SMALL_BODY_BYTES_MAX) return found;
    return { ...found, body: this.#reads.pieces(body, Math.min(length, object.blockBytes)) };
  }

  list(...args: Parameters<ObjectEngine['list']>): Promise<ListPage> {
    return this.engine.list(...args);
  }

  async *listAll(namespace: string, prefix = ''): AsyncGenerator<ObjectRow> {
    for (let from: string | undefined = prefix; from !== undefined; ) {
      const page: ListPage = await this.engine.list({ namespace, prefix, ...(from === '' ? {} : { from }) });
      yield* page.objects;
      from = page.next;
    }
  }

  compose(
    request: Omit<ComposeRequest, 'ifVersion'> & { readonly ifVersion?: string | undefined },
  ): Promise<ObjectRow> {
    return this.engine.compose({ ...request, ifVersion: request.ifVersion as IfVersion });
  }

  /** True if it was there. Throws `conflict` VERSION_MISMATCH. */
  async delete(namespace: string, key: string, ifVersion?: string): Promise<boolean> {
    for await (const outcome of this.engine.deleteAll([{ namespace, key, ifVersion }])) {
      if (outcome.ok) return true;
      if (isMissing(outcome.error)) return false;
      throw outcome.error;
    }
    return false;
  }

  /** What went wrong, by key; what was not there is gone all the same. */
  async deleteMany(namespace: string, keys: readonly string[]): Promise<Map<string, Error>> {
    const failed = new Map<string, Error>();
    for await (const outcome of this.engine.deleteAll(keys.map((key) => ({ namespace, key }))))
      if (!outcome.ok && !isMissing(outcome.error)) failed.set(outcome.key, outcome.error);
    return failed;
  }
}

/** Of an object of which S3 does not know there is no MD5. */
export const factsOf = (md5: string | undefined, attributes: Attributes): ObjectFacts => {
  const system = attributesText(attributes);
  return { ...(md5 === undefined ? {} : { md5 }), ...(system === undefined ? {} : { system }) };
};

const itemAt = ({ namespace, key, ifVersion }: PutPlace) =>
  ({ namespace, key, ifVersion: ifVersion as IfVersion, isAnyKey: true }) as const;

const isMissing = (error: unknown): boolean => isPocketfulError(error) && error.code === 'OBJECT_MISSING';
export const isVersionMismatch = (error: unknown): boolean =>
  isPocketfulError(error) && error.code === 'VERSION_MISMATCH';
