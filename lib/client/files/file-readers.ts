// Small files read whole, a batch at a time, by threads: one that waits for each call of the system takes a fifth of
// what asking for it and being told does, and they hash what they read while this one does the rest.
import { extname } from 'node:path';
import { SystemThreads } from '../../foundation/system-threads.ts';
import { putCrew, putMemory } from '../../keys/system-sealer.ts';
import { FILE_READERS } from '../../limits/engine.ts';
import { type FileMark, type MarksOfFiles, packMarks, roomOf } from './same-file.ts';

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

/** Few values for many files: a message with an object for each takes longer than reading it. */
export interface FilesToRead {
  readonly paths: readonly string[];
  readonly marks: MarksOfFiles;
  /** Has room for all of them. Whoever seals them looks at it too. */
  readonly memory: SharedArrayBuffer;
}
/** One after the other in the memory, each with `roomOf` it. */
export interface FilesFound {
  /** Hex; '': not such a file. */
  readonly sha256: readonly string[];
}

const PROGRAM = new URL(`./file-reader-thread${extname(import.meta.url)}`, import.meta.url);

export class ThreadFileReaders implements FileReaders {
  readonly #threads = new SystemThreads<FilesToRead, FilesFound>({
    program: PROGRAM,
    most: FILE_READERS,
    crew: putCrew,
  });

  async read(files: readonly FileToRead[]): Promise<FilesRead> {
    const memory = putMemory.take(files.reduce((sum, file) => sum + roomOf(file), 0));
    const found = await this.#threads.ask({ paths: files.map(({ path }) => path), marks: packMarks(files), memory });
    // A thread that died may have it still.
    if (found === undefined) return { files: files.map(() => undefined), free: () => {} };
    let at = 0;
    const whole = files.map((file, i): WholeFile | undefined => {
      const from = at;
      at += roomOf(file);
      const sha256 = found.sha256[i] ?? '';
      return sha256 === '' ? undefined : { bytes: new Uint8Array(memory, from, Number(file.size)), sha256 };
    });
    return { files: whole, free: () => putMemory.give(memory) };
  }

  close(): Promise<void> {
    return this.#threads.close();
  }
}
