// Small objects that come one by one are stored together: while batches are under way, what comes gathers, and goes
// with the next one. So many at once share an append and its transactions, and one alone waits for nothing. The S3
// endpoint, the stage's function and the client of a stage each have one in front of their `putAll`.
import { assert } from '../../foundation/assert.ts';
import type { Clock } from '../../foundation/clock.ts';
import { retryLater } from '../../foundation/errors.ts';
import {
  BATCHED_BYTES_MAX,
  BATCHED_OBJECTS_MAX,
  BATCHES_AT_ONCE,
  BESIDE_FROM_BYTES,
  BESIDE_FROM_OBJECTS,
  GATHER_MS,
} from '../../limits/frontend.ts';
import { nameOf, type PutItem, type PutOutcome, type PutResult } from '../put-item.ts';

/** What the batcher has to know of an object. */
export type Batched = Pick<PutItem, 'namespace' | 'key' | 'sizeBytes'>;
type Failed = Extract<PutOutcome, { readonly ok: false }>;
type Stored = Pick<PutResult, 'key' | 'ok'>;

interface PutsMany<Item, Result> {
  putAll(items: readonly Item[]): AsyncIterable<Result | Failed>;
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly resolve: (outcome: Result | Failed) => void;
  readonly reject: (error: unknown) => void;
}

export interface BatcherOptions {
  readonly onBatch?: ((objects: number) => void) | undefined;
  /**
   * Of a server whose clients come again as soon as they are answered: a batch waits a moment for as many as came
   * before, and another one beside it is begun only when much waits. Missing: whatever waits goes at once.
   */
  readonly clock?: Pick<Clock, 'sleep'> | undefined;
}

export class Batcher<Item extends Batched = PutItem, Result extends Stored = PutResult> {
  readonly #engine: PutsMany<Item, Result>;
  readonly #onBatch: (objects: number) => void;
  readonly #clock: BatcherOptions['clock'];
  #queue: Waiting<Item, Result>[] = [];
  #queuedBytes = 0;
  /** Names in batches under way: a later put of one of them waits, so that the later one is the one that stays. */
  readonly #names = new Set<string>();
  #running = 0;
  /** As many as the last batch had, and as waited at its first outcome: so many may come together. */
  #expected = 0;
  #gathering: 'not' | 'now' | 'over' = 'not';

  constructor(engine: PutsMany<Item, Result>, { onBatch = () => {}, clock }: BatcherOptions = {}) {
    this.#engine = engine;
    this.#onBatch = onBatch;
    this.#clock = clock;
  }

  /** How many wait for a batch. */
  get waiting(): number {
    return this.#queue.length;
  }

  async put(item: Item): Promise<Result> {
    const outcome = await this.outcomeOf(item);
    if (!outcome.ok) throw outcome.error;
    return outcome;
  }

  /** Rejects only with what is no fault of an item: then all of its batch do. */
  outcomeOf(item: Item): Promise<Result | Failed> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ item, resolve, reject });
      this.#queuedBytes += item.sizeBytes ?? 0;
      // What comes in the same turn of the event loop goes together.
      queueMicrotask(() => this.#start());
    });
  }

  #start(): void {
    while (this.#running < BATCHES_AT_ONCE && !this.#waitsForMore()) {
      const batch = this.#take();
      if (batch.size === 0) return;
      this.#running += 1;
      this.#gathering = 'not';
      void this.#run(batch).finally(() => {
        this.#running -= 1;
        for (const { item } of batch.values()) this.#names.delete(nameOf(item));
        this.#start();
      });
    }
  }

  /** Each batch has its price, however little is in it: syncs of the disk, or requests. */
  #waitsForMore(): boolean {
    if (this.#clock === undefined || this.#queue.length === 0) return false;
    if (this.#running > 0) return this.#queue.length < BESIDE_FROM_OBJECTS && this.#queuedBytes < BESIDE_FROM_BYTES;
    if (this.#queue.length >= this.#expected || this.#queuedBytes >= BESIDE_FROM_BYTES) return false;
    if (this.#gathering === 'not') void this.#gather(this.#clock);
    return this.#gathering === 'now';
  }

  async #gather(clock: Pick<Clock, 'sleep'>): Promise<void> {
    this.#gathering = 'now';
    await clock.sleep(GATHER_MS);
    if (this.#gathering !== 'now') return;
    this.#gathering = 'over';
    this.#start();
  }

  /** As many as go together: one of each key, for an outcome names no more than that. */
  #take(): Map<string, Waiting<Item, Result>> {
    const batch = new Map<string, Waiting<Item, Result>>();
    const rest: Waiting<Item, Result>[] = [];
    const passed = new Set<string>();
    let bytes = 0;
    for (const waiting of this.#queue) {
      const { item } = waiting;
      const name = nameOf(item);
      const size = item.sizeBytes ?? 0;
      const fits = batch.size < BATCHED_OBJECTS_MAX && (batch.size === 0 || bytes + size <= BATCHED_BYTES_MAX);
      if (!fits || batch.has(item.key) || this.#names.has(name) || passed.has(name)) {
        passed.add(name);
        rest.push(waiting);
        continue;
      }
      batch.set(item.key, waiting);
      bytes += size;
    }
    for (const { item } of batch.values()) this.#names.add(nameOf(item));
    this.#queue = rest;
    this.#queuedBytes -= bytes;
    return batch;
  }

  async #run(batch: ReadonlyMap<string, Waiting<Item, Result>>): Promise<void> {
    this.#onBatch(batch.size);
    const left = new Map(batch);
    const items = [...batch.values()].map(({ item }) => item);
    try {
      for await (const outcome of this.#engine.putAll(items)) {
        const waiting = left.get(outcome.key);
        assert(waiting !== undefined, 'an outcome is of an item of the batch');
        // Those of this batch come again after this.
        if (left.size === batch.size) this.#expected = Math.min(batch.size + this.#queue.length, BESIDE_FROM_OBJECTS);
        left.delete(outcome.key);
        waiting.resolve(outcome);
      }
    } catch (error) {
      for (const { reject } of left.values()) reject(error);
      return;
    }
    if (left.size === 0) return;
    // One that finds the disk full is the last that is begun.
    const error = retryLater('DISK_FULL', 'it was not begun: no space was left for one before it');
    for (const [key, { resolve }] of left) resolve({ key, ok: false, error });
  }
}
