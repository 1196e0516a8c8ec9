// Small files read whole, a batch at a time, by threads: one that waits for each call of the system takes a fifth of
// what asking for it and being told does, and they hash what they read while this one does the rest.
import { extname } from 'node:path';
import { SystemThreads } from '../../foundation/system-threads.ts';
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
  /** Nobody looks at the bytes any more. */
  readonly free?: () => void;
}

export interface FileReaders {
  /** In the order asked; undefined: not such a file (any more), so whoever reads it alone says what is the matter. */
  read(files: readonly FileToRead[]): Promise<readonly (WholeFile | undefined)[]>;
  close(): Promise<void>;
}

export interface FilesRead {
  readonly memory: ArrayBuffer;
  readonly found: readonly ({ readonly at: number; readonly length: number; readonly sha256: string } | undefined)[];
}

const PROGRAM = new URL(`./file-reader-thread${extname(import.meta.url)}`, import.meta.url);

export class ThreadFileReaders implements FileReaders {
  readonly #threads = new SystemThreads<readonly FileToRead[], FilesRead>({
    program: PROGRAM,
    name: 'reads files',
    most: FILE_READERS,
    youngMib: THREAD_YOUNG_MIB,
  });

  async read(files: readonly FileToRead[]): Promise<readonly (WholeFile | undefined)[]> {
    const answer = await this.#threads.ask(files);
    if (answer === undefined) return files.map(() => undefined);
    return answer.found.map(
      (one) => one && { bytes: new Uint8Array(answer.memory, one.at, one.length), sha256: one.sha256 },
    );
  }

  close(): Promise<void> {
    return this.#threads.close();
  }
}
