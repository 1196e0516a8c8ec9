// One COMMIT of a SqlitePanda: transactions that share it, each still all or nothing by itself. It runs where its
// connection is: on the main thread, or on one of its own (sqlite-commit-thread.ts).
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Attributes, Key, Write } from '../panda.ts';
import { applied, checkConditions, readsRow } from '../transaction.ts';
import { journalKeysOf } from './journal-keys.ts';
import { rowBytesOf } from './row-bytes.ts';
import { isNotedDamaged, learnDamage } from './sqlite-damage.ts';
import { commitError, isBusy, isFull, pandaCorrupt, sqliteCode, sqliteError } from './sqlite-errors.ts';
import { cutLog, JOURNAL_SCHEMA, SCHEMA_VERSION } from './sqlite-file.ts';
import { rowAt, type Statements } from './sqlite-rows.ts';

/** The writes of one transaction, safe from later changes by the caller: puts are encoded when it is asked for. */
export interface KeptWrites {
  readonly writes: readonly Write[];
  /** By index of the write; only puts have one. */
  readonly values: readonly (Uint8Array | undefined)[];
}

export interface BatchAnswer {
  /** By number of the transaction: why it was refused. All others were written, unless all failed. */
  readonly refused: ReadonlyMap<number, unknown>;
  /** Nothing was written, or (`unknown`) it may have been. */
  readonly failed?: BatchFailure;
}

export interface BatchFailure {
  readonly error: unknown;
  /** For want of room. Nothing was written. */
  readonly isFull: boolean;
  /** The log has given some back. */
  readonly hasRoom: boolean;
}

/** Where batches are committed, one after the other. */
export interface Committer {
  /** `nowMs` stamps it in the journal; undefined: what changes is not journalled, as nobody will ship it. */
  commit(batch: readonly KeptWrites[], nowMs: number | undefined): Promise<BatchAnswer>;
}

export interface BatchOptions {
  readonly path: string;
  readonly database: DatabaseSync;
  readonly statements: Statements;
  /** How often to try for the write lock, each time for the short while that SQLite may sleep. */
  readonly attempts: number;
}

const failed = (error: unknown): BatchAnswer => ({
  refused: new Map(),
  failed: { error, isFull: false, hasRoom: false },
});

export class BatchCommitter implements Committer {
  readonly #path: string;
  readonly #database: DatabaseSync;
  readonly #statements: Statements;
  readonly #attempts: number;
  #journal: StatementSync | undefined;
  /** The file is known to be of the newest version. */
  #isRaised = false;

  constructor({ path, database, statements, attempts }: BatchOptions) {
    this.#path = path;
    this.#database = database;
    this.#statements = statements;
    this.#attempts = attempts;
  }

  async commit(batch: readonly KeptWrites[], nowMs: number | undefined): Promise<BatchAnswer> {
    return (await this.#begun()) ?? this.#commit(batch, nowMs);
  }

  /** Gets the write lock; why not otherwise. */
  async #begun(): Promise<BatchAnswer | undefined> {
    if (isNotedDamaged(this.#path)) return failed(pandaCorrupt(this.#path));
    for (let attempt = 1; ; attempt++) {
      try {
        this.#statements.begin.run();
        return undefined;
      } catch (error) {
        if (!isBusy(error) || attempt >= this.#attempts) {
          learnDamage(this.#path, error);
          return failed(sqliteError(error, this.#path));
        }
        await new Promise((done) => setImmediate(done));
      }
    }
  }

  /**
   * Runs a batch in the open SQLite transaction. Nobody is told before the COMMIT, of a conflict neither: it may stem
   * from a transaction of the same batch.
   */
  #commit(batch: readonly KeptWrites[], nowMs: number | undefined): BatchAnswer {
    const refused = new Map<number, unknown>();
    try {
      this.#knowsJournal();
      this.#journalize(this.#written(batch, refused), nowMs);
    } catch (error) {
      learnDamage(this.#path, error);
      this.#rollBack();
      return this.#failure(error, sqliteError(error, this.#path));
    }
    try {
      this.#statements.commit.run();
    } catch (error) {
      learnDamage(this.#path, error);
      return this.#failure(error, commitError(error, this.#path, this.#rollBack()));
    }
    this.#isRaised = true;
    return { refused };
  }

  /** Before the first commit: a release that does not journal what it changes must refuse the file. */
  #knowsJournal(): void {
    if (this.#isRaised || this.#statements.version.get()?.['version'] === SCHEMA_VERSION) return;
    this.#database.exec(JOURNAL_SCHEMA);
    this.#database.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
  }

  /** Which rows were changed. */
  #written(batch: readonly KeptWrites[], refused: Map<number, unknown>): Key[] {
    const changed: Key[] = [];
    for (const [number, { writes, values }] of batch.entries()) {
      let decided: readonly (Uint8Array | undefined)[];
      try {
        decided = this.#decided(writes, values);
      } catch (error) {
        if (sqliteCode(error) !== undefined) throw error;
        refused.set(number, error);
        continue;
      }
      for (const [index, write] of writes.entries()) {
        if (write.kind === 'check') continue;
        this.#store(write, decided[index]);
        changed.push(write);
      }
    }
    return changed;
  }

  /** Which rows this commit changes. Their images are the rows themselves, for whoever ships them. */
  #journalize(changed: readonly Key[], nowMs: number | undefined): void {
    if (nowMs === undefined || changed.length === 0) return;
    this.#journal ??= this.#database.prepare('INSERT INTO journal VALUES (NULL, ?, randomblob(4), ?)');
    this.#journal.run(Math.trunc(nowMs), journalKeysOf(changed));
  }

  #failure(error: unknown, reported: unknown): BatchAnswer {
    if (!isFull(error, () => true)) return failed(reported);
    const hasRoom = cutLog(this.#database, this.#path);
    return { refused: new Map(), failed: { error: reported, isFull: true, hasRoom } };
  }

  /**
   * What the rows of one transaction become, seeing those before it in the batch. Throws if it is refused. Nothing of
   * it is written before all of it is decided, which is what makes it all or nothing without a savepoint.
   */
  #decided(writes: readonly Write[], values: readonly (Uint8Array | undefined)[]): readonly (Uint8Array | undefined)[] {
    const before = writes.map((write) => (readsRow(write) ? rowAt(this.#statements, write)?.attributes : undefined));
    checkConditions(writes, before);
    return writes.map((write, index) => {
      if (write.kind !== 'update') return values[index];
      return rowBytesOf(write, applied(write, before[index]) as Attributes);
    });
  }

  #store(key: Key, value: Uint8Array | undefined): void {
    const { put, delete: remove } = this.#statements;
    if (value === undefined) remove.run(key.partition, key.sort);
    else put.run(key.partition, key.sort, value);
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
