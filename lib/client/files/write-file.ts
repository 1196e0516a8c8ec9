// An object back into a file: whole or not at all, with its mode and time, never outside the directory given, never over a
// file that is there unless told.
import { randomBytes } from 'node:crypto';
import { link, lstat, mkdir, open, realpath, rename, rm, utimes } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { conflict, invalid, isPocketfulError } from '../../foundation/errors.ts';
import type { OpenBody } from '../face.ts';
import { fileMetadataOf } from './read-file.ts';

export interface WriteOptions {
  readonly overwrite: boolean;
}

/**
 * Writes below `root` (which exists) at the object's key. Throws `invalid` NAME_OUTSIDE, `conflict` FILE_EXISTS, `invalid`
 * NAME_IS_FOLDER where the tree cannot hold the name.
 */
export async function writeBelow(root: string, opened: OpenBody, options: WriteOptions): Promise<number> {
  const path = await placeBelow(root, opened.object.key);
  return writeObject(path, opened, options);
}

/** Writes a temporary file beside `path` and gives it its name at the end. The number of bytes. */
export async function writeObject(path: string, { object, body }: OpenBody, options: WriteOptions): Promise<number> {
  await assertFree(path, options.overwrite);
  const { mode, mtimeMs } = fileMetadataOf(object.metadata);
  const temporary = join(dirname(path), `.pocketful-${randomBytes(6).toString('hex')}.part`);
  try {
    const file = await open(temporary, 'wx', 0o600);
    let bytes = 0;
    try {
      for await (const part of body) {
        await file.writeFile(part);
        bytes += part.byteLength;
      }
      await file.chmod(mode ?? 0o666 & ~process.umask());
    } finally {
      await file.close();
    }
    if (mtimeMs !== undefined) await utimes(temporary, mtimeMs / 1000, mtimeMs / 1000);
    if (options.overwrite) await rename(temporary, path);
    else await nameNew(temporary, path);
    return bytes;
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

async function assertFree(path: string, overwrite: boolean): Promise<void> {
  try {
    const found = await lstat(path);
    if (found.isDirectory()) throw invalid('NAME_IS_FOLDER', `${path} is a directory`);
    if (!overwrite) throw exists(path);
  } catch (error) {
    if (isPocketfulError(error)) throw error;
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

async function nameNew(temporary: string, path: string): Promise<void> {
  try {
    await link(temporary, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw exists(path);
    throw error;
  }
  await rm(temporary);
}

const exists = (path: string): Error =>
  conflict('FILE_EXISTS', `${path} is there already: say --overwrite to replace it`);

/** The path of a key below the root, its folders made; no folder on the way may be a link that leads elsewhere. */
async function placeBelow(root: string, key: string): Promise<string> {
  const base = await realpath(root);
  const path = resolve(base, key);
  const parts = key.split('/');
  const climbs = parts.some((part) => part === '' || part === '.' || part === '..' || part.includes('\0'));
  if (climbs || !path.startsWith(base.endsWith(sep) ? base : base + sep))
    throw invalid('NAME_OUTSIDE', `"${key}" would be written outside ${root}`);
  let folder = base;
  for (const part of parts.slice(0, -1)) {
    folder = join(folder, part);
    await makeFolder(folder, base, key);
  }
  return path;
}

async function makeFolder(folder: string, base: string, key: string): Promise<void> {
  try {
    await mkdir(folder);
    return;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const found = await lstat(folder);
  if (found.isDirectory()) return;
  if (!found.isSymbolicLink())
    throw conflict('FILE_EXISTS', `"${key}" needs a folder where there is a file: ${folder}`);
  const real = await realpath(folder);
  if (!real.startsWith(base.endsWith(sep) ? base : base + sep))
    throw invalid('NAME_OUTSIDE', `"${key}" would be written through ${folder}, a symlink that leads elsewhere`);
}
