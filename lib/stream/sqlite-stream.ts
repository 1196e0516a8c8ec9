// A stream in a SQLite file: what an embedded store's processes hand work to each other by. It is not the truth, so a
// file that is lost only costs that messages are sent again.
import type { DatabaseSync } from 'node:sqlite';
import { assert, present } from '../foundation/assert.ts';
import type { Clock } from '../foundation/clock.ts';
import { corrupt, denied, invalid, retryLater } from '../foundation/errors.ts';
import { MESSAGE_BYTES_MAX, RECEIVES_MAX } from '../limits/bytes.ts';
import { SQLITE_BUSY_MS } from '../limits/panda.ts';
import type { DeadLetter, Delivery, Stream, StreamFigures } from './stream.ts';

/** "PKFS" in the header of the file. */
const APPLICATION_ID = 0x504b4653;
const VERSION = 1;
const DAMAGED = new Set([11, 26]); // SQLITE_CORRUPT, SQLITE_NOTADB
const NO_ACCESS = new Set([3, 8, 14, 23]); // PERM, READONLY, CANTOPEN, AUTH
const SCHEMA = `CREATE TABLE messages (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  body TEXT NOT NULL,
  sent INTEGER NOT NULL,
  visible INTEGER NOT NULL,
  receives INTEGER NOT NULL DEFAULT 0,
  receipt TEXT,
  dead INTEGER NOT NULL DEFAULT 0
); CREATE INDEX by_visible ON messages (dead, visible)`;

interface MessageRow {
  readonly id: number;
  readonly body: string;
  readonly receives: number;
}

export class SqliteStream implements Stream {
  readonly #database: DatabaseSync;
  readonly #clock: Clock;
  readonly #receivesMax: number;
  readonly #path: string;

  private constructor(database: DatabaseSync, path: string, clock: Clock, receivesMax: number) {
    this.#database = database;
    this.#path = path;
    this.#clock = clock;
    this.#receivesMax = receivesMax;
  }

  /** Makes the file if there is none. Throws `invalid` STREAM_VERSION for a file that is not ours or is newer. */
  static open(path: string, clock: Clock, receivesMax = RECEIVES_MAX): SqliteStream {
    const { DatabaseSync } = present(process.getBuiltinModule('node:sqlite'), 'Node 24 has node:sqlite');
    let database: DatabaseSync | undefined;
    try {
      database = new DatabaseSync(path, { timeout: SQLITE_BUSY_MS });
      const stream = new SqliteStream(database, path, clock, receivesMax);
      database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
      stream.#atomically(() => stream.#prepare());
      return stream;
    } catch (error) {
      if (database?.isOpen) database.close();
      throw streamError(error, path);
    }
  }

