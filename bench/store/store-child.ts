// A process that does what it is ordered to, for benches: so that the peak of memory and the CPU are its own.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Answer, Order } from './rounds.ts';

export class StoreChild {
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess) {
    this.#process = process;
  }

  static async start(script: string, args: readonly string[], says: 'open' | undefined): Promise<StoreChild> {
    const process = fork(join(import.meta.dirname, script), args);
    const child = new StoreChild(process);
    if (says !== undefined) await child.#next();
    return child;
  }

  order(order: Order): Promise<Answer> {
    this.#process.send(order);
    return this.#next() as Promise<Answer>;
  }

  async end(): Promise<void> {
    await this.order({ what: 'end' });
    if (this.#process.exitCode === null) await once(this.#process, 'exit');
  }

  kill(): void {
    this.#process.kill();
  }

  async #next(): Promise<unknown> {
    const ended = new AbortController();
    try {
      return await Promise.race([
        once(this.#process, 'message', { signal: ended.signal }).then(([message]) => message as unknown),
        once(this.#process, 'exit', { signal: ended.signal }).then(([code]) => {
          throw new Error(`a process of the bench ended with ${code}`);
        }),
      ]);
    } finally {
      ended.abort();
    }
  }
}
