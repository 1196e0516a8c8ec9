// Panda in one SQLite file, for the embedded engine. Durable: when transact resolves, the rows survive a power cut.
// Every COMMIT is an fsync, so transactions that are pending together share one (group commit): each is still all or
// nothing by itself, has its own answer, and none resolves before the COMMIT. Several processes may use one file.
import type { DatabaseSync } from 'node:sqlite';
import { assert } from '../foundation/assert.ts';
import { checkKey, ownedAttribute } from './attributes.ts';
import type { Attributes, Key, Page, Panda, QueryOptions, Row, SortRange, Write } from './panda.ts';
import { encodeAttributes } from './row-encoding.ts';
import { soundRow } from './rows/row-reader.ts';
import { isNotedDamaged, noteDamagedFile } from './sqlite-damage.ts';
import { commitError, isBusy, isDamage, isFull, pandaCorrupt, sqliteCode, sqliteError } from './sqlite-errors.ts';
import { cutLog, type MakeRoom, openSqliteFile } from './sqlite-file.ts';
import { pageOf, prepareStatements, rowOf, type Statements } from './sqlite-rows.ts';
import {
  applied,
  checkConditions,
  checkGetMany,
  checkQuery,
  checkTransaction,
  PAGE_ROWS_MAX,
  readsRow,
} from './transaction.ts';

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
}

/**
 * The writes of one call of transact, safe from later changes by the caller: puts are encoded when the call is made.
 */
interface KeptWrites {
  readonly writes: readonly Write[];
  /** By index of the write; only puts have one. */
  readonly texts: readonly (string | undefined)[];
}

/** One call of transact, waiting for its COMMIT. */
interface Pending extends KeptWrites {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

const BUSY_TIMEOUT_MS = 5000;
/** SQLite waits for a lock by sleeping, which stops the whole process: so it waits in short attempts. */
const ATTEMPT_MS = 100;
/** At most so many writes share a COMMIT: the process answers nothing else meanwhile. */
const WRITES_PER_COMMIT = 2000;
/** On a disk that was full: every write is a page or more in the log first. */
const WRITES_PER_COMMIT_SHORT = 100;

export class SqlitePanda implements Panda {
  readonly path: string;
  readonly #database: DatabaseSync;
  readonly #statements: Statements;
  readonly #attempts: number;
  readonly #makeRoom: MakeRoom | undefined;
  #writesPerCommit = WRITES_PER_COMMIT;
  #pending: Pending[] = [];
  /** The flush that will commit what is pending now. */
  #flush: Promise<void> | undefined;
  #closed = false;

  private constructor(path: string, database: DatabaseSync, attempts: number, makeRoom: MakeRoom | undefined) {
    this.path = path;
    this.#database = database;
    this.#attempts = attempts;
    this.#makeRoom = makeRoom;
    this.#statements = prepareStatements(database);
  }

  /**
   * Throws `invalid` PANDA_VERSION (a foreign or newer file), `missing` PANDA_MISSING, `denied` PANDA_DENIED, `corrupt`
   * PANDA_CORRUPT.
   */
  static async open(path: string, options: SqlitePandaOptions = {}): Promise<SqlitePanda> {
    const timeoutMs = options.busyTimeoutMs ?? BUSY_TIMEOUT_MS;
    const attemptMs = Math.min(ATTEMPT_MS, timeoutMs);
    const database = openSqliteFile(path, { ...options, openTimeoutMs: timeoutMs, attemptMs });
    return new SqlitePanda(path, database, Math.ceil(timeoutMs / Math.max(1, attemptMs)), options.makeRoom);
  }

  async get(key: Key): Promise<Row | undefined> {
    checkKey(key);
    return this.#guarded(() => this.#row(key));
  }

  async getMany(keys: readonly Key[]): Promise<(Row | undefined)[]> {
    checkGetMany(keys);
    return this.#guarded(() => keys.map((key) => this.#row(key)));
  }

