// Answers that are believed for a while and then asked for again: what changes elsewhere holds here within that time.
import type { Clock } from './clock.ts';
import { LruCache } from './lru.ts';

export interface Belief<Answer> {
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly forMs: number;
  /** Answers at once; those that nobody asked for longest go first. */
  readonly keptMax: number;
  ask(name: string): Promise<Answer>;
}

export class Believed<Answer> {
  readonly #belief: Belief<Answer>;
  readonly #known: LruCache<string, { readonly answer: Promise<Answer>; readonly untilMs: number }>;

  constructor(belief: Belief<Answer>) {
    this.#belief = belief;
    this.#known = new LruCache(belief.keptMax);
  }

  /** As it was within that time. Whoever comes meanwhile shares one question; a failure is not kept. */
  of(name: string): Promise<Answer> {
    const { clock, forMs, ask } = this.#belief;
    const nowMs = clock.monotonicMs();
    const known = this.#known.get(name);
    if (known !== undefined && nowMs < known.untilMs) return known.answer;
    const answer = ask(name);
    answer.catch(() => this.#known.delete(name));
    this.#known.set(name, { answer, untilMs: nowMs + forMs });
    return answer;
  }

  /** It was changed here. */
  forget(name: string): void {
    this.#known.delete(name);
  }
}
