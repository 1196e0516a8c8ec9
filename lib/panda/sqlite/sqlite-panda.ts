// Panda in one SQLite file, for the embedded engine. Durable: when transact resolves, the rows survive a power cut.
// Several processes may use one file. Transactions share their COMMITs (sqlite-commits.ts), which a thread does for
// whoever writes much (sqlite-thread.ts).
import type { DatabaseSync } from 'node:sqlite';
import { assert } from '../../foundation/assert.ts';
import { type Clock, systemClock } from '../../foundation/clock.ts';
import { PAGE_ROWS_MAX, SQLITE_ATTEMPT_MS, SQLITE_BUSY_MS, WRITES_BEFORE_THREAD } from '../../limits/panda.ts';
import { checkKey } from '../attributes.ts';
import type { Key, Page, Panda, QueryOptions, Row, SortRange, Write } from '../panda.ts';
import { checkGetMany, checkQuery, checkTransaction } from '../transaction.ts';
import { BatchCommitter } from './sqlite-batch.ts';
import { GroupCommit } from './sqlite-commits.ts';
import { learnDamage } from './sqlite-damage.ts';
import { LOGIC_ERROR, pandaCorrupt, sqliteCode, sqliteError } from './sqlite-errors.ts';
import { keepFewPages, type MakeRoom, openSqliteFile } from './sqlite-file.ts';
import {
  inOneRead,
  pageOf,
  prepareStatements,
  rowAt,
  type Statements,
  shortPage,
  soundRowOf,
  valuesAt,
} from './sqlite-rows.ts';
import { CommitThread, type ThreadData } from './sqlite-thread.ts';

export interface SqlitePandaOptions {
  /** Makes the file if there is none (default). */
  readonly create?: boolean;
  /** How long to wait for another process's transaction before PANDA_BUSY; default 5 s. */
  readonly busyTimeoutMs?: number;
  /** The file never grows beyond this: PANDA_FULL. Default: the disk decides. */
  readonly bytesMax?: number;
  /** The rows of this moment, whatever others write meanwhile; nothing can be written. */
  readonly isSnapshot?: boolean;
  /** Asked when there is no room left: true if it has made some. */
  readonly makeRoom?: MakeRoom;
  /** Stamps what is journalled; default: the system's. */
  readonly clock?: Pick<Clock, 'nowMs'>;
  /** False: for a file that is being filled, and of which all rows are shipped in any case. Default true. */
  readonly isJournalled?: boolean;
  /** After so many writes a thread commits; 0: at once, and opening waits for it. For tests. */
  readonly threadAfterWrites?: number;
}

export class SqlitePanda implements Panda {
  readonly refusesOverlap = false;
  readonly paysByWrite = false;
  readonly path: string;
  readonly #database: DatabaseSync;
  readonly #statements: Statements;
  readonly #commits: GroupCommit;
  #closed = false;

  private constructor(database: DatabaseSync, data: ThreadData, options: SqlitePandaOptions) {
    const { makeRoom, clock = systemClock, isJournalled = true } = options;
    // A file that is being filled is filled by somebody who has nothing else to do.
    const { threadAfterWrites = isJournalled ? WRITES_BEFORE_THREAD : Number.POSITIVE_INFINITY } = options;
    const { path, attempts } = data;
    this.path = path;
    this.#database = database;
    this.#statements = prepareStatements(database);
    this.#commits = new GroupCommit({
      here: new BatchCommitter({ path, database, statements: this.#statements, attempts }),
      startThread: () => {
        keepFewPages(database);
        return new CommitThread(data);
      },
      threadAfterWrites,
      makeRoom,
      nowMs: isJournalled ? (): number => clock.nowMs() : undefined,
    });
  }

  /**
   * Throws `invalid` PANDA_VERSION (a foreign or newer file), `missing` PANDA_MISSING, `denied` PANDA_DENIED, `corrupt`
   * PANDA_CORRUPT.
   */
  static async open(path: string, options: SqlitePandaOptions = {}): Promise<SqlitePanda> {
    const openTimeoutMs = options.busyTimeoutMs ?? SQLITE_BUSY_MS;
    const attemptMs = Math.min(SQLITE_ATTEMPT_MS, openTimeoutMs);
    const attempts = Math.ceil(openTimeoutMs / Math.max(1, attemptMs));
    const database = openSqliteFile(path, { ...options, openTimeoutMs, attemptMs });
    try {
      const { bytesMax } = options;
      const panda = new SqlitePanda(database, { path, attempts, attemptMs, openTimeoutMs, bytesMax }, options);
      if (options.threadAfterWrites === 0) await panda.#commits.beginThread();
      return panda;
    } catch (error) {
      // Statements that were right for this file's version do not fit its table: what it says of itself is damaged.
      database.close();
      throw sqliteCode(error) === LOGIC_ERROR ? pandaCorrupt(path, error) : sqliteError(error, path);
    }
  }

  /** That commits, once there is one. */
  get thread(): CommitThread | undefined {
    return this.#commits.thread;
  }

  async get(key: Key): Promise<Row | undefined> {
    checkKey(key);
    return this.#guarded(() => rowAt(this.#statements, key));
  }

  async getMany(keys: readonly Key[]): Promise<(Row | undefined)[]> {
    assert(!this.#closed, 'this Panda is closed');
    checkGetMany(keys);
    const stored = (await this.#commits.thread?.read(keys)) ?? this.#storedAt(keys);
    return keys.map((key, i) => (stored[i] === undefined ? undefined : soundRowOf(key, stored[i])));
  }

  #storedAt(keys: readonly Key[]): readonly unknown[] {
    const flat = keys.flatMap(({ partition, sort }) => [partition, sort]);
    return this.#guarded(() => inOneRead(this.#database, this.#statements, () => valuesAt(this.#statements, flat)));
  }

  async query(partition: string, range: SortRange = {}, options: QueryOptions = {}): Promise<Page> {
    const limit = checkQuery(partition, range, options);
    const from = range.from ?? '';
    const { from: rest, fromTo } = this.#statements;
    return this.#guarded(() => {
      const page =
        options.only === undefined ? undefined : shortPage(this.#statements, partition, range, limit, options.only);
      if (page !== undefined) return page;
      const found =
        range.to === undefined
          ? rest.iterate(partition, from, limit + 1)
          : fromTo.iterate(partition, from, range.to, limit + 1);
      return pageOf(found, limit);
    });
  }

  async transact(writes: readonly Write[]): Promise<void> {
    assert(!this.#closed, 'this Panda is closed');
    checkTransaction(writes);
    return this.#commits.add(writes);
  }

  async *scan(): AsyncIterable<readonly Row[]> {
    let after: Key | undefined = { partition: '', sort: '' };
    while (after !== undefined) {
      const { partition, sort }: Key = after;
      const { rows, next }: Page = this.#guarded(() =>
        pageOf(this.#statements.scan.iterate(partition, sort, PAGE_ROWS_MAX + 1), PAGE_ROWS_MAX),
      );
      if (rows.length > 0) yield rows;
      after = next === undefined ? undefined : rows.at(-1);
    }
  }

  /** Waits for what is pending. The last process to close a file also empties its log. */
  async close(): Promise<void> {
    if (this.#closed) return;
    await this.#commits.close();
    this.#closed = true;
    this.#database.close();
  }

  #guarded<T>(read: () => T): T {
    assert(!this.#closed, 'this Panda is closed');
    try {
      return read();
    } catch (error) {
      learnDamage(this.path, error);
      throw sqliteError(error, this.path);
    }
  }
}
