// Gives a finished temporary file its name, if that is free. A hard link does it in one step. File systems without hard
// links (FAT, exFAT, some network shares) have no such step that Node can ask for: there the name is first taken by an
// empty file, which only who made it replaces with the finished one. So one writer wins there too, and what has the
// name is whole or empty: empty while that goes on, or for good where the writer was killed in between. An empty chunk
// is a stray of an append that was never committed.
import { closeFile, errnoOf, linkFile, openFile, renameFile, unlinkFile } from './files.ts';

export type LinkFile = (existing: string, path: string) => Promise<void>;

/**
 * What is answered to a hard link where there are none. A directory that may not be written says EPERM too, and says it
 * again.
 */
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);

/** Throws EEXIST where the name is taken. Afterwards the temporary name is gone. */
export async function nameNew(temporary: string, path: string): Promise<void> {
  await nameFile(temporary, path);
  await unlinkFile(temporary).catch((error: unknown) => {
    if (errnoOf(error) !== 'ENOENT') throw error;
  });
}

/** Throws EEXIST where the name is taken. Afterwards the temporary name is there still, or not. */
export async function nameFile(temporary: string, path: string, link: LinkFile = linkFile): Promise<void> {
  try {
    await link(temporary, path);
  } catch (error) {
    if (!NO_LINKS.has(errnoOf(error) ?? '')) throw error;
    await closeFile(await openFile(path, 'wx'));
    try {
      await renameFile(temporary, path);
    } catch (cause) {
      await unlinkFile(path).catch(() => undefined);
      throw cause;
    }
  }
}
