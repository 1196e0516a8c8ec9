// Opening the SQLite file of Panda: creates it with its one table, or refuses what is not ours or is newer than this
// program. Nothing is written to a file before it is known to be ours or empty.
import { accessSync, closeSync, constants, fsyncSync, openSync, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { assert, present } from '../../foundation/assert.ts';
import { denied, invalid, isPocketfulError, missing } from '../../foundation/errors.ts';
import {
  CHECKPOINT_PAGES_MAX,
  CHECKPOINT_PAGES_MIN,
  LOG_BYTES_KEPT,
  LOG_SWITCH_ATTEMPTS_MAX,
  LOG_SWITCH_PAUSE_MS,
  SQLITE_CACHE_KIB,
  SQLITE_CACHE_KIB_BESIDE_THREAD,
} from '../../limits/panda.ts';
import { isBusy, isFull, pandaFull, sqliteError } from './sqlite-errors.ts';

/** "PKFL" in the header of the file: `file(1)` and SQLite show whose it is. */
export const APPLICATION_ID = 0x504b464c;
/**
 * Version of the tables and of the values in them. 1: text (row-encoding.ts). 2: bytes as well (row-form.ts). 3: what
 * changes is journalled (sqlite-journal.ts), so that no release that does not may write. A file becomes 3 with its
 * first commit. A newer one is refused, never guessed at.
 */
export const SCHEMA_VERSION = 3;
const SCHEMA_OLDEST = 1;

export interface SqliteFileOptions {
  /** Makes the file if there is none (default); otherwise `missing` PANDA_MISSING. */
  readonly create?: boolean;
  /** How long opening waits for other processes that open, create or recover the file. */
  readonly openTimeoutMs: number;
  /** How long one attempt to get the write lock blocks the process later on. */
  readonly attemptMs: number;
  /** The file never grows beyond this: `retry` PANDA_FULL. Default: the disk decides. */
  readonly bytesMax?: number;
  /** Opens a read transaction that lasts until the file is closed: one moment is seen, and nothing can be written. */
  readonly isSnapshot?: boolean;
  /**
   * Asked when there is no room: true if it has made some, so that trying again is worth it. Default: there is none to
   * be had.
   */
  readonly makeRoom?: MakeRoom | undefined;
}

/** `open`: a little, to read at all; `write`: for a transaction. */
export type MakeRoom = (what: 'open' | 'write') => boolean;

/** Less than this is not worth another try. */
const LOG_CUT_BYTES = 1024 * 1024;
const PAGE_BYTES = 4096;
/** The journal of COMMITs, and how far it was shipped (sqlite-journal.ts). */
export const JOURNAL_SCHEMA = `
CREATE TABLE IF NOT EXISTS journal (
  sequence INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  mark BLOB NOT NULL,
  keys BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS shipped (
  id INTEGER PRIMARY KEY CHECK (id = 0),
  epoch INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  mark TEXT NOT NULL,
  at INTEGER NOT NULL,
  tender TEXT
);
INSERT OR IGNORE INTO shipped VALUES (0, 0, 0, '', 0, NULL)`;
const SCHEMA = `CREATE TABLE rows (
  partition TEXT NOT NULL COLLATE BINARY,
  sort TEXT NOT NULL COLLATE BINARY,
  value BLOB NOT NULL,
  PRIMARY KEY (partition, sort)
) WITHOUT ROWID`;

/** node:sqlite warns once that it is experimental; only that warning is held back, and only while it is loaded. */
function loadSqlite(): typeof import('node:sqlite') {
  const emitWarning = process.emitWarning;
  process.emitWarning = ((warning: string | Error, ...rest: unknown[]) => {
    if (!String(warning).startsWith('SQLite is an experimental feature'))
      Reflect.apply(emitWarning, process, [warning, ...rest]);
  }) as typeof process.emitWarning;
  try {
    return present(process.getBuiltinModule('node:sqlite'), 'this Node has no node:sqlite: Node 24 or newer is needed');
  } finally {
    process.emitWarning = emitWarning;
  }
}

export function openSqliteFile(path: string, options: SqliteFileOptions): DatabaseSync {
  try {
    return openOnce(path, options);
  } catch (error) {
    if (!(isPocketfulError(error) && error.code === 'PANDA_FULL')) throw error;
    if (options.makeRoom?.('open') !== true) throw error;
    return openOnce(path, options);
  }
}

function openOnce(path: string, options: SqliteFileOptions): DatabaseSync {
  const isNew = touch(path, options.create ?? true);
  const { DatabaseSync } = loadSqlite();
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: options.openTimeoutMs });
    prepare(database, path, options);
    if (isNew) syncFolderOf(path);
    return database;
  } catch (error) {
    if (database?.isOpen) database.close();
    throw isFull(error, () => hasRoom(path)) ? pandaFull(path, error) : sqliteError(error, path);
  }
}

/** SQLite wants about so much to open a file: the index of its log, and the log itself. */
const OPEN_BYTES = 64 * 1024;

/** False if the disk of the file is as good as full. */
export const hasRoom = (path: string): boolean => freeBytes(path) >= OPEN_BYTES;

