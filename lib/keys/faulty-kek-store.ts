// Any KEK store under a fault plan, for crash tests.
import { retryLater } from '../foundation/errors.ts';
import { type FaultPlan, underPlan } from '../foundation/faults.ts';
import type { KekStore, KekVersion } from './keys.ts';

export class FaultyKekStore implements KekStore {
  readonly #inner: KekStore;
  readonly #plan: FaultPlan;

  constructor(inner: KekStore, plan: FaultPlan) {
    this.#inner = inner;
    this.#plan = plan;
  }

  versions(): Promise<readonly KekVersion[]> {
    return this.#call('versions', '', () => this.#inner.versions());
  }

  kek(version: number): Promise<Uint8Array> {
    return this.#call('kek', String(version), () => this.#inner.kek(version));
  }

  rotate(): Promise<KekVersion> {
    return this.#call('rotate', '', () => this.#inner.rotate());
  }

  destroy(version: number): Promise<void> {
    return this.#call('destroy', String(version), () => this.#inner.destroy(version));
  }

  #call<T>(operation: string, detail: string, call: () => Promise<T>): Promise<T> {
    const busy = () => retryLater('KEK_BUSY', 'the key store is busy (fault plan)');
    return underPlan(this.#plan, 'keys', operation, detail, call, busy);
  }
}
