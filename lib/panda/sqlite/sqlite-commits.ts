// The transactions of a SqlitePanda. Every COMMIT is an fsync, so those that are pending together share one (group
// commit): each is still all or nothing by itself, has its own answer, and none resolves before the COMMIT.
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { WRITES_PER_COMMIT, WRITES_PER_COMMIT_SHORT } from '../../limits/panda.ts';
import { ownedAttribute } from '../attributes.ts';
import type { Attributes, Key, Write } from '../panda.ts';
import { applied, checkConditions, readsRow } from '../transaction.ts';
import { journalKeysOf } from './journal-keys.ts';
import { rowBytesOf } from './row-bytes.ts';
import { isNotedDamaged, learnDamage } from './sqlite-damage.ts';
import { commitError, isBusy, isFull, pandaCorrupt, sqliteCode, sqliteError } from './sqlite-errors.ts';
import { cutLog, JOURNAL_SCHEMA, type MakeRoom, SCHEMA_VERSION } from './sqlite-file.ts';
import { rowAt, type Statements } from './sqlite-rows.ts';

/**
 * The writes of one call of transact, safe from later changes by the caller: puts are encoded when the call is made.
 */
interface KeptWrites {
  readonly writes: readonly Write[];
  /** By index of the write; only puts have one. */
  readonly values: readonly (Uint8Array | undefined)[];
}

/** One call of transact, waiting for its COMMIT. */
interface Pending extends KeptWrites {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export interface GroupCommitOptions {
  readonly path: string;
  readonly database: DatabaseSync;
  readonly statements: Statements;
  /** How often to try for the write lock, each time for the short while that SQLite may sleep. */
  readonly attempts: number;
  readonly makeRoom?: MakeRoom | undefined;
  /** Stamps commits in the journal; undefined: what changes is not journalled, as nobody will ship it. */
  readonly nowMs: (() => number) | undefined;
}

export class GroupCommit {
  readonly #path: string;
  readonly #database: DatabaseSync;
  readonly #statements: Statements;
  readonly #attempts: number;
  readonly #makeRoom: MakeRoom | undefined;
  readonly #nowMs: (() => number) | undefined;
  #journal: StatementSync | undefined;
  #writesPerCommit = WRITES_PER_COMMIT;
  /** The file is known to be of the newest version. */
  #isRaised = false;
  #pending: Pending[] = [];
  /** The flush that will commit what is pending now. */
  #flush: Promise<void> | undefined;

  constructor({ path, database, statements, attempts, makeRoom, nowMs }: GroupCommitOptions) {
    this.#path = path;
    this.#database = database;
    this.#statements = statements;
    this.#attempts = attempts;
    this.#makeRoom = makeRoom;
    this.#nowMs = nowMs;
  }

  /** `writes` are checked ones. Resolves when they are durable; what the caller changes later does not reach them. */
  add(writes: readonly Write[]): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#pending.push({ ...keptApart(writes), resolve, reject });
    this.#flush ??= new Promise<void>((done) => setImmediate(done)).then(() => this.#commitPending());
    return promise;
  }

  /** Waits for what is pending. */
  async settled(): Promise<void> {
    while (this.#flush !== undefined) await this.#flush;
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
    if (isNotedDamaged(this.#path)) {
      for (const pending of batch) pending.reject(pandaCorrupt(this.#path));
      return false;
    }
    for (let attempt = 1; ; attempt++) {
      try {
        this.#statements.begin.run();
        return true;
      } catch (error) {
        if (!isBusy(error) || attempt >= this.#attempts) {
          learnDamage(this.#path, error);
          for (const pending of batch) pending.reject(sqliteError(error, this.#path));
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
    const changed: Key[] = [];
    try {
      this.#knowsJournal();
      for (const pending of batch) {
        const values = this.#decided(pending, refused);
        for (const [index, write] of pending.writes.entries()) {
          if (values === undefined || write.kind === 'check') continue;
          this.#store(write, values[index]);
          changed.push(write);
        }
      }
      this.#journalize(changed);
    } catch (error) {
      learnDamage(this.#path, error);
      this.#rollBack();
      this.#rejectOrAgain(batch, error, sqliteError(error, this.#path));
      return;
    }
    try {
      this.#statements.commit.run();
    } catch (error) {
      learnDamage(this.#path, error);
      this.#rejectOrAgain(batch, error, commitError(error, this.#path, this.#rollBack()));
      return;
    }
    this.#isRaised = true;
    for (const pending of batch) {
      if (refused.has(pending)) pending.reject(refused.get(pending));
      else pending.resolve();
    }
  }

  /** Before the first commit: a release that does not journal what it changes must refuse the file. */
  #knowsJournal(): void {
    if (this.#isRaised || this.#statements.version.get()?.['version'] === SCHEMA_VERSION) return;
    this.#database.exec(JOURNAL_SCHEMA);
    this.#database.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
  }

  /** Which rows this commit changes. Their images are the rows themselves, for whoever ships them. */
  #journalize(changed: readonly Key[]): void {
    if (this.#nowMs === undefined || changed.length === 0) return;
    this.#journal ??= this.#database.prepare('INSERT INTO journal VALUES (NULL, ?, randomblob(4), ?)');
    this.#journal.run(Math.trunc(this.#nowMs()), journalKeysOf(changed));
  }

  /**
   * Nothing of the batch was written. Where the log or whoever keeps a reserve makes room for it, it comes again, in
   * smaller parts.
   */
  #rejectOrAgain(batch: readonly Pending[], error: unknown, reported: unknown): void {
    if (isFull(error, () => true) && (cutLog(this.#database, this.#path) || this.#makeRoom?.('write') === true)) {
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
  #decided(pending: Pending, refused: Map<Pending, unknown>): (Uint8Array | undefined)[] | undefined {
    const { writes, values } = pending;
    try {
      const before = writes.map((write) => (readsRow(write) ? rowAt(this.#statements, write)?.attributes : undefined));
      checkConditions(writes, before);
      return writes.map((write, index) => {
        if (write.kind !== 'update') return values[index];
        return rowBytesOf(write, applied(write, before[index]) as Attributes);
      });
    } catch (error) {
      if (sqliteCode(error) !== undefined) throw error;
      refused.set(pending, error);
      return undefined;
    }
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

function keptApart(writes: readonly Write[]): KeptWrites {
  const values = writes.map((write) => (write.kind === 'put' ? rowBytesOf(write, write.attributes) : undefined));
  const kept = writes.map((write): Write => {
    if (write.kind !== 'update' || write.set === undefined) return write;
    const set = Object.entries(write.set).map(([name, value]) => [name, ownedAttribute(value) ?? new Set<string>()]);
    return { ...write, set: Object.fromEntries(set) };
  });
  return { writes: kept, values };
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
