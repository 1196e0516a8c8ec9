// Where the parts of an embedded store lie in its directory, and what may not be taken for one.
import { readdir } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import { denied, invalid } from '../../foundation/errors.ts';
import { RESERVE_BYTES_MAX, RESERVE_BYTES_MIN } from '../../limits/engine.ts';
import type { Settings } from '../../settings/settings.ts';

export const DRIVES_DEFAULT = 20;
const PANDA = 'panda.sqlite';
const KEYS = 'keys.json';
const QUEUE = 'queue.sqlite';
const RESERVE = 'panda.reserve';
const DRIVES = 'drives';
const FILES_SEEN = 'files-seen';
const LOST_AND_FOUND = 'lost+found';

export const pandaPath = (dir: string): string => join(dir, PANDA);
/** The queue of L3. It may be lost: what it held is sent again. */
export const queuePath = (dir: string): string => join(dir, QUEUE);
export const reservePath = (dir: string): string => join(dir, RESERVE);
/** Where drives lie that were not put elsewhere. */
export const drivesPath = (dir: string): string => join(dir, DRIVES);
export const keysPath = (dir: string): string => join(dir, KEYS);
/** What trees of files were when they were put (lib/client/files/known-files.ts). It may be lost. */
export const filesSeenPath = (dir: string): string => join(dir, FILES_SEEN);
/** Where `init --passphrase` writes the keys under a passphrase, to be copied from there. */
export const exportPath = (dir: string): string => join(dir, `${KEYS}.export`);

/**
 * Room kept for what frees space: deletes and their log, and a small group that a nearly empty volume is moved into.
 */
export const reserveBytesOf = ({ bucketBytes }: Settings): number =>
  Math.min(RESERVE_BYTES_MAX, Math.max(RESERVE_BYTES_MIN, 2 * bucketBytes));

/**
 * `drives/00` and so on, or the paths given: relative to the store's directory if they are below it, so that it can be
 * moved as a whole.
 */
export function drivePaths(dir: string, drives: number | readonly string[]): string[] {
  if (typeof drives === 'number')
    return Array.from({ length: drives }, (_, i) => `${DRIVES}/${String(i).padStart(2, '0')}`);
  const root = resolve(dir);
  const paths = drives.map((path) => {
    const full = resolve(path);
    return full.startsWith(root + sep) ? relative(root, full) : full;
  });
  const twice = paths.find((path, i) => paths.indexOf(path) !== i);
  if (twice !== undefined)
    throw invalid('DRIVE_TWICE', `drive ${twice} is given twice: each drive needs its own directory`);
  return paths;
}

export const driveAt = (dir: string, path: string): string => resolve(dir, path);

/** Names in the directory that are none of a store's; empty if it does not exist. */
export async function foreignNames(dir: string): Promise<string[]> {
  try {
    const names = await readdir(dir);
    return names.filter(
      (name) =>
        ![PANDA, KEYS, QUEUE, RESERVE].some((own) => name.startsWith(own)) &&
        name !== DRIVES &&
        name !== FILES_SEEN &&
        name !== LOST_AND_FOUND,
    );
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') return [];
    if (code === 'ENOTDIR') throw invalid('STORE_PATH', `${dir} is a file, a store needs a directory`, error);
    if (code === 'EACCES' || code === 'EPERM') throw denied('STORE_DENIED', `no permission to read ${dir}`, error);
    throw error;
  }
}