  async send(bodies: readonly string[]): Promise<void> {
    for (const body of bodies) assert(Buffer.byteLength(body) <= MESSAGE_BYTES_MAX, 'a message is short');
    const nowMs = this.#clock.nowMs();
    this.#atomically(() => {
      const insert = this.#database.prepare('INSERT INTO messages (body, sent, visible) VALUES (?, ?, ?)');
      for (const body of bodies) insert.run(body, nowMs, nowMs);
    });
  }

  async receive(max: number, visibilityMs: number): Promise<Delivery[]> {
    const nowMs = this.#clock.nowMs();
    return this.#atomically(() => {
      this.#database
        .prepare('UPDATE messages SET dead = 1 WHERE dead = 0 AND visible <= ? AND receives >= ?')
        .run(nowMs, this.#receivesMax);
      const rows = this.#database
        .prepare('SELECT id, body, receives FROM messages WHERE dead = 0 AND visible <= ? ORDER BY id LIMIT ?')
        .all(nowMs, max) as unknown as MessageRow[];
      const take = this.#database.prepare('UPDATE messages SET receives = ?, visible = ?, receipt = ? WHERE id = ?');
      return rows.map(({ id, body, receives }) => {
        const receipt = `${id}/${receives + 1}`;
        take.run(receives + 1, nowMs + visibilityMs, receipt, id);
        return { id: String(id), body, receipt, receives: receives + 1 };
      });
    });
  }

  async ack(receipts: readonly string[]): Promise<void> {
    this.#atomically(() => {
      const remove = this.#database.prepare('DELETE FROM messages WHERE id = ? AND receipt = ? AND dead = 0');
      for (const receipt of receipts) remove.run(idOf(receipt), receipt);
    });
  }

  async release(receipts: readonly string[]): Promise<void> {
    const nowMs = this.#clock.nowMs();
    this.#atomically(() => {
      const back = this.#database.prepare(
        'UPDATE messages SET visible = ?, receipt = NULL WHERE id = ? AND receipt = ? AND dead = 0',
      );
      for (const receipt of receipts) back.run(nowMs, idOf(receipt), receipt);
    });
  }

  async figures(): Promise<StreamFigures> {
    const nowMs = this.#clock.nowMs();
    const row = this.#atomically(() =>
      this.#database
        .prepare(
          `SELECT count(*) FILTER (WHERE dead = 0 AND visible <= ?) AS ready,
                  count(*) FILTER (WHERE dead = 0 AND visible > ?) AS inFlight,
                  min(sent) FILTER (WHERE dead = 0) AS oldest, count(*) FILTER (WHERE dead = 1) AS dead FROM messages`,
        )
        .get(nowMs, nowMs),
    ) as { ready: number; inFlight: number; oldest: number | null; dead: number };
    const oldestAgeMs = row.oldest === null ? 0 : Math.max(0, nowMs - row.oldest);
    return { ready: row.ready, inFlight: row.inFlight, oldestAgeMs, dead: row.dead };
  }

  async dead(max: number): Promise<DeadLetter[]> {
    const rows = this.#atomically(() =>
      this.#database.prepare('SELECT id, body, receives FROM messages WHERE dead = 1 ORDER BY id LIMIT ?').all(max),
    ) as unknown as MessageRow[];
    return rows.map(({ id, body, receives }) => ({ id: String(id), body, receives }));
  }

  async redrive(ids?: readonly string[]): Promise<number> {
    const nowMs = this.#clock.nowMs();
    const update = 'UPDATE messages SET dead = 0, receives = 0, receipt = NULL, sent = ?, visible = ? WHERE dead = 1';
    return this.#atomically(() => {
      if (ids === undefined) return Number(this.#database.prepare(update).run(nowMs, nowMs).changes);
      const one = this.#database.prepare(`${update} AND id = ?`);
      return ids.reduce((count, id) => count + Number(one.run(nowMs, nowMs, idOf(id)).changes), 0);
    });
  }

  async drop(ids: readonly string[]): Promise<number> {
    return this.#atomically(() => {
      const one = this.#database.prepare('DELETE FROM messages WHERE dead = 1 AND id = ?');
      return ids.reduce((count, id) => count + Number(one.run(idOf(id)).changes), 0);
    });
  }

  async close(): Promise<void> {
    if (this.#database.isOpen) this.#database.close();
  }

  #prepare(): void {
    const pragma = (name: string): unknown => this.#database.prepare(`PRAGMA ${name}`).get()?.[name];
    const tables = this.#database.prepare('SELECT count(*) AS n FROM sqlite_schema').get()?.['n'];
    const application = pragma('application_id');
    if (application === 0 && tables === 0) {
      this.#database.exec(SCHEMA);
      this.#database.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${VERSION}`);
    } else if (application !== APPLICATION_ID || pragma('user_version') !== VERSION)
      throw invalid('STREAM_VERSION', `${this.#path} is not a stream this program knows (format ${VERSION})`);
  }

  #atomically<T>(work: () => T): T {
    try {
      this.#database.exec('BEGIN IMMEDIATE');
      const result = work();
      this.#database.exec('COMMIT');
      return result;
    } catch (error) {
      if (this.#database.isOpen && this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw streamError(error, this.#path);
    }
  }
}

const idOf = (receipt: string): number => Number.parseInt(receipt, 10) || 0;

function streamError(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return error;
  if (NO_ACCESS.has(error.errcode & 0xff))
    return denied('STREAM_DENIED', `no permission to open or write the stream ${path}`, error);
  if (DAMAGED.has(error.errcode & 0xff))
    return corrupt(
      'STREAM_CORRUPT',
      `${path} is not a stream, or a damaged one: move it away; what it held is sent again`,
      error,
    );
  return retryLater('STREAM_BUSY', `the stream ${path} cannot be used now: ${error.message}`, error);
}
