// What was read of the store a moment ago: a page that is opened five times, or by five people, reads it once.
import type { Clock } from '../../foundation/clock.ts';
import { WEB_LOOK_MS, WEB_LOOK_TIMES_MAX } from '../../limits/web.ts';

export class Look<T> {
  readonly #read: () => Promise<T>;
  readonly #clock: Clock;
  #known: Promise<T> | undefined;
  #untilMs = Number.NEGATIVE_INFINITY;

  constructor(read: () => Promise<T>, clock: Clock) {
    this.#read = read;
    this.#clock = clock;
  }

  /** A large store takes longer to read, and is read less often. */
  now(): Promise<T> {
    const startedMs = this.#clock.monotonicMs();
    if (this.#known !== undefined && startedMs < this.#untilMs) return this.#known;
    const known = this.#read();
    this.#known = known;
    this.#untilMs = Number.POSITIVE_INFINITY;
    known.then(
      () => {
        const tookMs = this.#clock.monotonicMs() - startedMs;
        if (this.#known === known)
          this.#untilMs = this.#clock.monotonicMs() + Math.max(WEB_LOOK_MS, WEB_LOOK_TIMES_MAX * tookMs);
      },
      () => this.forget(),
    );
    return known;
  }

  /** After something was done. */
  forget(): void {
    this.#known = undefined;
  }
}
