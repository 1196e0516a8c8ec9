// The threads that write a tree, as the main thread sees them: no more orders at once than they have work of.
import { availableParallelism } from 'node:os';
import { extname } from 'node:path';
import { Semaphore } from '../../../foundation/concurrency.ts';
import { SystemThreads, ThreadCrew } from '../../../foundation/system-threads.ts';
import { ORDERS_A_THREAD, WRITE_THREADS_MAX } from '../../../limits/engine.ts';
import { THREAD_YOUNG_MIB } from '../../../limits/panda.ts';
import type { Done, Order } from './write-orders.ts';

/** In a package it lies beside this file's bundle, as JavaScript. */
const PROGRAM = new URL(`./files-thread${extname(import.meta.url)}`, import.meta.url);

export class WriteThreads {
  readonly #threads: SystemThreads<Order, Done>;
  readonly #room: Semaphore;

  constructor() {
    const most = Math.min(WRITE_THREADS_MAX, availableParallelism());
    this.#threads = new SystemThreads({
      program: PROGRAM,
      most,
      crew: new ThreadCrew('writes files', THREAD_YOUNG_MIB),
    });
    this.#room = new Semaphore(most * ORDERS_A_THREAD);
  }

  /** Resolves when there is room for one more order. */
  room(): Promise<() => void> {
    return this.#room.acquire();
  }

  /** Its bytes go to the thread: they are gone here. Of a thread that died nothing is done. */
  async give(order: Order): Promise<Done> {
    const moved = order.what === 'write' ? [order.bytes.buffer as ArrayBuffer] : [];
    const files = order.what === 'name' ? order.names : order.files;
    return (await this.#threads.ask(order, moved)) ?? files.map(() => false);
  }

  end(): Promise<void> {
    return this.#threads.close();
  }
}
