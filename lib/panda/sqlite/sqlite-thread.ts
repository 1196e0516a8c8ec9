// The thread that commits for a SqlitePanda, as the main thread sees it. It has a connection of its own, and reads what
// is asked for by many keys too: what it writes is in its cache, and drops out of the main thread's.
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { unknownOutcome } from '../../foundation/errors.ts';
import { THREAD_YOUNG_MIB } from '../../limits/panda.ts';
import type { Key } from '../panda.ts';
import {
  type AnswerMessage,
  answerOf,
  type BatchMessage,
  batchMessageOf,
  type ErrorMessage,
  errorOf,
} from './batch-message.ts';
import type { BatchAnswer, Committer, KeptWrites } from './sqlite-batch.ts';

/** In a package it lies beside this file's bundle, as JavaScript. */
const PROGRAM = new URL(`./sqlite-commit-thread${extname(import.meta.url)}`, import.meta.url);

/** What the thread opens. */
export interface ThreadData {
  readonly path: string;
  readonly attempts: number;
  readonly attemptMs: number;
  readonly openTimeoutMs: number;
  readonly bytesMax: number | undefined;
}

export type Question =
  | { readonly id: number; readonly what: 'commit'; readonly batch: BatchMessage }
  | { readonly id: number; readonly what: 'read'; readonly keys: readonly string[] };

export type Answer =
  | { readonly id: number; readonly what: 'committed'; readonly answer: AnswerMessage }
  /** What the rows of these keys hold, as stored. */
  | { readonly id: number; readonly what: 'found'; readonly values: readonly unknown[] }
  | { readonly id: number; readonly what: 'unreadable'; readonly error: ErrorMessage };

export class CommitThread implements Committer {
  readonly #path: string;
  readonly #worker: Worker;
  #state: 'starting' | 'open' | 'ended' = 'starting';
  readonly #asked = new Map<number, (answer: Answer | undefined) => void>();
  #questions = 0;
  /** Somebody waits for its end: the process does not end before. */
  #isClosing = false;
  readonly #begun = Promise.withResolvers<void>();

  constructor(data: ThreadData) {
    this.#path = data.path;
    this.#worker = new Worker(PROGRAM, {
      workerData: data,
      name: 'commits',
      // Node says of its SQLite that it is experimental, in every thread anew.
      execArgv: ['--disable-warning=ExperimentalWarning'],
      resourceLimits: { maxYoungGenerationSizeMb: THREAD_YOUNG_MIB },
    });
    // A process that forgets to close its store ends all the same, but never with a question open.
    this.#worker.unref();
    this.#worker.on('message', (message: Answer | 'open') => this.#heard(message));
    this.#worker.on('error', () => this.#ended());
    this.#worker.on('exit', () => this.#ended());
  }

  /** False before it is ready, and after it died of something: then others commit. */
  get isOpen(): boolean {
    return this.#state === 'open';
  }

  /** Resolves when it is ready, or will never be. */
  begun(): Promise<void> {
    this.#worker.ref();
    return this.#begun.promise.finally(() => this.#letGo());
  }

  async commit(batch: readonly KeptWrites[], nowMs: number | undefined): Promise<BatchAnswer> {
    const message = batchMessageOf(batch, nowMs);
    const answer = await this.#ask({ id: this.#questions++, what: 'commit', batch: message }, [message.values.buffer]);
    if (answer?.what === 'committed') return answerOf(answer.answer);
    const error = unknownOutcome('PANDA_UNKNOWN', `writing the metadata file ${this.#path} ended half-way`);
    return { refused: new Map(), failed: { error, isFull: false, hasRoom: false } };
  }

  /** What is stored, by key; undefined if the thread died of something. */
  async read(keys: readonly Key[]): Promise<readonly unknown[] | undefined> {
    const flat = keys.flatMap(({ partition, sort }) => [partition, sort]);
    const answer = await this.#ask({ id: this.#questions++, what: 'read', keys: flat });
    if (answer?.what === 'unreadable') throw errorOf(answer.error);
    return answer?.what === 'found' ? answer.values : undefined;
  }

  /** When nothing is asked of it. Its connection is closed then. */
  async close(): Promise<void> {
    if (this.#state === 'ended') return;
    const ended = new Promise<void>((done) => this.#worker.once('exit', () => done()));
    this.#isClosing = true;
    this.#worker.ref();
    this.#worker.postMessage('close');
    await ended;
  }

  /** At once, whatever is asked of it: as if it died. */
  async terminate(): Promise<void> {
    await this.#worker.terminate();
  }

  #ask(question: Question, transferred: readonly ArrayBuffer[] = []): Promise<Answer | undefined> {
    if (this.#state === 'ended') return Promise.resolve(undefined);
    const { promise, resolve } = Promise.withResolvers<Answer | undefined>();
    this.#asked.set(question.id, resolve);
    this.#worker.ref();
    this.#worker.postMessage(question, [...transferred]);
    return promise;
  }

  #heard(message: Answer | 'open'): void {
    if (message === 'open') {
      this.#state = 'open';
      this.#begun.resolve();
      this.#letGo(); // what was said before it ran counts for nothing
      return;
    }
    this.#asked.get(message.id)?.(message);
    this.#asked.delete(message.id);
    this.#letGo();
  }

  #letGo(): void {
    if (this.#asked.size === 0 && !this.#isClosing) this.#worker.unref();
    else this.#worker.ref();
  }

  #ended(): void {
    this.#state = 'ended';
    this.#begun.resolve();
    for (const answer of this.#asked.values()) answer(undefined);
    this.#asked.clear();
  }
}
