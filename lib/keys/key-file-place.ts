// Whether keys can be kept private in a directory: not on file systems without permissions (FAT, exFAT, some network
// shares).
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { invalid } from '../foundation/errors.ts';

const OTHERS = 0o077;

/** Rights that a file gets in `folder` when it is made for its owner only. */
async function modeIn(folder: string): Promise<number> {
  const path = join(folder, 'keys.json.place');
  const file = await open(path, 'w', 0o600);
  try {
    return (await file.stat()).mode;
  } finally {
    await file.close();
    await rm(path, { force: true });
  }
}

/** To be asked before a store is begun there. Throws `invalid` STORE_PLACE. */
export async function assertPrivatePlace(
  folder: string,
  mode: (folder: string) => Promise<number> = modeIn,
): Promise<void> {
  if (process.platform === 'win32' || ((await mode(folder)) & OTHERS) === 0) return;
  throw invalid(
    'STORE_PLACE',
    `${folder} is on a file system without permissions, where others could read keys.json: make the store elsewhere (its drives may lie here: --drive), or mount it with umask=077`,
  );
}
