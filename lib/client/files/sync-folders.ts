// Makes the names in folders durable, one fsync a folder.
import { mapLimit } from '../../foundation/concurrency.ts';
import type { FileSystem } from './name-file.ts';

const AT_ONCE = 8;
/** Some file systems and network shares know no fsync of a folder: there is nothing more to be done. */
const CANNOT = new Set(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EBADF', 'EISDIR']);

export async function syncFolders(folders: ReadonlySet<string>, { syncFolder }: FileSystem): Promise<void> {
  await mapLimit([...folders], AT_ONCE, async (folder) => {
    try {
      await syncFolder(folder);
    } catch (error) {
      if (!CANNOT.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
  });
}
