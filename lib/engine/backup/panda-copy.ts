// A consistent copy of a store's Panda, for backup and doctor: a scan of the living file is consistent page by page only.
// SQLite copies the rows of one moment in one read transaction, beside writers.
import { rm } from 'node:fs/promises';
import { present } from '../../foundation/assert.ts';
import { retryLater } from '../../foundation/errors.ts';
import type { Panda } from '../../panda/panda.ts';
import { SqlitePanda } from '../../panda/sqlite-panda.ts';

const BUSY_MS = 5_000;

/** Calls `use` with the copy, which lies beside the original meanwhile and is removed afterwards. */
export async function withSnapshot<T>(path: string, nonce: string, use: (panda: Panda) => Promise<T>): Promise<T> {
  const copy = `${path}.copy-${nonce}`;
  try {
    copyRows(path, copy);
    const panda = await SqlitePanda.open(copy, { create: false });
    try {
      return await use(panda);
    } finally {
      await panda.close();
    }
  } finally {
    for (const suffix of ['', '-wal', '-shm', '-journal']) await rm(`${copy}${suffix}`, { force: true });
  }
}

function copyRows(path: string, copy: string): void {
  const { DatabaseSync } = present(process.getBuiltinModule('node:sqlite'), 'Node 24 has node:sqlite');
  const umask = process.umask(0o077);
  const database = new DatabaseSync(path, { timeout: BUSY_MS });
  try {
    database.prepare('VACUUM INTO ?').run(copy);
  } catch (cause) {
    throw retryLater(
      'PANDA_BUSY',
      `the metadata file ${path} cannot be copied now: ${(cause as Error).message}`,
      cause,
    );
  } finally {
    database.close();
    process.umask(umask);
  }
}
