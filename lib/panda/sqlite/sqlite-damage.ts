// What is known of a metadata file that was found damaged: a note beside it, so that no process acknowledges anything
// into it any more. The note names the very file (device, inode, and when it was made, as numbers of files are used
// again): one restored in its place is another.
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { present } from '../../foundation/assert.ts';
import { DAMAGE_NOTE_BYTES_MAX, INTEGRITY_FAULTS_MAX, SQLITE_BUSY_MS } from '../../limits/panda.ts';
import { isDamage, sqliteError } from './sqlite-errors.ts';

const SUFFIX = '.damaged';

const identityOf = (path: string): string => {
  const { dev, ino, birthtimeNs } = statSync(path, { bigint: true });
  return `${dev}/${ino}/${birthtimeNs}`;
};

/** If this error says that the file is damaged: from then on no process writes to it. */
export function learnDamage(path: string, error: unknown): void {
  if (isDamage(error)) noteDamagedFile(path);
}

/** Best effort: a disk that takes no note is read by `doctor` again. */
function noteDamagedFile(path: string): void {
  try {
    writeFileSync(`${path}${SUFFIX}`, `${identityOf(path)}\n`, { mode: 0o600 });
  } catch (error) {
    if (!isSystemError(error)) throw error;
  }
}

export function isNotedDamaged(path: string): boolean {
  try {
    // Asked before every commit, and there is hardly ever a note: an error that says so costs more than the look.
    if (statSync(`${path}${SUFFIX}`, { throwIfNoEntry: false }) === undefined) return false;
    const noted = readFileSync(`${path}${SUFFIX}`, 'utf8').slice(0, DAMAGE_NOTE_BYTES_MAX).trim();
    if (noted === identityOf(path)) return true;
    rmSync(`${path}${SUFFIX}`, { force: true }); // of a file that was replaced since
    return false;
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return false;
  }
}

const isSystemError = (error: unknown): boolean => error instanceof Error && 'syscall' in error;

/**
 * SQLite's own check of every page and index of a file that is in use; what it says is wrong, a line each, empty if
 * nothing is. A damaged file is noted as such, a sound one is not any more. Throws `retry` PANDA_BUSY if it cannot be
 * read now.
 */
export function checkSqliteFile(path: string): string[] {
  const faults = faultsOf(path);
  if (faults.length > 0) noteDamagedFile(path);
  else rmSync(`${path}${SUFFIX}`, { force: true });
  return faults;
}

function faultsOf(path: string): string[] {
  const { DatabaseSync } = present(process.getBuiltinModule('node:sqlite'), 'Node 24 has node:sqlite');
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: SQLITE_BUSY_MS, readOnly: true });
    const rows = database.prepare(`PRAGMA integrity_check(${INTEGRITY_FAULTS_MAX})`).all();
    const lines = rows.flatMap((row) => String(row['integrity_check']).split('\n'));
    return lines.filter((line) => line !== 'ok');
  } catch (error) {
    if (!isDamage(error)) throw sqliteError(error, path);
    return [(error as Error).message];
  } finally {
    database?.close();
  }
}
