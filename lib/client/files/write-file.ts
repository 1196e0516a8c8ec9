// Objects back into files: each whole or not at all, with its mode and time, never outside the directory given, never
// over a file that is there unless told. A file is on the disk before it gets its name; its name is when `end` has
// returned.
import { type FileHandle, lstat, open, rename, rm } from 'node:fs/promises';
import { dirname, sep } from 'node:path';
import { nameFile } from '../../drive/file-naming.ts';
import { sweepOutputs, temporaryOutput } from '../../drive/file-output.ts';
import { mapLimit } from '../../foundation/concurrency.ts';
import { invalid } from '../../foundation/errors.ts';
import { SYNCS_AT_ONCE } from '../../limits/engine.ts';
import type { OpenBody } from '../face.ts';
import { ExactTimes } from './exact-times.ts';
import { changedAtNs, fileMetadataOf } from './file-metadata.ts';
import { type FileSystem, fileSystem } from './file-system.ts';
import { exists, isFolder, namedError } from './name-errors.ts';
import { placeBelow } from './place-below.ts';
import { isSameContent } from './same-content.ts';
import { writeSparsely } from './write-sparsely.ts';

export interface WriteOptions {
  readonly overwrite: boolean;
  /** Replaced by tests of what a file system cannot do. */
  readonly fileSystem?: FileSystem;
}

export interface Written {
  readonly bytes: number;
  /** A file of the same content was there already and was left alone. */
  readonly isSame: boolean;
}

export class FileWriter {
  readonly #overwrite: boolean;
  readonly #fileSystem: FileSystem;
  readonly #times = new ExactTimes();
  /** Folders with names that may not be durable yet. */
  readonly #folders = new Set<string>();
  readonly #swept = new Set<string>();

  constructor({ overwrite, fileSystem: given = fileSystem }: WriteOptions) {
    this.#overwrite = overwrite;
    this.#fileSystem = given;
  }

  /**
   * Writes below `root` (which exists) at the object's key. Throws `invalid` NAME_OUTSIDE, NAME_UNFIT or
   * NAME_IS_FOLDER, `conflict` FILE_EXISTS where the tree cannot hold the name.
   */
  async writeBelow(root: string, opened: OpenBody): Promise<Written> {
    const { path, changed } = await placeBelow(root, opened.object.key);
    for (const folder of changed) this.#folders.add(folder);
    return this.write(path, opened);
  }

  /**
   * Writes a temporary file beside `path` and gives it its name at the end. `isPart`: the body is a range of the
   * object.
   */
  async write(path: string, opened: OpenBody, isPart = false): Promise<Written> {
    if (path.endsWith('/') || path.endsWith(sep))
      throw invalid('NAME_IS_FOLDER', `${path} names a folder: give the name of a file, or --to ${path}`);
    try {
      if (await this.#isThere(path, opened, isPart)) return { bytes: 0, isSame: true };
      await this.#sweep(dirname(path));
      const temporary = temporaryOutput(dirname(path));
      try {
        const bytes = await this.#fill(temporary, opened);
        if (this.#overwrite) await rename(temporary, path);
        else await nameFile(temporary, path, this.#fileSystem.link);
        this.#folders.add(dirname(path));
        return { bytes, isSame: false };
      } finally {
        await rm(temporary, { force: true });
      }
    } catch (error) {
      throw await namedError(error, path);
    }
  }

  /** To be called when nothing is written any more: returns once every name given is durable. */
  async end(): Promise<void> {
    await this.#times.end();
    await mapLimit([...this.#folders], SYNCS_AT_ONCE, this.#fileSystem.syncFolder);
    this.#folders.clear();
  }

  /** True if the file is there and as it should be. Throws if something else is there that must stay. */
  async #isThere(path: string, opened: OpenBody, isPart: boolean): Promise<boolean> {
    const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
    if (found === undefined) return false;
    if (found.isDirectory()) throw isFolder(path);
    if (this.#overwrite) return false;
    const mayBeSame = !isPart && found.isFile() && found.size === opened.object.sizeBytes;
    if (mayBeSame && (await isSameContent(path, opened))) return true;
    throw exists(path);
  }

  /** What a `get` that was killed left half written goes when the next one writes there. */
  async #sweep(folder: string): Promise<void> {
    if (this.#swept.has(folder)) return;
    this.#swept.add(folder);
    await sweepOutputs(folder);
  }

  async #fill(temporary: string, { object, body }: OpenBody): Promise<number> {
    const file = await open(temporary, 'wx', 0o600);
    try {
      const bytes = await writeSparsely(file, body);
      const metadata = fileMetadataOf(object.metadata);
      await setMode(file, metadata.mode ?? 0o666 & ~process.umask());
      const changedNs = changedAtNs(metadata);
      if (changedNs !== undefined) await this.#times.set(file, temporary, changedNs);
      await this.#fileSystem.syncFile(file);
      return bytes;
    } finally {
      await file.close();
    }
  }
}

/** Best effort: FAT and some network shares have no modes. */
async function setMode(file: FileHandle, mode: number): Promise<void> {
  try {
    await file.chmod(mode);
  } catch (error) {
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes((error as NodeJS.ErrnoException).code ?? ''))
      throw error;
  }
}
