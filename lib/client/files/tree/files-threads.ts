// The threads that write a tree, as the main thread sees them: each gets the next order when it has few before it.
import { getCompileCacheDir } from 'node:module';
import { availableParallelism } from 'node:os';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { present } from '../../../foundation/assert.ts';
import { Semaphore } from '../../../foundation/concurrency.ts';
import { ORDERS_A_THREAD, WRITE_THREADS_MAX } from '../../../limits/engine.ts';
import { THREAD_YOUNG_MIB } from '../../../limits/panda.ts';
import type { Answer, Done, Order, Question } from './write-orders.ts';

/** In a package it lies beside this file's bundle, as JavaScript. */
const PROGRAM = new URL(`./files-thread${extname(import.meta.url)}`, import.meta.url);

/** A thread does not share what its process compiled before: it is told where that is kept. */
const STARTED = `const { workerData } = require('node:worker_threads');
if (workerData !== undefined) require('node:module').enableCompileCache(workerData);
import(${JSON.stringify(PROGRAM.href)});`;

interface Thread {
  readonly worker: Worker;
  asked: number;
}

export class WriteThreads {
  readonly #threads: Thread[] = [];
  readonly #waiting = new Map<number, (answer: Done | Error) => void>();
  readonly #room: Semaphore;
  #questions = 0;

  constructor() {
    const count = Math.min(WRITE_THREADS_MAX, availableParallelism());
    for (let i = 0; i < count; i++) this.#threads.push(this.#start(i));
    this.#room = new Semaphore(count * ORDERS_A_THREAD);
  }

  /** Resolves when there is room for one more order. */
  room(): Promise<() => void> {
    return this.#room.acquire();
  }

  /** Its bytes go to the thread: they are gone here. */
  async give(order: Order): Promise<Done> {
    const thread = present(this.#threads.toSorted((a, b) => a.asked - b.asked)[0], 'there is at least one thread');
    const question: Question = { id: this.#questions++, order };
    thread.asked += 1;
    const answered = new Promise<Done | Error>((resolve) => this.#waiting.set(question.id, resolve));
    thread.worker.postMessage(question, order.what === 'write' ? [order.bytes.buffer as ArrayBuffer] : []);
    const answer = await answered;
    thread.asked -= 1;
    if (answer instanceof Error) throw answer;
    return answer;
  }

  async end(): Promise<void> {
    await Promise.all(this.#threads.map(({ worker }) => worker.terminate()));
  }

  #start(index: number): Thread {
    const worker = new Worker(STARTED, {
      eval: true,
      workerData: getCompileCacheDir(),
      name: `files ${index}`,
      resourceLimits: { maxYoungGenerationSizeMb: THREAD_YOUNG_MIB },
    });
    worker.on('message', ({ id, done }: Answer) => {
      this.#waiting.get(id)?.(done);
      this.#waiting.delete(id);
    });
    worker.on('error', (error) => {
      for (const answer of this.#waiting.values()) answer(error as Error);
      this.#waiting.clear();
    });
    return { worker, asked: 0 };
  }
}