function freeBytes(path: string): number {
  try {
    const { bavail, bsize } = statfsSync(dirname(path));
    return bavail * bsize;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** Makes an empty file only its owner may read; true if there was none. SQLite's log inherits the mode. */
function touch(path: string, create: boolean): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return false;
  } catch (error) {
    if (errno(error) !== 'ENOENT') throw denied('PANDA_DENIED', `the metadata file ${path} cannot be written`, error);
    if (!create) throw missing('PANDA_MISSING', `there is no metadata file ${path}`, error);
  }
  try {
    closeSync(openSync(path, 'a', 0o600));
    return true;
  } catch (error) {
    if (errno(error) === 'ENOENT')
      throw missing('PANDA_MISSING', `the folder of the metadata file ${path} does not exist`, error);
    throw denied('PANDA_DENIED', `the metadata file ${path} cannot be made`, error);
  }
}

/** The log takes a small share of what is free at the most. */
const LOG_SHARE = 1 / 16;

const checkpointPages = (path: string): number =>
  Math.round(
    Math.min(CHECKPOINT_PAGES_MAX, Math.max(CHECKPOINT_PAGES_MIN, (freeBytes(path) * LOG_SHARE) / PAGE_BYTES)),
  );

/**
 * What the log holds goes to its file, if nobody is reading, and it stays short from now on. True if that gave back
 * much.
 */
export function cutLog(database: DatabaseSync, path: string): boolean {
  const before = logBytes(path);
  try {
    database.exec(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES_MIN}`);
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  } catch {
    return false; // it is as long as it was
  }
  return before - logBytes(path) >= LOG_CUT_BYTES;
}

function logBytes(path: string): number {
  try {
    return statSync(`${path}-wal`).size;
  } catch {
    return 0;
  }
}

const errno = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined);

/** Of a connection beside one that writes: what that commits drops out of it in any case. */
export function keepFewPages(database: DatabaseSync): void {
  database.exec(`PRAGMA cache_size = -${SQLITE_CACHE_KIB_BESIDE_THREAD}`);
}

function prepare(database: DatabaseSync, path: string, options: SqliteFileOptions): void {
  const isOurs = identify(database, path);
  database.exec('PRAGMA secure_delete = ON');
  database.exec('PRAGMA synchronous = FULL');
  database.exec(`PRAGMA cache_size = -${SQLITE_CACHE_KIB}`);
  database.exec(`PRAGMA wal_autocheckpoint = ${checkpointPages(path)}`);
  // While somebody reads one moment of a large store, the log has all that is written: it gives that back afterwards.
  database.exec(`PRAGMA journal_size_limit = ${LOG_BYTES_KEPT}`);
  if (options.bytesMax !== undefined)
    database.exec(`PRAGMA max_page_count = ${Math.ceil(options.bytesMax / PAGE_BYTES)}`);
  useLog(database);
  if (!isOurs) createTable(database, path);
  database.exec(`PRAGMA busy_timeout = ${options.attemptMs}`);
  if (options.isSnapshot) beginSnapshot(database);
}

/** BEGIN alone does not choose the moment: the first read does. */
function beginSnapshot(database: DatabaseSync): void {
  database.exec('PRAGMA query_only = ON');
  database.exec('BEGIN');
  database.prepare('SELECT 1 FROM rows LIMIT 1').get();
}

/** True: ours; false: empty. Anything else is refused. */
function identify(database: DatabaseSync, path: string): boolean {
  // In one statement, so of one moment: another process may be making the table just now.
  const found = database
    .prepare(
      `SELECT (SELECT application_id FROM pragma_application_id) AS application, (SELECT user_version FROM pragma_user_version) AS version,
         (SELECT count(*) FROM sqlite_schema) AS tables`,
    )
    .get();
  const { application, version, tables } = present(found, 'a row');
  if (application === 0 && version === 0 && tables === 0) return false;
  if (application !== APPLICATION_ID)
    throw invalid('PANDA_VERSION', `${path} is a SQLite file of another program, not metadata of Pocketful`);
  if (Number(version) < SCHEMA_OLDEST || Number(version) > SCHEMA_VERSION)
    throw invalid(
      'PANDA_VERSION',
      `${path} has format ${version}; this program knows formats ${SCHEMA_OLDEST} to ${SCHEMA_VERSION}: use the version that wrote it`,
    );
  return true;
}

/**
 * Switches to the write-ahead log. When two processes open a new file at once, SQLite may refuse this without waiting.
 */
function useLog(database: DatabaseSync): void {
  for (let attempt = 1; ; attempt++) {
    try {
      const mode = database.prepare('PRAGMA journal_mode = WAL').get()?.['journal_mode'];
      assert(mode === 'wal', `SQLite keeps the journal mode ${mode}`);
      return;
    } catch (error) {
      if (!isBusy(error) || attempt === LOG_SWITCH_ATTEMPTS_MAX) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOG_SWITCH_PAUSE_MS);
    }
  }
}

/** In one transaction, so that of two processes only one makes the table and a crash leaves none. */
function createTable(database: DatabaseSync, path: string): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    if (!identify(database, path)) {
      database.exec(SCHEMA);
      database.exec(JOURNAL_SCHEMA);
      database.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
      database.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
    }
    database.exec('COMMIT');
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

function syncFolderOf(path: string): void {
  const folder = openSync(dirname(path), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
