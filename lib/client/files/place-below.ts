// The path of a key below a directory, its folders made; no folder on the way may be a link that leads elsewhere.
import { lstat, mkdir, realpath } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { conflict, invalid } from '../../foundation/errors.ts';
import { namedError } from './name-errors.ts';

export interface Place {
  readonly path: string;
  /** Folders that got a new folder in them. */
  readonly changed: readonly string[];
}

export async function placeBelow(root: string, key: string): Promise<Place> {
  const base = await realpath(root);
  const path = resolve(base, key);
  const parts = key.split('/');
  const climbs = parts.some((part) => part === '' || part === '.' || part === '..' || part.includes('\0'));
  if (climbs || !path.startsWith(base.endsWith(sep) ? base : base + sep))
    throw invalid('NAME_OUTSIDE', `"${key}" would be written outside ${root}`);
  let folder = base;
  const changed: string[] = [];
  for (const part of parts.slice(0, -1)) {
    folder = join(folder, part);
    if (await makeFolder(folder, base, key)) changed.push(dirname(folder));
  }
  return { path, changed };
}

/** True if it was not there. */
async function makeFolder(folder: string, base: string, key: string): Promise<boolean> {
  try {
    await mkdir(folder);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw await namedError(error, folder);
  }
  const found = await lstat(folder);
  if (found.isDirectory()) return false;
  if (!found.isSymbolicLink())
    throw conflict('FILE_EXISTS', `"${key}" needs a folder where there is a file: ${folder}`);
  const real = await realpath(folder);
  if (!real.startsWith(base.endsWith(sep) ? base : base + sep))
    throw invalid('NAME_OUTSIDE', `"${key}" would be written through ${folder}, a symlink that leads elsewhere`);
  return false;
}
