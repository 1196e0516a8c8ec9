// Small objects that come one by one are stored together: while batches are under way, what comes gathers, and goes
// with the next one. So many at once share an append and its transactions, and one alone waits for nothing.
import type { ObjectEngine } from '../client/face.ts';
import { assert } from '../foundation/assert.ts';
import { retryLater } from '../foundation/errors.ts';
import type { PutItem, PutResult } from '../frontend/frontend.ts';
import { nameOf } from '../frontend/put-item.ts';
import { BATCHED_BYTES_MAX, BATCHED_OBJECTS_MAX, BATCHES_AT_ONCE } from '../limits/gateway.ts';

interface Waiting {
  readonly item: PutItem;
  readonly resolve: (result: PutResult) => void;
  readonly reject: (error: unknown) => void;
}

export class Batcher {
  readonly #engine: Pick<ObjectEngine, 'putAll'>;
  readonly #onBatch: (objects: number) => void;
  #queue: Waiting[] = [];
  /** Names in batches under way: a later put of one of them waits, so that the later one is the one that stays. */
  readonly #names = new Set<string>();
  #running = 0;

  constructor(engine: Pick<ObjectEngine, 'putAll'>, onBatch: (objects: number) => void = () => {}) {
    this.#engine = engine;
    this.#onBatch = onBatch;
  }

  /** How many wait for a batch. */
  get waiting(): number {
    return this.#queue.length;
  }

  put(item: PutItem): Promise<PutResult> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ item, resolve, reject });
      // What comes in the same turn of the event loop goes together.
      queueMicrotask(() => this.#start());
    });
  }

  #start(): void {
    while (this.#running < BATCHES_AT_ONCE) {
      const batch = this.#take();
      if (batch.size === 0) return;
      this.#running += 1;
      void this.#run(batch).finally(() => {
        this.#running -= 1;
        for (const { item } of batch.values()) this.#names.delete(nameOf(item));
        this.#start();
      });
    }
  }

  /** As many as go together: one of each key, for an outcome names no more than that. */
  #take(): Map<string, Waiting> {
    const batch = new Map<string, Waiting>();
    const rest: Waiting[] = [];
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
    return batch;
  }

  async #run(batch: ReadonlyMap<string, Waiting>): Promise<void> {
    this.#onBatch(batch.size);
    const left = new Map(batch);
    const items = [...batch.values()].map(({ item }) => item);
    try {
      for await (const outcome of this.#engine.putAll(items)) {
        const waiting = left.get(outcome.key);
        assert(waiting !== undefined, 'an outcome is of an item of the batch');
        left.delete(outcome.key);
        if (outcome.ok) waiting.resolve(outcome);
        else waiting.reject(outcome.error);
      }
    } catch (error) {
      for (const { reject } of left.values()) reject(error);
      return;
    }
    // One that finds the disk full is the last that is begun.
    for (const { reject } of left.values())
      reject(retryLater('DISK_FULL', 'it was not begun: no space was left for one before it'));
  }
}
