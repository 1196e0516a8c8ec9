// The KEKs as this process uses them: the current one for sealing, any other for opening. Unwrapped once; looked at again now and then,
// because another process may have rotated.
import { assert } from '../foundation/assert.ts';
import type { Clock } from '../foundation/clock.ts';
import type { KekStore } from '../keys/keys.ts';

const LOOK_AGAIN_MS = 60_000;

export interface Kek {
  readonly version: number;
  readonly key: Uint8Array;
}

export class KekRing {
  readonly #keks: KekStore;
  readonly #clock: Clock;
  #current: Promise<Kek> | undefined;
  #lookedAtMs = Number.NEGATIVE_INFINITY;

  constructor(keks: KekStore, clock: Clock) {
    this.#keks = keks;
    this.#clock = clock;
  }

  current(): Promise<Kek> {
    const nowMs = this.#clock.monotonicMs();
    if (this.#current === undefined || nowMs - this.#lookedAtMs >= LOOK_AGAIN_MS) {
      this.#lookedAtMs = nowMs;
      this.#current = this.#load();
      this.#current.catch(() => {
        this.#current = undefined;
      });
    }
    return this.#current;
  }

  /** Looks the versions up again at the next `current`. */
  forget(): void {
    this.#current = undefined;
  }

  key(version: number): Promise<Uint8Array> {
    return this.#keks.kek(version);
  }

  async #load(): Promise<Kek> {
    const current = (await this.#keks.versions()).find(({ state }) => state === 'current');
    assert(current !== undefined, 'a key store has a current KEK');
    return { version: current.version, key: await this.#keks.kek(current.version) };
  }
}
