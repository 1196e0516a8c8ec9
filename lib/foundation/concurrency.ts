// Bounded concurrency for loops over many items. No library: the needs are three short functions.
import { assert } from './assert.ts';

/**
 * Runs `each` over `items`, at most `width` at once, answers in order. The first error stops new work and is thrown.
 */
export async function mapLimit<T, R>(
  items: readonly T[],
  width: number,
  each: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  assert(width >= 1, 'a width is at least 1');
  const out = new Array<R>(items.length);
  let next = 0;
  let failed = false;
  const worker = async (): Promise<void> => {
    while (!failed && next < items.length) {
      const index = next++;
      try {
        out[index] = await each(items[index] as T, index);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const settled = await Promise.allSettled(Array.from({ length: Math.min(width, items.length) }, worker));
  for (const outcome of settled) if (outcome.status === 'rejected') throw outcome.reason;
  return out;
}

/** Counts units (bytes, requests) under way; waiters are served in order. */
export class Semaphore {
  #free: number;
  readonly #total: number;
  readonly #waiting: { units: number; resolve: () => void }[] = [];

  constructor(total: number) {
    assert(total > 0, 'a semaphore has at least one unit');
    this.#total = total;
    this.#free = total;
  }

  /** Waits for `units` (more than there are counts as all of them); the answer gives them back, once. */
  async acquire(units = 1): Promise<() => void> {
    const wanted = Math.min(units, this.#total);
    if (this.#waiting.length === 0 && this.#free >= wanted) this.#free -= wanted;
    else await new Promise<void>((resolve) => this.#waiting.push({ units: wanted, resolve }));
    let held = true;
    return () => {
      assert(held, 'units are given back once');
      held = false;
      this.#free += wanted;
      this.#serve();
    };
  }

  #serve(): void {
    for (let first = this.#waiting[0]; first !== undefined && this.#free >= first.units; first = this.#waiting[0]) {
      this.#free -= first.units;
      this.#waiting.shift();
      first.resolve();
    }
  }
}
