// The shelf of a drive in a directory: files below `journal/EPOCH`. As for chunks, a file is written in the drive's own
// temporary folder, fsynced, given its name and its folder fsynced, so that one that went away, or was swapped, fails
// at the first call.

import { assert } from '../foundation/assert.ts';
import { mapLimit } from '../foundation/concurrency.ts';
import { JOURNAL_STATS_AT_ONCE } from '../limits/journal.ts';
import { temporaryFolder, temporaryName } from './directory-create.ts';
import { directoryError, ignoring, isAbsence, isPresence, namesIn } from './directory-errors.ts';
import { type DriveIdentity, verifyMarker } from './directory-marker.ts';
import type { ByteRange } from './drive.ts';
import { isChunkName, numberOf } from './drive-keys.ts';
import { chunkExists, chunkMissing } from './errors.ts';
import { nameFile } from './file-naming.ts';
import {
  errnoOf,
  makeFolder,
  readFileRange,
  removeFolder,
  statPath,
  syncFolder,
  unlinkFile,
  writeDurably,
} from './files.ts';
import type { Shelf, ShelfEntry } from './shelf.ts';

const FOLDER = 'journal';

export class DirectoryShelf implements Shelf {
  readonly label: string;
  readonly #identity: DriveIdentity;
  readonly #temporary: string;

  /** Touches nothing. */
  constructor(path: string, identity: DriveIdentity) {
    this.label = path;
    this.#identity = identity;
    this.#temporary = `${path}/${temporaryFolder(identity)}`;
  }

  async put(epoch: number, name: string, parts: readonly Uint8Array[]): Promise<void> {
    assert(isChunkName(name), 'a name of the journal');
    const folder = `${this.label}/${FOLDER}/${epoch}`;
    const temporary = `${this.#temporary}/${temporaryName()}`;
    await verifyMarker(this.label, this.#identity);
    try {
      await writeDurably(temporary, parts);
      await this.#named(temporary, folder, name);
    } catch (error) {
      if (errnoOf(error) === 'EEXIST') throw chunkExists(this.label, `${FOLDER}/${epoch}/${name}`, error);
      throw directoryError(this.label, error);
    } finally {
      await unlinkFile(temporary).catch(() => undefined); // swept with the drive's others
    }
  }

  async read(epoch: number, name: string, range?: ByteRange): Promise<Uint8Array> {
    try {
      return await readFileRange(`${this.label}/${FOLDER}/${epoch}/${name}`, range?.offset, range?.length);
    } catch (error) {
      if (!isAbsence(error)) throw directoryError(this.label, error);
      await verifyMarker(this.label, this.#identity);
      throw chunkMissing(this.label, `${FOLDER}/${epoch}/${name}`, error);
    }
  }

  async list(): Promise<ShelfEntry[]> {
    await verifyMarker(this.label, this.#identity);
    const found: ShelfEntry[] = [];
    for (const folder of await namesIn(this.label, `${this.label}/${FOLDER}`)) {
      const epoch = numberOf(folder);
      if (epoch === undefined) continue;
      const names = (await namesIn(this.label, `${this.label}/${FOLDER}/${folder}`)).filter(isChunkName);
      await mapLimit(names, JOURNAL_STATS_AT_ONCE, async (name) => {
        const stat = await statPath(`${this.label}/${FOLDER}/${folder}/${name}`).catch((error: unknown) => {
          if (!isAbsence(error)) throw directoryError(this.label, error);
          return undefined; // deleted meanwhile
        });
        if (stat?.isFile()) found.push({ epoch, name, bytes: stat.size });
      });
    }
    return found;
  }

  async remove(epoch: number, names: readonly string[]): Promise<void> {
    await verifyMarker(this.label, this.#identity);
    const folder = `${this.label}/${FOLDER}/${epoch}`;
    try {
      for (const name of names) {
        assert(isChunkName(name), 'a name of the journal');
        await ignoring(isAbsence, unlinkFile(`${folder}/${name}`));
      }
      await ignoring(isAbsence, syncFolder(folder));
      await removeFolder(folder).catch(() => undefined); // only an empty one goes
    } catch (error) {
      throw directoryError(this.label, error);
    }
  }

  async #named(temporary: string, folder: string, name: string): Promise<void> {
    try {
      await nameFile(temporary, `${folder}/${name}`);
      await syncFolder(folder);
    } catch (error) {
      if (!isAbsence(error)) throw error;
      await ignoring(isPresence, makeFolder(`${this.label}/${FOLDER}`));
      await ignoring(isPresence, makeFolder(folder));
      await nameFile(temporary, `${folder}/${name}`);
      for (const each of [folder, `${this.label}/${FOLDER}`, this.label]) await syncFolder(each);
    }
  }
}
