// What a rebuild sorts and joins: a SQLite file of its own beside the restored store, so that memory does not grow with
// the number of objects. It is unlinked as soon as it is open (where the system allows it), holds no wrapped key, and
// nothing in it survives the process.
import { rmSync } from 'node:fs';
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { present } from '../../foundation/assert.ts';
import { SORTER_CACHE_KIB } from '../../limits/engine.ts';
import { removeScratch } from '../wire/leftovers.ts';

/**
 * Primary keys are chosen so that what is asked for in order is stored in that order: SQLite then sorts nothing by
 * itself.
 */
const SCHEMA = `
CREATE TABLE groups (
  id INTEGER PRIMARY KEY, volume TEXT, generation INTEGER, sequence INTEGER, token INTEGER, append TEXT, kind TEXT, codec TEXT,
  columnBytes TEXT, bucket TEXT, isWhole INTEGER, isDecodable INTEGER);
CREATE UNIQUE INDEX groupNames ON groups (volume, generation, sequence, token, append);
CREATE TABLE records (
  bucket TEXT, move INTEGER, groupId INTEGER, slot INTEGER, record TEXT, column INTEGER, offset INTEGER, length INTEGER,
  PRIMARY KEY (bucket, move, groupId, slot)) WITHOUT ROWID;
CREATE TABLE chunks (groupId INTEGER, column INTEGER, extent TEXT, PRIMARY KEY (groupId, column, extent)) WITHOUT ROWID;
CREATE TABLE zones (drive INTEGER, zone INTEGER, generation INTEGER, bytes INTEGER, packBytes INTEGER, PRIMARY KEY (drive, zone, generation)) WITHOUT ROWID;
CREATE TABLE named (record TEXT PRIMARY KEY, block TEXT, bucket TEXT) WITHOUT ROWID;
CREATE TABLE names (version TEXT PRIMARY KEY, block TEXT) WITHOUT ROWID;
CREATE TABLE shredded (record TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE trash (block TEXT PRIMARY KEY, sinceMs INTEGER) WITHOUT ROWID;
CREATE TABLE oldVolumes (volume TEXT PRIMARY KEY, generation INTEGER, extents TEXT) WITHOUT ROWID;
CREATE TABLE rivals (id INTEGER PRIMARY KEY, contest TEXT, rank INTEGER);
CREATE TABLE rivalGroups (groupId INTEGER PRIMARY KEY, rival INTEGER);
CREATE INDEX groupsOfRivals ON rivalGroups (rival);
CREATE TABLE claims (block TEXT, rival INTEGER, PRIMARY KEY (block, rival)) WITHOUT ROWID;
CREATE INDEX claimsOfRivals ON claims (rival);
CREATE TABLE leftOut (groupId INTEGER PRIMARY KEY);
CREATE TABLE homes (bucket TEXT PRIMARY KEY, move INTEGER, volume TEXT, generation INTEGER, sequence INTEGER, token INTEGER) WITHOUT ROWID;
CREATE TABLE placed (
  block TEXT PRIMARY KEY, record TEXT, bucket TEXT, slot INTEGER, length INTEGER, volume TEXT, generation INTEGER, sequence INTEGER, token INTEGER,
  column INTEGER, offset INTEGER, refs INTEGER DEFAULT 0) WITHOUT ROWID;
CREATE TABLE unplaced (block TEXT PRIMARY KEY, reason TEXT) WITHOUT ROWID;
CREATE TABLE unnamed (record TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE used (volume TEXT, bucket TEXT, move INTEGER, generation INTEGER, directory BLOB, slots INTEGER, PRIMARY KEY (volume, bucket)) WITHOUT ROWID;
CREATE TABLE usedZones (drive INTEGER, zone INTEGER, generation INTEGER, volume TEXT, PRIMARY KEY (drive, zone)) WITHOUT ROWID;
CREATE TABLE lists (version TEXT PRIMARY KEY, parts INTEGER, blocks INTEGER, isKept INTEGER DEFAULT 0) WITHOUT ROWID;
CREATE TABLE listLosses (version TEXT, reason TEXT, blocks INTEGER, PRIMARY KEY (version, reason)) WITHOUT ROWID;
`;

type Values = Record<string, string | number | Uint8Array | null>;

export class Sorter {
  readonly #path: string;
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  private constructor(path: string, database: DatabaseSync) {
    this.#path = path;
    this.#database = database;
  }

  static open(path: string): Sorter {
    const { DatabaseSync } = present(process.getBuiltinModule('node:sqlite'), 'Node 24 has node:sqlite');
    const umask = process.umask(0o077);
    // Not defensive: otherwise SQLite insists on a journal, which is a file of its own.
    const options = { defensive: false };
    const database = new DatabaseSync(path, options);
    try {
      database.exec('PRAGMA locking_mode = EXCLUSIVE');
      const mode = database.prepare('PRAGMA journal_mode = OFF').get()?.['journal_mode'];
      if (mode !== 'off') database.exec('PRAGMA journal_mode = MEMORY');
      database.exec(`PRAGMA synchronous = OFF; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -${SORTER_CACHE_KIB}`);
      database.exec('BEGIN'); // one transaction, which never ends: no page is written before the cache is full
      database.exec(SCHEMA);
    } finally {
      process.umask(umask);
    }
    try {
      rmSync(path, { force: true });
    } catch {
      // The system keeps open files: it goes in close(), or with the next command.
    }
    return new Sorter(path, database);
  }

  run(sql: string, ...values: SQLInputValue[]): void {
    this.#prepared(sql).run(...values);
  }

  get<T extends Values>(sql: string, ...values: SQLInputValue[]): T | undefined {
    return this.#prepared(sql).get(...values) as T | undefined;
  }

  /** Rows one by one, in the order of the statement. What is read must not be written meanwhile. */
  each<T extends Values>(sql: string, ...values: SQLInputValue[]): Iterable<T> {
    return this.#database.prepare(sql).iterate(...values) as Iterable<T>;
  }

  all<T extends Values>(sql: string, ...values: SQLInputValue[]): T[] {
    return this.#prepared(sql).all(...values) as T[];
  }

  count(sql: string): number {
    return this.get<{ n: number }>(sql)?.n ?? 0;
  }

  async close(): Promise<void> {
    this.#database.close();
    await removeScratch(this.#path);
  }

  #prepared(sql: string): StatementSync {
    const known = this.#statements.get(sql) ?? this.#database.prepare(sql);
    this.#statements.set(sql, known);
    return known;
  }
}
