// The journal of a SQLite Panda: which rows each COMMIT changed, and how far they were shipped. Written by
// sqlite-commits.ts in the COMMIT itself; read here over a connection of its own, whose read transactions see one
// moment beside all writers.
import type { DatabaseSync } from 'node:sqlite';
import { setImmediate as turn } from 'node:timers/promises';
import { JOURNAL_LOCK_ATTEMPTS_MAX, PASSED_OVER_MAX } from '../../limits/journal.ts';
import { SQLITE_ATTEMPT_MS, SQLITE_BUSY_MS } from '../../limits/panda.ts';
import {
  type CommitPoint,
  type DamagedRow,
  type ImageRow,
  isDamaged,
  type JournalSource,
  type JournalView,
  type ShippedTo,
} from '../journal-source.ts';
import type { Key, Row } from '../panda.ts';
import { decodeAttributes } from '../row-encoding.ts';
import { compareKeys, keyText } from '../sort-order.ts';
import { journalKeysOf, keysOfJournal } from './journal-keys.ts';
import { soundRowBytes } from './read-row-bytes.ts';
import { rowBytesOf } from './row-bytes.ts';
import { learnDamage } from './sqlite-damage.ts';
import { isBusy, sqliteError } from './sqlite-errors.ts';
import { keepFewPages, openSqliteFile } from './sqlite-file.ts';
import { prepareStatements, rowAt, rowOf, type Statements } from './sqlite-rows.ts';

type Found = Record<string, unknown>;

export class SqliteJournal implements JournalSource {
  readonly #path: string;
  #database: DatabaseSync | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  async look(): Promise<JournalView> {
    // Each its own connection: a snapshot of a large store is read for a while, beside which others are shipped.
    const database = this.#open();
    try {
      database.exec('BEGIN');
      return new SqliteView(database, this.#path);
    } catch (error) {
      database.close();
      throw this.#error(error);
    }
  }

  /** A COMMIT's number is its own, and a segment to a later one holds all of those before it. */
  async claim(): Promise<boolean> {
    return true;
  }

  async letGo(): Promise<void> {}

  async advance(before: ShippedTo | undefined, next: ShippedTo): Promise<boolean> {
    const { epoch, sequence, mark, atMs } = next;
    return this.#change((database) => {
      const is = cursorIn(database);
      const isAsBefore =
        before === undefined
          ? is === undefined || is.epoch !== epoch
          : is?.epoch === before.epoch && is.sequence === before.sequence && is.mark === before.mark;
      if (!isAsBefore) return false;
      database.prepare('UPDATE shipped SET epoch = ?, sequence = ?, mark = ?, at = ?').run(epoch, sequence, mark, atMs);
      // The last one stays: the numbers go on from it.
      database
        .prepare('DELETE FROM journal WHERE sequence <= ? AND sequence < (SELECT max(sequence) FROM journal)')
        .run(sequence);
      return true;
    });
  }

  async passOver(keys: readonly Key[]): Promise<void> {
    await this.#change((database) => {
      const last = database.prepare('SELECT sequence, keys FROM journal ORDER BY sequence DESC LIMIT 1').get();
      if (last === undefined) return false;
      const noted = new Map([...keysOfJournal(last['keys'] as Uint8Array)].map((key) => [keyText(key), key]));
      const before = noted.size;
      for (const key of keys.slice(0, PASSED_OVER_MAX)) noted.set(keyText(key), key);
      if (noted.size === before) return false;
      const bytes = journalKeysOf([...noted.values()]);
      database.prepare('UPDATE journal SET keys = ? WHERE sequence = ?').run(bytes, Number(last['sequence']));
      return true;
    });
  }

  async beginTending(owner: string, isGone: (owner: string) => boolean): Promise<boolean> {
    return this.#change((database) => {
      const tender = database.prepare('SELECT tender FROM shipped').get()?.['tender'];
      if (typeof tender === 'string' && tender !== owner && !isGone(tender)) return false;
      database.prepare('UPDATE shipped SET tender = ?').run(owner);
      return true;
    });
  }

  async endTending(owner: string): Promise<void> {
    await this.#change((database) => {
      database.prepare('UPDATE shipped SET tender = NULL WHERE tender = ?').run(owner);
      return true;
    });
  }

  close(): void {
    this.#database?.close();
    this.#database = undefined;
  }

  /** In a transaction; another process's is waited for. */
  async #change(change: (database: DatabaseSync) => boolean): Promise<boolean> {
    this.#database ??= this.#open();
    const database = this.#database;
    for (let attempt = 1; ; attempt++) {
      try {
        database.exec('BEGIN IMMEDIATE');
        const changed = change(database);
        database.exec(changed ? 'COMMIT' : 'ROLLBACK');
        return changed;
      } catch (error) {
        if (database.isTransaction) database.exec('ROLLBACK');
        if (!isBusy(error) || attempt >= JOURNAL_LOCK_ATTEMPTS_MAX) throw this.#error(error);
        await turn();
      }
    }
  }

  #open(): DatabaseSync {
    const database = openSqliteFile(this.#path, {
      create: false,
      openTimeoutMs: SQLITE_BUSY_MS,
      attemptMs: SQLITE_ATTEMPT_MS,
    });
    keepFewPages(database);
    return database;
  }

  #error(error: unknown): unknown {
    learnDamage(this.#path, error);
    return sqliteError(error, this.#path);
  }
}

