// Gives a finished temporary file its name without replacing anything. A hard link does that in one step. File systems without hard
// links (FAT, exFAT, some network shares) have no such step that Node can ask for: there the name is first taken by an empty file,
// which the finished one then replaces. Who replaces that empty file in between loses what he put there; who is killed in
// between leaves it.
import { link, open, rename, rm } from 'node:fs/promises';

/** The calls that file systems differ in. */
export interface FileSystem {
  link(existing: string, path: string): Promise<void>;
}
export const fileSystem: FileSystem = { link };

/** What is answered to a hard link where there are none. */
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);

/** Throws EEXIST where the name is taken. */
export async function nameNew(temporary: string, path: string, { link: linkFile } = fileSystem): Promise<void> {
  try {
    await linkFile(temporary, path);
  } catch (error) {
    if (!NO_LINKS.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
    return takeName(temporary, path);
  }
  await rm(temporary);
}

async function takeName(temporary: string, path: string): Promise<void> {
  await (await open(path, 'wx')).close();
  try {
    await rename(temporary, path);
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}
