// Small files read whole, a batch at a time, by threads: one that waits for each call of the system takes a fifth of
// what asking for it and being told does, and they hash what they read while this one does the rest. Started when the
// first batch comes.
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { FILE_READERS } from '../../limits/engine.ts';
import { THREAD_YOUNG_MIB } from '../../limits/panda.ts';
import type { FileMark } from './same-file.ts';

export interface FileToRead extends FileMark {
  readonly path: string;
}

/** All of a file that was, before, while and after it was read, what it was found to be. */
export interface WholeFile {
  readonly bytes: Uint8Array;
  /** Hex. */
  readonly sha256: string;
}

export interface FileReaders {
  /** In the order asked; undefined: not such a file (any more), so whoever reads it alone says what is the matter. */
  read(files: readonly FileToRead[]): Promise<readonly (WholeFile | undefined)[]>;
  close(): Promise<void>;
}

export interface Question {
  readonly id: number;
  readonly files: readonly FileToRead[];
}
export interface Answer {
  readonly id: number;
  readonly memory: ArrayBuffer;
  readonly found: readonly ({ readonly at: number; readonly length: number; readonly sha256: string } | undefined)[];
}

const PROGRAM = new URL(`./file-reader-thread${extname(import.meta.url)}`, import.meta.url);

export class ThreadFileReaders implements FileReaders {
  readonly #threads: { readonly worker: Worker; readonly asked: Map<number, (answer: Answer | undefined) => void> }[] =
    [];
  #questions = 0;

  async read(files: readonly FileToRead[]): Promise<readonly (WholeFile | undefined)[]> {
    const id = this.#questions++;
    const { worker, asked } = this.#thread();
    const { promise, resolve } = Promise.withResolvers<Answer | undefined>();
    asked.set(id, resolve);
    worker.ref();
    worker.postMessage({ id, files } satisfies Question);
    const answer = await promise;
    if (asked.size === 0) worker.unref();
    if (answer === undefined) return files.map(() => undefined);
    return answer.found.map(
      (one) => one && { bytes: new Uint8Array(answer.memory, one.at, one.length), sha256: one.sha256 },
    );
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.splice(0).map(({ worker }) => worker.terminate()));
  }

  /** The least busy one; a new one as long as all are busy and there may be more. */
  #thread() {
    const idlest = this.#threads.toSorted((a, b) => a.asked.size - b.asked.size)[0];
    if (idlest !== undefined && (idlest.asked.size === 0 || this.#threads.length >= FILE_READERS)) return idlest;
    const asked = new Map<number, (answer: Answer | undefined) => void>();
    const worker = new Worker(PROGRAM, {
      name: 'reads files',
      execArgv: ['--disable-warning=ExperimentalWarning'],
      resourceLimits: { maxYoungGenerationSizeMb: THREAD_YOUNG_MIB },
    });
    worker.unref();
    worker.on('message', (answer: Answer) => {
      asked.get(answer.id)?.(answer);
      asked.delete(answer.id);
    });
    // One that died has read nothing.
    const ended = (): void => {
      const at = this.#threads.findIndex((thread) => thread.worker === worker);
      if (at >= 0) this.#threads.splice(at, 1);
      for (const resolve of asked.values()) resolve(undefined);
      asked.clear();
    };
    worker.on('error', ended);
    worker.on('exit', ended);
    const thread = { worker, asked };
    this.#threads.push(thread);
    return thread;
  }
}
