// A simulated process: it may die (nothing of it happens any more), freeze (it goes on later, as if nothing had been), and its wall
// clock may be wrong. Its randomness is its own, so that what one process draws does not change what another does.
import type { Clock } from '../../../lib/foundation/clock.ts';
import { SeededRandomness } from '../../../lib/foundation/randomness.ts';
import type { Scheduler } from './scheduler.ts';

export const EPOCH_MS = Date.UTC(2026, 0, 1);
export const never = <T>(): Promise<T> => new Promise<T>(() => {});

export class SimProcess {
  /** As it is named in leases and runs. */
  readonly owner: string;
  readonly scheduler: Scheduler;
  /** What the process itself draws. */
  readonly randomness: SeededRandomness;
  /** What befalls its calls. */
  readonly fate: SeededRandomness;
  readonly clock: Clock;
  isDead = false;
  diedAtMs = 0;
  frozenUntilUs = 0;
  /** Its wall clock is wrong by so much. */
  wallOffsetMs = 0;
  /** What is told when it dies. */
  readonly onDeath: (() => void)[] = [];

  constructor(scheduler: Scheduler, owner: string, seed: number) {
    this.scheduler = scheduler;
    this.owner = owner;
    this.randomness = new SeededRandomness(seed * 2);
    this.fate = new SeededRandomness(seed * 2 + 1);
    this.clock = {
      nowMs: () => EPOCH_MS + scheduler.nowMs + this.wallOffsetMs,
      monotonicMs: () => scheduler.nowMs,
      sleep: (ms, signal) => this.#sleep(ms, signal),
    };
  }

  isFrozen(): boolean {
    return this.frozenUntilUs > this.scheduler.nowUs;
  }

  die(): void {
    if (this.isDead) return;
    this.isDead = true;
    this.diedAtMs = this.scheduler.nowMs;
    for (const told of this.onDeath) told();
  }

  async #sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.isDead) return never();
    await new Promise<void>((resolve, reject) => {
      const abort = (): void => reject(signal?.reason);
      signal?.addEventListener('abort', abort, { once: true });
      this.scheduler.schedule(Math.ceil(ms * 1000), this.fate.uint32(), this, () => {
        signal?.removeEventListener('abort', abort);
        resolve();
      });
    });
  }
}
