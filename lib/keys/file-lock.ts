// One process at a time, by SQLite's lock on a file that stays empty: the system gives it back when its holder dies,
// which no lock file with a name or a process id in it can promise.
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { denied, retryLater } from '../foundation/errors.ts';
import { KEY_LOCK_POLL_MS, KEY_LOCK_POLLS_MAX } from '../limits/bytes.ts';

const SQLITE_BUSY = 5;

/**
 * Runs `work`, which is short and synchronous, while nobody else does under the same lock. Throws `retry` KEK_BUSY
 * after 10 s.
 */
export async function underFileLock<T>(file: string, work: () => T): Promise<T> {
  const lock = open(file);
  try {
    for (let polls = 0; !acquired(lock); polls++) {
      if (polls === KEY_LOCK_POLLS_MAX) throw retryLater('KEK_BUSY', `another process holds the lock ${file}`);
      await sleep(KEY_LOCK_POLL_MS);
    }
    return work();
  } finally {
    lock.close();
  }
}

function open(file: string): DatabaseSync {
  try {
    return new DatabaseSync(file, { timeout: 0 });
  } catch (cause) {
    throw denied('KEK_DENIED', `the lock ${file} cannot be made or opened`, cause);
  }
}

function acquired(lock: DatabaseSync): boolean {
  try {
    lock.exec('BEGIN EXCLUSIVE');
    return true;
  } catch (error) {
    if (error instanceof Error && 'errcode' in error && ((error.errcode as number) & 0xff) === SQLITE_BUSY)
      return false;
    throw error;
  }
}