function cursorIn(database: DatabaseSync): ShippedTo | undefined {
  const found = database.prepare('SELECT epoch, sequence, mark, at FROM shipped').get() as Found | undefined;
  if (found === undefined || found['sequence'] === 0) return undefined;
  const { epoch, sequence, mark, at } = found;
  return { epoch: Number(epoch), sequence: Number(sequence), mark: String(mark), atMs: Number(at) };
}

class SqliteView implements JournalView {
  readonly tip: (CommitPoint & { readonly atMs: number }) | undefined;
  readonly cursor: ShippedTo | undefined;
  readonly waiting: JournalView['waiting'];
  readonly #database: DatabaseSync;
  readonly #path: string;
  readonly #statements: Statements;

  constructor(database: DatabaseSync, path: string) {
    this.#database = database;
    this.#path = path;
    this.#statements = prepareStatements(database);
    const hasJournal =
      database.prepare("SELECT count(*) AS n FROM sqlite_schema WHERE name IN ('journal', 'shipped')").get()?.['n'] ===
      2;
    const last = hasJournal
      ? database.prepare('SELECT sequence, at, mark FROM journal ORDER BY sequence DESC LIMIT 1').get()
      : undefined;
    this.tip =
      last === undefined
        ? undefined
        : { sequence: Number(last['sequence']), mark: hexText(last['mark']), atMs: Math.max(0, Number(last['at'])) };
    this.cursor = hasJournal ? cursorIn(database) : undefined;
    const waiting = hasJournal
      ? database
          .prepare('SELECT count(*) AS n, min(at) AS since FROM journal WHERE sequence > ?')
          .get(this.cursor?.sequence ?? 0)
      : undefined;
    const commits = Number(waiting?.['n'] ?? 0);
    this.waiting = { commits, sinceMs: commits === 0 ? undefined : Math.max(0, Number(waiting?.['since'])) };
  }

  row(key: Key): Row | undefined {
    return this.#read(() => rowAt(this.#statements, key));
  }

  rows(partition: string): Row[] {
    return this.#read(() =>
      [...this.#statements.from.iterate(partition, '', -1)].map((found) =>
        rowOf({ partition, sort: String(found['sort']) }, found['value']),
      ),
    );
  }

  changes(): Generator<ImageRow | DamagedRow> {
    return this.#rowsOf('SELECT keys FROM journal WHERE sequence > ?');
  }

  passedOver(): DamagedRow[] {
    if (this.tip === undefined) return [];
    return [...this.#rowsOf('SELECT keys FROM journal WHERE sequence <= ?')].filter(isDamaged);
  }

  /** What the rows are whose keys these commits have. */
  *#rowsOf(commits: string): Generator<ImageRow | DamagedRow> {
    const keys = new Map<string, Key>();
    const found = this.#database.prepare(commits).iterate(this.cursor?.sequence ?? 0) as Iterable<Found>;
    for (const { keys: bytes } of found)
      for (const key of keysOfJournal(bytes as Uint8Array)) keys.set(keyText(key), key);
    for (const key of [...keys.values()].sort(compareKeys)) {
      const row = this.#read(() => this.#statements.get.get(key.partition, key.sort));
      yield row === undefined ? { ...key, image: undefined } : imageRow(key, row['value']);
    }
  }

  *all(): Generator<ImageRow | DamagedRow> {
    const found = this.#database.prepare(
      `SELECT CAST(partition AS TEXT) AS partition, CAST(sort AS TEXT) AS sort,
         CASE WHEN typeof(value) IN ('blob', 'text') THEN value END AS value FROM rows ORDER BY rows.partition, rows.sort`,
    );
    for (const { partition, sort, value } of found.iterate() as Iterable<Found>) {
      const key = { partition: String(partition), sort: String(sort) };
      yield imageRow(key, value);
    }
  }

  close(): void {
    this.#database.close();
  }

  #read<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      learnDamage(this.#path, error);
      throw sqliteError(error, this.#path);
    }
  }
}

const hexText = (bytes: unknown): string => Buffer.from(bytes as Uint8Array).toString('hex');

function imageRow(key: Key, value: unknown): ImageRow | DamagedRow {
  try {
    if (value instanceof Uint8Array) {
      soundRowBytes(key, value);
      return { ...key, image: value };
    }
    if (typeof value === 'string') return { ...key, image: rowBytesOf(key, decodeAttributes(value)) };
  } catch (cause) {
    return { ...key, damage: (cause as Error).message };
  }
  return { ...key, damage: 'neither bytes nor text' };
}
