// Folders below the root of a tree that is written: each is made and looked at once. Only plain folders of the root's
// own file system are known here; a name that needs anything else (a link, a file in the way, a mount) goes the way of
// a single file, which looks at every level and says what is wrong.
import { lstatSync, mkdirSync, type Stats } from 'node:fs';
import { sep } from 'node:path';
import { sweepOutputs } from '../../../drive/file-output.ts';
import { LruCache } from '../../../foundation/lru.ts';
import { FOLDERS_KNOWN_MAX } from '../../../limits/engine.ts';

export interface KnownFolder {
  readonly path: string;
  /** Made by this process: no name in it is taken but by itself. */
  readonly isNew: boolean;
}

export class TreeFolders {
  readonly #root: KnownFolder;
  readonly #device: number;
  readonly #known = new LruCache<string, KnownFolder | 'odd'>(FOLDERS_KNOWN_MAX);
  readonly #swept = new Set<string>();
  readonly #sweeps: Promise<void>[] = [];

  /** `root`: its real path. */
  constructor(root: string) {
    this.#root = { path: root, isNew: false };
    this.#device = lstatSync(root).dev;
    this.#sweep(root);
  }

  /** Where the file of a key belongs, its folder made; undefined for what is not that simple. */
  placeOf(key: string): { readonly folder: KnownFolder; readonly path: string } | undefined {
    const cut = key.lastIndexOf('/');
    const name = key.slice(cut + 1);
    if (!isPlain(name)) return undefined;
    const folder = cut < 0 ? this.#root : this.#folder(key.slice(0, cut));
    return folder === 'odd' ? undefined : { folder, path: `${folder.path}${sep}${name}` };
  }

  async end(): Promise<void> {
    await Promise.all(this.#sweeps);
  }

  #folder(name: string): KnownFolder | 'odd' {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const cut = name.lastIndexOf('/');
    const parent = cut < 0 ? this.#root : this.#folder(name.slice(0, cut));
    const part = name.slice(cut + 1);
    const folder = parent === 'odd' || !isPlain(part) ? 'odd' : this.#make(`${parent.path}${sep}${part}`);
    this.#known.set(name, folder);
    return folder;
  }

  #make(path: string): KnownFolder | 'odd' {
    try {
      mkdirSync(path);
      return { path, isNew: true };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') return 'odd';
    }
    const found: Stats | undefined = lstatSync(path, { throwIfNoEntry: false });
    if (found === undefined || !found.isDirectory() || found.dev !== this.#device) return 'odd';
    this.#sweep(path);
    return { path, isNew: false };
  }

  /** What a `get` that was killed left half written. */
  #sweep(folder: string): void {
    if (this.#swept.has(folder) || this.#swept.size >= FOLDERS_KNOWN_MAX) return;
    this.#swept.add(folder);
    this.#sweeps.push(sweepOutputs(folder));
  }
}

const isPlain = (part: string): boolean => part !== '' && part !== '.' && part !== '..' && !/[\0\n]/.test(part);
