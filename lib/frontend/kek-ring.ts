// The KEKs as this process uses them: the current one for sealing, any other for opening. Unwrapped once; looked at
// again now and then, because another process may have rotated.

import { KEK_LOOK_EVERY_MS } from '../limits/frontend.ts';
import type { Components } from '../volume/rows/components.ts';
import { currentKek } from '../volume/rows/known-keks.ts';

export interface Kek {
  readonly version: number;
  readonly key: Uint8Array;
}

export class KekRing {
  readonly #components: Components;
  #current: Promise<Kek> | undefined;
  #lookedAtMs = Number.NEGATIVE_INFINITY;

  constructor(components: Components) {
    this.#components = components;
  }

  /**
   * Throws `denied` KEYS_BEHIND or KEK_WRONG where the keys at hand are not those of the store: nothing is written
   * under them.
   */
  current(): Promise<Kek> {
    const nowMs = this.#components.clock.monotonicMs();
    if (this.#current === undefined || nowMs - this.#lookedAtMs >= KEK_LOOK_EVERY_MS) {
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
    return this.#components.keks.kek(version);
  }

  async #load(): Promise<Kek> {
    const { version, key } = await currentKek(this.#components);
    return { version, key };
  }
}
