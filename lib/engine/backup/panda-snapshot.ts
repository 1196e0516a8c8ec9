// The rows of one moment, for backup and doctor: a scan of the living file is consistent page by page only. It is a
// read transaction of SQLite, not a copy of the file: beside writers, and nothing lies about that a killed process
// could leave.
import type { Panda } from '../../panda/panda.ts';
import { SqlitePanda } from '../../panda/sqlite/sqlite-panda.ts';

/** Calls `use` with the rows as they are now. The log of the metadata file grows meanwhile. */
export async function withSnapshot<T>(path: string, use: (panda: Panda) => Promise<T>): Promise<T> {
  const panda = await SqlitePanda.open(path, { create: false, isSnapshot: true });
  try {
    return await use(panda);
  } finally {
    await panda.close();
  }
}
