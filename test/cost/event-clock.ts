// A clock for what happens side by side in simulated time: whoever sleeps is woken in the order of time, and time goes on only when nobody has
// anything left to do. Work off the event loop (the thread pool, disks) takes no part in it.
import type { Clock } from '../../lib/foundation/clock.ts';

interface Sleeper {
  readonly atMs: number;
  readonly wake: () => void;
}

export class EventClock implements Clock {
  #nowMs = 0;
  readonly #startMs = Date.UTC(2026, 0, 1);
  /** By time; those of one time in the order they lay down. */
  readonly #sleepers: Sleeper[] = [];

  nowMs(): number {
    return this.#startMs + this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  sleep(ms: number): Promise<void> {
    return new Promise((wake) => {
      const atMs = this.#nowMs + ms;
      const later = this.#sleepers.findIndex((sleeper) => sleeper.atMs > atMs);
      this.#sleepers.splice(later < 0 ? this.#sleepers.length : later, 0, { atMs, wake });
    });
  }

  /** Lets time pass until the work is done. */
  async run<T>(work: Promise<T>): Promise<T> {
    let isDone = false;
    const done = (): void => {
      isDone = true;
    };
    work.then(done, done);
    while (!isDone) {
      await new Promise((resolve) => setImmediate(resolve));
      const next = this.#sleepers.shift();
      if (next === undefined) continue;
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.wake();
    }
    return work;
  }
}
