// Many objects into files: records as they lie are opened and written by threads under temporary names, a few thousand
// files at a time; these get their times, are synced all at once, and only then their names. So what has a name is
// whole, after a power cut too. Whatever is not that simple, or goes wrong on the way, is done again as a single file
// (write-file.ts), which says what is wrong.
import { lstatSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { temporaryOutput } from '../../../drive/file-output.ts';
import { mapLimit } from '../../../foundation/concurrency.ts';
import {
  COMPARED_TOGETHER_MAX,
  NAMED_TOGETHER_BYTES_MAX,
  NAMED_TOGETHER_MAX,
  WRITE_THREADS_MAX,
} from '../../../limits/engine.ts';
import { BLOCK_BYTES_MAX } from '../../../limits/frontend.ts';
import type { ObjectInfo, TreePart } from '../../face.ts';
import { ExactTimes, type FileTime } from '../exact-times.ts';
import { changedAtNs, fileMetadataOf } from '../file-metadata.ts';
import { canSyncAll, syncAll } from './disk-sync.ts';
import { WriteThreads } from './files-threads.ts';
import { TreeFolders } from './tree-folders.ts';
import type { ComparedFile, NewName, SealedFile } from './write-orders.ts';

export interface TreeOptions {
  readonly overwrite: boolean;
  /** Writes one object on its own. */
  alone(object: ObjectInfo): Promise<void>;
  /** Told of each file when it is written, and when it has its name. */
  filled(object: ObjectInfo): void;
  named(object: ObjectInfo): void;
  /** Replaced by tests of what a power cut leaves. */
  readonly syncAll?: (folder: string) => Promise<void>;
}

type Sealed = Extract<TreePart, { kind: 'sealed' }>;

/** A file under its temporary name. */
interface Unnamed extends NewName {
  readonly object: ObjectInfo;
}

export class TreeWriter {
  readonly #root: string;
  readonly #options: TreeOptions;
  readonly #folders: TreeFolders;
  #started: WriteThreads | undefined;
  readonly #times = new ExactTimes();
  readonly #syncAll: (folder: string) => Promise<void>;
  readonly #umask = process.umask();
  readonly #underWay = new Set<Promise<void>>();
  #unnamed: Unnamed[] = [];
  #unnamedBytes = 0;
  #naming: Promise<void> = Promise.resolve();
  /** Lots of files that wait for their names, or are getting them. */
  #lots = 0;
  #failed: { readonly error: unknown } | undefined;

  private constructor(root: string, options: TreeOptions) {
    this.#root = root;
    this.#options = options;
    this.#folders = new TreeFolders(root);
    this.#syncAll = options.syncAll ?? syncAll;
  }

  /** Undefined where files are better written one by one: there is no sync of all of them. `root` exists. */
  static async below(root: string, options: TreeOptions): Promise<TreeWriter | undefined> {
    return (await canSyncAll(root)) ? new TreeWriter(await realpath(root), options) : undefined;
  }

  get #threads(): WriteThreads {
    this.#started ??= new WriteThreads();
    return this.#started;
  }

  /** Its file can be written with others: nothing is in its way. */
  isTogether(object: ObjectInfo): boolean {
    const place = this.#folders.placeOf(object.key);
    if (place === undefined) return false;
    if (place.folder.isNew) return true;
    try {
      return lstatSync(place.path, { throwIfNoEntry: false }) === undefined;
    } catch {
      return false; // a name that cannot be, for one
    }
  }

  /**
   * Those whose file is there already with all that it should hold; of the others, and of those that are no plain files
   * of one block, nothing is said.
   */
  async there(objects: readonly ObjectInfo[]): Promise<ReadonlySet<ObjectInfo>> {
    if (this.#options.overwrite) return new Set();
    const found: { object: ObjectInfo; file: ComparedFile }[] = [];
    for (const object of objects) {
      const { etag, sizeBytes } = object;
      const place = this.#folders.placeOf(object.key);
      if (place === undefined || place.folder.isNew || sizeBytes > BLOCK_BYTES_MAX || etag.includes('-')) continue;
      found.push({ object, file: { folder: place.folder.path, path: place.path, sizeBytes, sha256: etag } });
    }
    const same = new Set<ObjectInfo>();
    const pieces: (typeof found)[] = [];
    for (let at = 0; at < found.length; at += COMPARED_TOGETHER_MAX)
      pieces.push(found.slice(at, at + COMPARED_TOGETHER_MAX));
    await mapLimit(pieces, WRITE_THREADS_MAX, async (piece) => {
      const done = await this.#threads.give({ what: 'compare', files: piece.map(({ file }) => file) });
      for (const [i, { object }] of piece.entries()) if (done[i] === true) same.add(object);
    });
    return same;
  }

  /** Resolves when there is room for more. */
  async write(part: Sealed): Promise<void> {
    // A disk that is slower than the threads holds them up: else files without names would grow in number.
    if (this.#lots > 1) await this.#naming;
    const given = await this.#threads.room();
    if (this.#failed !== undefined) throw this.#failed.error;
    this.#begin(this.#write(part).finally(given));
  }

  /** Everything that was given is written, or was tried alone, and every name is durable. */
  async end(): Promise<void> {
    try {
      await Promise.all(this.#underWay);
      this.#nameThem();
      await this.#naming;
      await this.#folders.end();
      if (this.#failed !== undefined) throw this.#failed.error;
      await this.#syncAll(this.#root);
    } finally {
      await this.#started?.end();
      await this.#times.end();
    }
  }

  #begin(work: Promise<void>): void {
    const kept: Promise<void> = work
      .catch((error: unknown) => {
        this.#failed ??= { error };
      })
      .finally(() => this.#underWay.delete(kept));
    this.#underWay.add(kept);
  }

  async #write({ bytes, objects }: Sealed): Promise<void> {
    const files: (SealedFile & Unnamed)[] = [];
    for (const { object, ...sealed } of objects) {
      const place = this.#folders.placeOf(object.key);
      if (place === undefined) {
        await this.#options.alone(object);
        continue;
      }
      const folder = place.folder.path;
      files.push({
        ...sealed,
        object,
        folder,
        path: place.path,
        temporary: temporaryOutput(folder),
        ...this.#modeOf(object),
      });
    }
    const order = files.map(({ object: _, path: __, ...file }) => file);
    const done = await this.#threads.give({ what: 'write', bytes, files: order });
    for (const [i, { object, folder, temporary, path }] of files.entries()) {
      if (done[i] !== true) {
        await this.#options.alone(object);
        continue;
      }
      this.#options.filled(object);
      this.#unnamed.push({ object, folder, temporary, path });
      this.#unnamedBytes += object.sizeBytes;
    }
    if (this.#unnamed.length >= NAMED_TOGETHER_MAX || this.#unnamedBytes >= NAMED_TOGETHER_BYTES_MAX) this.#nameThem();
  }

  #modeOf({ metadata }: ObjectInfo): Pick<SealedFile, 'mode' | 'isMasked'> {
    const { mode = 0o666 & ~this.#umask } = fileMetadataOf(metadata);
    return { mode, isMasked: (mode & this.#umask) !== 0 };
  }

  /** Behind those that are being named. */
  #nameThem(): void {
    const files = this.#unnamed;
    this.#unnamed = [];
    this.#unnamedBytes = 0;
    this.#lots += 1;
    this.#naming = this.#naming
      .then(() => this.#name(files))
      .catch((error: unknown) => {
        this.#failed ??= { error };
      })
      .finally(() => {
        this.#lots -= 1;
      });
  }

  async #name(files: readonly Unnamed[]): Promise<void> {
    if (files.length === 0) return;
    await this.#times.setAll(files.flatMap(timeOf));
    await this.#syncAll(this.#root);
    const names = files.map(({ folder, temporary, path }) => ({ folder, temporary, path }));
    const done = await this.#threads.give({ what: 'name', overwrite: this.#options.overwrite, names });
    for (const [i, { object }] of files.entries()) {
      if (done[i] === true) this.#options.named(object);
      else await this.#options.alone(object);
    }
  }
}

function timeOf({ temporary, object }: Unnamed): FileTime[] {
  const changedNs = changedAtNs(fileMetadataOf(object.metadata));
  return changedNs === undefined ? [] : [{ path: temporary, changedNs }];
}
