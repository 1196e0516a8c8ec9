// A drive in a directory: `zone/generation/name` are folders and a file. An object is written to a temporary file,
// fsynced, given its name (which fails if the name is taken; file-naming.ts) and its folder fsynced. Temporary files
// live in a folder of their own that carries the drive's identity, so that an append to a disk that went away, or was
// swapped, fails at its first call.

import { assert } from '../foundation/assert.ts';
import { type Clock, systemClock } from '../foundation/clock.ts';
import { FOREIGN_TEMPORARY_MS, STATS_AT_ONCE } from '../limits/bytes.ts';
import { makeDrive, temporaryFolder, temporaryName } from './directory-create.ts';
import { directoryError, ignoring, isAbsence, isPresence, namesIn } from './directory-errors.ts';
import { type DriveIdentity, verifyMarker } from './directory-marker.ts';
import type { ByteRange, ChunkListing, Drive, ZoneRef } from './drive.ts';
import { assertRange, byName, byZone, chunkKey, isChunkName, numberOf, zoneKey } from './drive-keys.ts';
import { chunkExists, chunkMissing, driveBusy } from './errors.ts';
import { type LinkFile, nameFile } from './file-naming.ts';
import {
  errnoOf,
  FolderSync,
  makeFolder,
  readFileRange,
  removeFolder,
  statPath,
  unlinkFile,
  writeDurably,
} from './files.ts';
import { writerOf } from './writer-tag.ts';

export type { DriveIdentity } from './directory-marker.ts';

export class DirectoryDrive implements Drive {
  readonly label: string;
  readonly #identity: DriveIdentity;
  readonly #clock: Clock;
  /** Of a file system that differs: for tests. */
  readonly #linkFile: LinkFile | undefined;
  readonly #temporary: string;
  readonly #folders = new FolderSync();
  /** Zone generations whose own names are known to be durable. */
  readonly #durable = new Set<string>();
  #verified = false;

  /**
   * Touches nothing: the directory is proven to be the drive at the first call, so that a lost drive can be named too.
   */
  constructor(path: string, identity: DriveIdentity, clock: Clock = systemClock, link?: LinkFile) {
    assert(path !== '', 'a drive needs a path');
    this.label = path;
    this.#identity = identity;
    this.#clock = clock;
    this.#linkFile = link;
    this.#temporary = `${path}/${temporaryFolder(identity)}`;
  }

  /**
   * Makes the directory a drive: it has to be new or empty. Idempotent for one identity; `invalid` DRIVE_TAKEN if it is
   * another drive already, `invalid` DRIVE_NOT_EMPTY if it holds anything else.
   */
  static async create(path: string, identity: DriveIdentity, link?: LinkFile): Promise<DirectoryDrive> {
    try {
      await makeDrive(path, identity, link);
    } catch (error) {
      throw directoryError(path, error);
    }
    // Whoever marked it first gave it its incarnation.
    return DirectoryDrive.open(path, { ...identity, incarnation: undefined }, link);
  }

  /** A drive made before. Throws DRIVE_UNAVAILABLE if the directory is missing or is not that drive. */
  static async open(path: string, identity: DriveIdentity, link?: LinkFile): Promise<DirectoryDrive> {
    const drive = new DirectoryDrive(path, identity, systemClock, link);
    await drive.sweep();
    return drive;
  }

