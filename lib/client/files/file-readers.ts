// Small files read whole, a batch at a time, by threads: one that waits for each call of the system takes a fifth of
// what asking for it and being told does, and they hash what they read while this one does the rest.
import { extname } from 'node:path';
import { SystemThreads } from '../../foundation/system-threads.ts';
import { putCrew, putMemory } from '../../keys/system-sealer.ts';
import { FILE_READERS } from '../../limits/engine.ts';
import { type FileMark, roomOf } from './same-file.ts';

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

export interface FilesRead {
  /** In the order asked; undefined: not such a file (any more), so whoever reads it alone says what is the matter. */
  readonly files: readonly (WholeFile | undefined)[];
  /** Nobody looks at any of their bytes any more: to be called once. */
  free(): void;
}

export interface FileReaders {
  read(files: readonly FileToRead[]): Promise<FilesRead>;
  close(): Promise<void>;
}

export interface FilesToRead {
  readonly files: readonly FileToRead[];
  /** Has room for all of them. Whoever seals them looks at it too. */
  readonly memory: SharedArrayBuffer;
}
export type FilesFound = readonly (
  | { readonly at: number; readonly length: number; readonly sha256: string }
  | undefined
)[];

const PROGRAM = new URL(`./file-reader-thread${extname(import.meta.url)}`, import.meta.url);

export class ThreadFileReaders implements FileReaders {
  readonly #threads = new SystemThreads<FilesToRead, FilesFound>({
    program: PROGRAM,
    most: FILE_READERS,
    crew: putCrew,
  });

  async read(files: readonly FileToRead[]): Promise<FilesRead> {
    const memory = putMemory.take(files.reduce((sum, file) => sum + roomOf(file), 0));
    const found = await this.#threads.ask({ files, memory });
    // A thread that died may have it still.
    if (found === undefined) return { files: files.map(() => undefined), free: () => {} };
    return {
      files: found.map((one) => one && { bytes: new Uint8Array(memory, one.at, one.length), sha256: one.sha256 }),
      free: () => putMemory.give(memory),
    };
  }

  close(): Promise<void> {
    return this.#threads.close();
  }
}