  async query(partition: string, range: SortRange = {}, options: QueryOptions = {}): Promise<Page> {
    const limit = checkQuery(partition, range, options);
    const from = range.from ?? '';
    const { from: rest, fromTo } = this.#statements;
    return this.#guarded(() => {
      const found =
        range.to === undefined
          ? rest.iterate(partition, from, limit + 1)
          : fromTo.iterate(partition, from, range.to, limit + 1);
      return pageOf(found, limit);
    });
  }

  transact(writes: readonly Write[]): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    try {
      assert(!this.#closed, 'this Panda is closed');
      checkTransaction(writes);
      this.#pending.push({ ...keptApart(writes), resolve, reject });
      this.#flush ??= new Promise<void>((done) => setImmediate(done)).then(() => this.#commitPending());
    } catch (error) {
      reject(error);
    }
    return promise;
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
    while (this.#flush !== undefined) await this.#flush;
    this.#closed = true;
    this.#database.close();
  }

  #row(key: Key): Row | undefined {
    const value = this.#value(key);
    if (value === undefined) return undefined;
    return soundRow(rowOf(key, value));
  }

  #value(key: Key): string | undefined {
    const found = this.#statements.get.get(key.partition, key.sort);
    return found === undefined ? undefined : (found['value'] as string);
  }

  #guarded<T>(read: () => T): T {
    assert(!this.#closed, 'this Panda is closed');
    try {
      return read();
    } catch (error) {
      this.#learnDamage(error);
      throw sqliteError(error, this.path);
    }
  }

  /** From then on no process writes to it. */
  #learnDamage(error: unknown): void {
    if (isDamage(error)) noteDamagedFile(this.path);
  }

  async #commitPending(): Promise<void> {
    try {
      while (this.#pending.length > 0) {
        const batch = takeBatch(this.#pending, this.#writesPerCommit);
        if (await this.#begun(batch)) this.#commit(batch);
        if (this.#pending.length > 0) await new Promise((done) => setImmediate(done));
      }
    } finally {
      this.#flush = undefined;
    }
  }

  /** Gets the write lock; false after rejecting the batch. */
  async #begun(batch: readonly Pending[]): Promise<boolean> {
    if (isNotedDamaged(this.path)) {
      for (const pending of batch) pending.reject(pandaCorrupt(this.path));
      return false;
    }
    for (let attempt = 1; ; attempt++) {
      try {
        this.#statements.begin.run();
        return true;
      } catch (error) {
        if (!isBusy(error) || attempt >= this.#attempts) {
          this.#learnDamage(error);
          for (const pending of batch) pending.reject(sqliteError(error, this.path));
          return false;
        }
        await new Promise((done) => setImmediate(done));
      }
    }
  }

  /**
   * Runs a batch in the open SQLite transaction and settles all of it after the COMMIT: conflicts too, as they may stem
   * from a transaction of the same batch.
   */
  #commit(batch: readonly Pending[]): void {
    const refused = new Map<Pending, unknown>();
    try {
      for (const pending of batch) {
        const texts = this.#decided(pending, refused);
        for (const [index, write] of pending.writes.entries()) {
          if (texts !== undefined && write.kind !== 'check') this.#store(write, texts[index]);
        }
      }
    } catch (error) {
      this.#learnDamage(error);
      this.#rollBack();
      this.#rejectOrAgain(batch, error, sqliteError(error, this.path));
      return;
    }
    try {
      this.#statements.commit.run();
    } catch (error) {
      this.#learnDamage(error);
      this.#rejectOrAgain(batch, error, commitError(error, this.path, this.#rollBack()));
      return;
    }
    for (const pending of batch) {
      if (refused.has(pending)) pending.reject(refused.get(pending));
      else pending.resolve();
    }
  }

  /**
   * Nothing of the batch was written. Where the log or whoever keeps a reserve makes room for it, it comes again, in
   * smaller parts.
   */
  #rejectOrAgain(batch: readonly Pending[], error: unknown, reported: unknown): void {
    if (isFull(error, () => true) && (cutLog(this.#database, this.path) || this.#makeRoom?.('write') === true)) {
      this.#writesPerCommit = WRITES_PER_COMMIT_SHORT;
      this.#pending.unshift(...batch);
      return;
    }
    for (const pending of batch) pending.reject(reported);
  }

  /**
   * What the rows of one transaction become, seeing those before it in the batch; undefined if it is refused. Nothing
   * of it is written before all of it is decided, which is what makes it all or nothing without a savepoint.
   */
  #decided(pending: Pending, refused: Map<Pending, unknown>): (string | undefined)[] | undefined {
    const { writes, texts } = pending;
    try {
      const before = writes.map((write) => (readsRow(write) ? this.#row(write)?.attributes : undefined));
      checkConditions(writes, before);
      return writes.map((write, index) => {
        if (write.kind !== 'update') return texts[index];
        return encodeAttributes(applied(write, before[index]) as Attributes);
      });
    } catch (error) {
      if (sqliteCode(error) !== undefined) throw error;
      refused.set(pending, error);
      return undefined;
    }
  }

  #store(key: Key, text: string | undefined): void {
    const { put, delete: remove } = this.#statements;
    if (text === undefined) remove.run(key.partition, key.sort);
    else put.run(key.partition, key.sort, text);
  }

  #rollBack(): boolean {
    try {
      if (this.#database.isTransaction) this.#statements.rollback.run();
      return true;
    } catch {
      return false;
    }
  }
}

function keptApart(writes: readonly Write[]): KeptWrites {
  const texts = writes.map((write) => (write.kind === 'put' ? encodeAttributes(write.attributes) : undefined));
  const kept = writes.map((write): Write => {
    if (write.kind !== 'update' || write.set === undefined) return write;
    const set = Object.entries(write.set).map(([name, value]) => [name, ownedAttribute(value) ?? new Set<string>()]);
    return { ...write, set: Object.fromEntries(set) };
  });
  return { writes: kept, texts };
}

/** The next transactions to share a COMMIT, taken out of `pending`; at least one. */
function takeBatch(pending: Pending[], writesMax: number): Pending[] {
  let writes = 0;
  let count = 0;
  while (count < pending.length && (count === 0 || writes < writesMax)) {
    writes += pending[count]?.writes.length ?? 0;
    count += 1;
  }
  return pending.splice(0, count);
}
