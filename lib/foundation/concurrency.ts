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

  /** As `acquire` where nothing has to be waited for. */
  tryAcquire(units = 1): (() => void) | undefined {
    const wanted = Math.min(units, this.#total);
    if (this.#waiting.length > 0 || this.#free < wanted) return undefined;
    this.#free -= wanted;
    return this.#held(wanted);
  }

  /**
   * Waits for `units` (more than there are counts as all of them); the answer gives them back, once. `granted` is
   * called at the moment they are given.
   */
  async acquire(units = 1, granted?: () => void): Promise<() => void> {
    const free = this.tryAcquire(units);
    if (free !== undefined) {
      granted?.();
      return free;
    }
    const wanted = Math.min(units, this.#total);
    await new Promise<void>((resolve) => {
      const give = (): void => {
        granted?.();
        resolve();
      };
      this.#waiting.push({ units: wanted, resolve: give });
    });
    return this.#held(wanted);
  }

  #held(units: number): () => void {
    let held = true;
    return () => {
      assert(held, 'units are given back once');
      held = false;
      this.#free += units;
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
