// Puts of many objects through the frontend: small ones gathered into requests that fit Lambda, long ones sent in
// parts. A few requests are under way at once; two puts of one key are sent in the order they came. Where much comes,
// as much as the embedded engine calls much, the rest goes another way (aws-bulk.ts), and so do the small ones that
// came before: until it is known, they wait.
import { chained } from '../../../foundation/chained.ts';
import { Semaphore } from '../../../foundation/concurrency.ts';
import { isKind } from '../../../foundation/errors.ts';
import { Outbox } from '../../../foundation/outbox.ts';
import { type ByteSource, cutBlocks } from '../../../frontend/cut-blocks.ts';
import { checkMetadata, checkPathKey } from '../../../frontend/object-keys.ts';
import { isItemError } from '../../../frontend/put-item.ts';
import {
  BODY_BYTES_MAX,
  OBJECTS_PER_REQUEST_MAX,
  PARTS_AT_ONCE,
  REQUESTS_AT_ONCE,
  WHOLE_BODY_BYTES_MAX,
} from '../../../limits/stage.ts';
import { fromWire, type RequestOf, type ResultOf, toBase64 } from '../../../service/protocol.ts';
import type { PutOutcome, PutRequest } from '../../face.ts';
import { type FrontendCaller, isTurnedAway } from '../aws-call.ts';
import { AwsBulkPut } from './aws-bulk.ts';

/** Brackets and field names of an object in a request. */
const FRAME_BYTES = 96;

interface Small {
  readonly item: PutRequest;
  readonly body: Uint8Array;
}

export class AwsPuts {
  readonly #caller: FrontendCaller;
  readonly #namespace: string;
  readonly #out = new Outbox<PutOutcome>();
  readonly #requests = new Semaphore(REQUESTS_AT_ONCE);
  readonly #flights = new Set<Promise<void>>();
  readonly #keysInFlight = new Set<string>();
  #batch: Small[] = [];
  #batchBytes = 0;
  /** From so many bytes on it is a bulk put; infinite once it is known to be none. */
  #bulkFromBytes: number;
  #bulk: AwsBulkPut | undefined;
  #seenBytes = 0;
  /** Full requests that wait until it is known how much comes. */
  #waiting: (readonly Small[])[] = [];

  constructor(caller: FrontendCaller, namespace: string, bulkFromBytes = Number.POSITIVE_INFINITY) {
    this.#caller = caller;
    this.#namespace = namespace;
    this.#bulkFromBytes = bulkFromBytes;
  }

