// KEKs in memory: for tests and simulations.
import type { Clock } from '../foundation/clock.ts';
import type { Randomness } from '../foundation/randomness.ts';
import { KEK_BYTES } from './envelope.ts';
import { currentOf, type KeyRing, materialOf, versionsOf, withNextVersion, withoutMaterial } from './key-ring.ts';
import type { KekStore, KekVersion } from './keys.ts';

export class MemoryKekStore implements KekStore {
  readonly #clock: Clock;
  readonly #randomness: Randomness;
  #ring: KeyRing<Uint8Array> = [];

  /** Begins with version 1. */
  constructor(ports: { readonly clock: Clock; readonly randomness: Randomness }) {
    this.#clock = ports.clock;
    this.#randomness = ports.randomness;
    this.#addVersion();
  }

  async versions(): Promise<readonly KekVersion[]> {
    return versionsOf(this.#ring);
  }

  async kek(version: number): Promise<Uint8Array> {
    return materialOf(this.#ring, version);
  }

  async rotate(): Promise<KekVersion> {
    this.#addVersion();
    return currentOf(this.#ring);
  }

  async destroy(version: number): Promise<void> {
    this.#ring = withoutMaterial(this.#ring, version);
  }

  #addVersion(): void {
    this.#ring = withNextVersion(this.#ring, this.#randomness.bytes(KEK_BYTES), this.#clock.nowMs());
  }
}
