// The KEK store as one process sees it.
import { retryLater } from '../../../lib/foundation/errors.ts';
import type { KekStore, KekVersion } from '../../../lib/keys/keys.ts';
import type { SimProcess } from '../scheduler/sim-process.ts';
import { type CallContext, makeCall } from './port-call.ts';

export class SimKeys implements KekStore {
  readonly #inner: KekStore;
  readonly #process: SimProcess;
  readonly #context: CallContext;

  constructor(inner: KekStore, process: SimProcess, context: CallContext) {
    this.#inner = inner;
    this.#process = process;
    this.#context = context;
  }

  versions(): Promise<readonly KekVersion[]> {
    return this.#call('versions', '', false, () => this.#inner.versions());
  }

  kek(version: number): Promise<Uint8Array> {
    return this.#call('kek', String(version), false, () => this.#inner.kek(version));
  }

  rotate(): Promise<KekVersion> {
    return this.#call('rotate', '', true, () => this.#inner.rotate());
  }

  destroy(version: number): Promise<void> {
    return this.#call('destroy', String(version), true, () => this.#inner.destroy(version));
  }

  #call<T>(operation: string, detail: string, changesSomething: boolean, act: () => Promise<T>): Promise<T> {
    return makeCall(this.#context, this.#process, {
      port: 'keys',
      operation,
      detail,
      steps: [`keys ${operation}`],
      changesSomething,
      act,
      failed: () => retryLater('KEK_BUSY', 'the key store is busy (simulated)'),
    });
  }
}