  /** One outcome for each item, in the order they become durable. */
  async *run(items: AsyncIterable<PutRequest> | Iterable<PutRequest>): AsyncGenerator<PutOutcome> {
    const sending = this.#sendAll(items).then(
      () => this.#out.end(),
      (error: unknown) => this.#out.fail(error),
    );
    try {
      yield* this.#out;
    } finally {
      await sending;
    }
  }

  async #sendAll(items: AsyncIterable<PutRequest> | Iterable<PutRequest>): Promise<void> {
    try {
      for await (const item of items) await this.#takeOne(item);
      await this.#sendWaiting();
      await this.#bulk?.settle();
    } finally {
      await Promise.all(this.#flights);
    }
  }

  async #takeOne(item: PutRequest): Promise<void> {
    try {
      // Here already: a name that is not valid Unicode would not survive JSON.
      checkPathKey(item.key);
      checkMetadata(item.metadata);
      if (this.#keysInFlight.has(item.key)) {
        await this.#sendWaiting();
        await Promise.all(this.#flights);
      }
      const pieces = cutBlocks(item.body, WHOLE_BODY_BYTES_MAX);
      const first = await pieces.next();
      const second = first.done ? first : await pieces.next();
      if (!second.done) return await this.#addLong(item, [first.value, second.value], pieces);
      await item.verify?.();
      await this.#add({ item, body: first.value ?? new Uint8Array(0) });
    } catch (error) {
      if (!isItemError(error)) throw error;
      this.#out.push({ key: item.key, ok: false, error });
    }
  }

  async #add(small: Small): Promise<void> {
    const { item, body } = small;
    this.#seenBytes += body.byteLength;
    if ((await this.#isBulk()) && this.#mayBeGathered(item)) return this.#addToBulk(small);
    // Names and metadata may double when they are escaped.
    await this.#bulk?.settleKey(item.key);
    const bytes = body.byteLength + 2 * (item.key.length + (item.metadata?.length ?? 0)) + FRAME_BYTES;
    const isFull = this.#batchBytes + bytes > BODY_BYTES_MAX || this.#batch.length === OBJECTS_PER_REQUEST_MAX;
    if (isFull) await this.#flush();
    this.#keysInFlight.add(item.key);
    this.#batch.push(small);
    this.#batchBytes += bytes;
  }

  /** A long one goes in parts of its own, unless this is a bulk put and it fits a gathering. */
  async #addLong(item: PutRequest, head: readonly Uint8Array[], rest: AsyncGenerator<Uint8Array>): Promise<void> {
    const { sizeBytes } = item;
    const first = sizeBytes === undefined ? await this.#readUntilMuch(head, rest) : head;
    this.#seenBytes += sizeBytes ?? 0;
    const bulk = (await this.#isBulk()) && this.#mayBeGathered(item) ? this.#bulk : undefined;
    if (sizeBytes !== undefined && bulk?.takes(sizeBytes)) return bulk.add(item, chained(first, rest), sizeBytes);
    await this.#bulk?.settleKey(item.key);
    if (!bulk?.takesMore) return this.#fly([item], () => this.#putLong(item, first, rest));
    await this.#fly([item], async () => this.#out.push(await bulk.putLong(item, chained(first, rest))));
  }

  /** More of a body of which nobody says how long it is, until it is known whether this is a bulk put. */
  async #readUntilMuch(head: readonly Uint8Array[], rest: AsyncGenerator<Uint8Array>): Promise<readonly Uint8Array[]> {
    const first = [...head];
    this.#seenBytes += head.reduce((sum, { byteLength }) => sum + byteLength, 0);
    while (Number.isFinite(this.#bulkFromBytes) && this.#seenBytes < this.#bulkFromBytes) {
      const next = await rest.next();
      if (next.done) break;
      first.push(next.value);
      this.#seenBytes += next.value.byteLength;
    }
    return first;
  }

  /** A stage of an earlier release gathers without conditions. */
  #mayBeGathered({ ifVersion }: PutRequest): boolean {
    return ifVersion === undefined || (this.#bulk?.takesMore ?? false);
  }

  async #addToBulk({ item, body }: Small): Promise<void> {
    const verified = { ...item, verify: undefined };
    await this.#bulk?.add(verified, chained([body]), body.byteLength);
  }

  /** Asks the stage when so much has come; what waited goes first. */
  async #isBulk(): Promise<boolean> {
    if (this.#bulk !== undefined) return true;
    if (this.#seenBytes < this.#bulkFromBytes) return false;
    this.#bulkFromBytes = Number.POSITIVE_INFINITY;
    this.#bulk = await AwsBulkPut.begin(this.#caller, this.#namespace, this.#out);
    if (this.#bulk === undefined) {
      await this.#sendWaiting();
      return false;
    }
    const waiting = [...this.#waiting.flat(), ...this.#batch];
    this.#waiting = [];
    this.#batch = [];
    this.#batchBytes = 0;
    for (const small of waiting) {
      this.#keysInFlight.delete(small.item.key);
      await this.#addToBulk(small);
    }
    return true;
  }

  async #sendWaiting(): Promise<void> {
    await this.#flush();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const batch of waiting) await this.#flyBatch(batch);
  }

  async #flush(): Promise<void> {
    const batch = this.#batch;
    this.#batch = [];
    this.#batchBytes = 0;
    if (batch.length === 0) return;
    if (Number.isFinite(this.#bulkFromBytes)) this.#waiting.push(batch);
    else await this.#flyBatch(batch);
  }

  #flyBatch(batch: readonly Small[]): Promise<void> {
    return this.#fly(
      batch.map(({ item }) => item),
      () => this.#putSmall(batch),
    );
  }

  /** Starts sending; waits only while too many requests are under way. */
  async #fly(items: readonly PutRequest[], send: () => Promise<void>): Promise<void> {
    for (const item of items) this.#keysInFlight.add(item.key);
    const give = await this.#requests.acquire();
    const flight: Promise<void> = send()
      .catch((error: unknown) => {
        // Who is not let in need not try the rest.
        if (!isItemError(error) || isKind(error, 'denied')) return this.#out.fail(error);
        for (const { key } of items) this.#out.push({ key, ok: false, error });
      })
      .finally(() => {
        for (const item of items) this.#keysInFlight.delete(item.key);
        this.#flights.delete(flight);
        give();
      });
    this.#flights.add(flight);
  }

  /** Objects that the frontend had to turn away for the moment are sent again: nothing of them is stored. */
  async #putSmall(batch: readonly Small[]): Promise<void> {
    let left = batch;
    for (let attempt = 1; left.length > 0; attempt++) {
      const { results } = await this.#sendSmall(left);
      const turnedAway: { readonly small: Small; readonly error: Error }[] = [];
      for (const [i, small] of left.entries()) {
        const result = results[i] as (typeof results)[number];
        if (!('error' in result)) {
          this.#out.push({ ...result, ok: true });
          continue;
        }
        const error = fromWire(result.error);
        if (isTurnedAway(error)) turnedAway.push({ small, error });
        else this.#out.push({ key: small.item.key, ok: false, error });
      }
      left = turnedAway.map(({ small }) => small);
      if (left.length === 0 || (await this.#caller.mayRetry(attempt))) continue;
      for (const { small, error } of turnedAway) this.#out.push({ key: small.item.key, ok: false, error });
      return;
    }
  }

  #sendSmall(batch: readonly Small[]): Promise<ResultOf<'put'>> {
    const objects: RequestOf<'put'>['objects'] = batch.map(({ item, body }) => ({
      key: item.key,
      body: toBase64(body),
      metadata: item.metadata,
      ifVersion: item.ifVersion,
    }));
    return this.#caller.call({ op: 'put', namespace: this.#namespace, objects });
  }

  async #putLong(item: PutRequest, head: readonly Uint8Array[], rest: AsyncIterable<Uint8Array>): Promise<void> {
    const { key, metadata, ifVersion } = item;
    const namespace = this.#namespace;
    const { upload, partBytesMax } = await this.#caller.call({ op: 'uploadBegin', namespace, key });
    try {
      const sizeBytes = await this.#sendParts(upload, () => chained(head, rest), partBytesMax);
      await item.verify?.();
      const finish = { op: 'uploadFinish' as const, upload, namespace, key, sizeBytes, metadata, ifVersion };
      const { object } = await this.#caller.call(finish);
      const { version, etag } = object;
      // How much of it was new is not counted over the parts.
      this.#out.push({ key, ok: true, version, etag, sizeBytes, newBytes: undefined });
    } catch (error) {
      // Best effort: an upload that nobody finishes is released by the store.
      await this.#caller.call({ op: 'uploadAbort', upload }).catch(() => undefined);
      throw error;
    }
  }

  /** The number of bytes sent. */
  async #sendParts(upload: string, source: ByteSource, partBytes: number): Promise<number> {
    const atOnce = new Semaphore(PARTS_AT_ONCE);
    const sending = new Set<Promise<void>>();
    const failures: unknown[] = [];
    let offset = 0;
    try {
      for await (const part of cutBlocks(source, partBytes)) {
        const give = await atOnce.acquire();
        if (failures.length > 0) break;
        const request = { op: 'uploadPart' as const, upload, offset, body: toBase64(part) };
        offset += part.byteLength;
        const sent: Promise<void> = this.#caller
          .call(request)
          .then(
            () => {},
            (error: unknown) => void failures.push(error),
          )
          .finally(() => {
            sending.delete(sent);
            give();
          });
        sending.add(sent);
      }
    } finally {
      await Promise.all(sending);
    }
    if (failures.length > 0) throw failures[0];
    return offset;
  }
}