  async append(at: ZoneRef, name: string, parts: readonly Uint8Array[], signal?: AbortSignal): Promise<void> {
    const key = chunkKey(at, name);
    signal?.throwIfAborted();
    if (!this.#verified) await this.#verify();
    const temporary = `${this.#temporary}/${temporaryName()}`;
    await this.#run(() => writeDurably(temporary, parts, signal));
    // A temporary file that cannot be removed is swept later; the object is not affected.
    const discard = (): Promise<void> => unlinkFile(temporary).catch(() => undefined);
    try {
      signal?.throwIfAborted();
      await this.#link(temporary, at, key);
    } catch (error) {
      await discard();
      if (errnoOf(error) !== 'EEXIST') throw directoryError(this.label, error);
      // The caller may find the object to be its own, from a try whose folder was not fsynced: make that certain now.
      await this.#settle(at);
      throw chunkExists(this.label, key, error);
    }
    await Promise.all([discard(), this.#settle(at)]);
  }

  async read(at: ZoneRef, name: string, range?: ByteRange, signal?: AbortSignal): Promise<Uint8Array> {
    const key = chunkKey(at, name);
    assertRange(range);
    signal?.throwIfAborted();
    if (!this.#verified) await this.#verify();
    try {
      return await readFileRange(`${this.label}/${key}`, range?.offset, range?.length);
    } catch (error) {
      if (!isAbsence(error)) throw directoryError(this.label, error);
      await this.#verify();
      throw chunkMissing(this.label, key, error);
    }
  }

  async list(at: ZoneRef, signal?: AbortSignal): Promise<ChunkListing[]> {
    const folder = `${this.label}/${zoneKey(at)}`;
    signal?.throwIfAborted();
    await this.#verify();
    const names = (await namesIn(this.label, folder)).filter(isChunkName);
    const listing: ChunkListing[] = [];
    const stat = async (name: string): Promise<void> => {
      try {
        const found = await statPath(`${folder}/${name}`);
        if (found.isFile()) listing.push({ name, bytes: found.size });
      } catch (error) {
        if (!isAbsence(error)) throw directoryError(this.label, error); // erased meanwhile
      }
    };
    for (let i = 0; i < names.length; i += STATS_AT_ONCE) {
      signal?.throwIfAborted();
      await Promise.all(names.slice(i, i + STATS_AT_ONCE).map(stat));
    }
    return listing.sort(byName);
  }

  async zones(signal?: AbortSignal): Promise<ZoneRef[]> {
    signal?.throwIfAborted();
    await this.#verify();
    const found: ZoneRef[] = [];
    for (const zoneName of await namesIn(this.label, this.label)) {
      const zone = numberOf(zoneName);
      if (zone === undefined) continue;
      signal?.throwIfAborted();
      for (const generationName of await namesIn(this.label, `${this.label}/${zoneName}`)) {
        const generation = numberOf(generationName);
        if (generation === undefined) continue;
        const names = await namesIn(this.label, `${this.label}/${zoneName}/${generationName}`);
        if (names.some(isChunkName)) found.push({ zone, generation });
      }
    }
    return found.sort(byZone);
  }

  async erase(at: ZoneRef, signal?: AbortSignal): Promise<void> {
    const key = zoneKey(at);
    const folder = `${this.label}/${key}`;
    signal?.throwIfAborted();
    await this.sweep();
    for (;;) {
      signal?.throwIfAborted();
      const names = (await namesIn(this.label, folder)).filter(isChunkName);
      for (const name of names) await this.#run(() => ignoring(isAbsence, unlinkFile(`${folder}/${name}`)));
      this.#durable.delete(key);
      if (await this.#run(() => removed(folder))) break;
      // A straggler appended meanwhile, or the folder holds files that are not ours: those stay, and so does the
      // folder.
      if (!(await namesIn(this.label, folder)).some(isChunkName)) break;
    }
    // The folder's own name is gone for good only now; where it stays, its contents are.
    await this.#run(async () => {
      await ignoring(isAbsence, this.#folders.sync(folder));
      await ignoring(isAbsence, this.#folders.sync(`${this.label}/${at.zone}`));
    });
  }

  async probe(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    await this.#verify();
    await this.#run(async () => {
      const path = `${this.#temporary}/${temporaryName()}`;
      await writeDurably(path, [Buffer.from('probe')], signal);
      await unlinkFile(path);
    });
  }

  /** Removes temporary files of processes that died while writing; never those of a process that still runs. */
  async sweep(): Promise<void> {
    await this.#verify();
    for (const name of await namesIn(this.label, this.#temporary)) {
      const path = `${this.#temporary}/${name}`;
      const writer = writerOf(name);
      if (writer === 'alive' || (writer === 'elsewhere' && !(await this.#isOld(path)))) continue;
      // A drive that cannot be written can still be read: what is left stays until it can.
      await unlinkFile(path).catch(() => undefined);
    }
  }

  async #isOld(path: string): Promise<boolean> {
    const found = await statPath(path).catch(() => undefined);
    return found !== undefined && this.#clock.nowMs() - found.mtimeMs > FOREIGN_TEMPORARY_MS;
  }

  /** Links a finished temporary file to its name, making the folders at the first object of a zone generation. */
  async #link(temporary: string, at: ZoneRef, key: string): Promise<void> {
    const target = `${this.label}/${key}`;
    try {
      await nameFile(temporary, target, this.#linkFile);
    } catch (error) {
      if (!isAbsence(error)) throw error;
      await this.#verify(); // no folder is made where the drive used to be
      this.#durable.delete(zoneKey(at));
      await ignoring(isPresence, makeFolder(`${this.label}/${at.zone}`));
      await ignoring(isPresence, makeFolder(`${this.label}/${zoneKey(at)}`));
      await nameFile(temporary, target, this.#linkFile);
    }
  }

  /** Makes every name of a zone generation durable that was there at the call, and the folders above it. */
  async #settle(at: ZoneRef): Promise<void> {
    const key = zoneKey(at);
    try {
      if (this.#durable.has(key)) {
        await this.#folders.sync(`${this.label}/${key}`);
        return;
      }
      await Promise.all([
        this.#folders.sync(`${this.label}/${key}`),
        this.#folders.sync(`${this.label}/${at.zone}`),
        this.#folders.sync(this.label),
      ]);
      this.#durable.add(key);
    } catch (error) {
      // The name is visible but perhaps not durable: the caller has to take the outcome as unknown, whatever the errno.
      throw driveBusy(this.label, `fsync of ${key} failed`, error);
    }
  }

  /** Throws DRIVE_UNAVAILABLE unless the directory is this drive. */
  async #verify(): Promise<void> {
    this.#verified = false;
    await verifyMarker(this.label, this.#identity);
    this.#verified = true;
  }

  /** Runs a call on a path that must be there if the drive is. */
  async #run<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      if (isAbsence(error)) await this.#verify();
      throw directoryError(this.label, error);
    }
  }
}

/** Removes a folder; false if it is not empty. */
async function removed(folder: string): Promise<boolean> {
  try {
    await removeFolder(folder);
    return true;
  } catch (error) {
    if (isAbsence(error)) return true;
    if (errnoOf(error) === 'ENOTEMPTY' || errnoOf(error) === 'EEXIST') return false;
    throw error;
  }
}
