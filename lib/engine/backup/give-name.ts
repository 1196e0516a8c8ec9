// The first step of any restore, and the last: there is no metadata file, and a gathered one gets its name.
import { existsSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { nameNew } from '../../drive/file-naming.ts';
import { errnoOf, syncFolder } from '../../drive/files.ts';
import { conflict } from '../../foundation/errors.ts';

/** Throws `conflict` STORE_EXISTS if there is one. `dir`: as it was given. */
export function refuseExisting(dir: string, target: string): void {
  if (existsSync(target))
    throw conflict('STORE_EXISTS', `${dir} holds metadata already: move ${target} away before restoring`);
}

/** Unless another store was made there meanwhile: `conflict` STORE_EXISTS. */
export async function giveName(gathering: string, target: string): Promise<void> {
  try {
    await setAside(target);
    await nameNew(gathering, target);
    await syncFolder(dirname(target));
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
    throw conflict('STORE_EXISTS', `a store was made in ${dirname(target)} meanwhile`, error);
  }
}

/** SQLite would take the log of a file that was moved away for one of the file that comes in its place. */
async function setAside(target: string): Promise<void> {
  for (const suffix of ['-wal', '-shm', '-journal']) {
    if (!existsSync(target) && existsSync(`${target}${suffix}`))
      await rename(`${target}${suffix}`, `${target}.moved${suffix}`);
  }
}
