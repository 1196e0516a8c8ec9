// The table of rows in SQLite: its statements, and rows out of what they find. A value is bytes with a checksum, or
// text as releases before wrote it. A row whose value is damaged is marked as such in lists, so that it is in nobody's
// way, and refused where it is asked for.
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { corrupt, isPocketfulError } from '../../foundation/errors.ts';
import { PAGE_BYTES_MAX, SHORT_VALUE_BYTES_MAX } from '../../limits/panda.ts';
import type { Attributes, Key, Page, Row, SortRange } from '../panda.ts';
import { decodeAttributes } from '../row-encoding.ts';
import { soundRow } from '../rows/row-reader.ts';
import { attributesOfBytes } from './read-row-bytes.ts';

export interface Statements {
  readonly get: StatementSync;
  readonly put: StatementSync;
  readonly delete: StatementSync;
  readonly from: StatementSync;
  readonly fromTo: StatementSync;
  /** Sort keys and values of a range as arrays; what is no short value is null. */
  readonly short: StatementSync;
  readonly scan: StatementSync;
  readonly begin: StatementSync;
  readonly beginRead: StatementSync;
  readonly commit: StatementSync;
  readonly rollback: StatementSync;
  readonly version: StatementSync;
}

export function prepareStatements(database: DatabaseSync): Statements {
  // A flipped bit may make any type of a value, and a number too large to be read at all.
  const value = `CASE WHEN typeof(value) IN ('blob', 'text') THEN value END AS value`;
  const row = `SELECT CAST(partition AS TEXT) AS partition, CAST(sort AS TEXT) AS sort, ${value} FROM rows`;
  const short = database.prepare(
    `SELECT CAST(sort AS TEXT), CASE WHEN typeof(value) = 'blob' AND octet_length(value) <= ${SHORT_VALUE_BYTES_MAX} THEN value END FROM rows WHERE partition = ? AND sort >= ? AND sort <= ? ORDER BY sort LIMIT ?`,
  );
  short.setReturnArrays(true);
  return {
    short,
    get: database.prepare(`SELECT ${value} FROM rows WHERE partition = ? AND sort = ?`),
    put: database.prepare(
      'INSERT INTO rows VALUES (?, ?, ?) ON CONFLICT (partition, sort) DO UPDATE SET value = excluded.value',
    ),
    delete: database.prepare('DELETE FROM rows WHERE partition = ? AND sort = ?'),
    from: database.prepare(`${row} WHERE rows.partition = ? AND rows.sort >= ? ORDER BY rows.sort LIMIT ?`),
    fromTo: database.prepare(
      `${row} WHERE rows.partition = ? AND rows.sort >= ? AND rows.sort <= ? ORDER BY rows.sort LIMIT ?`,
    ),
    scan: database.prepare(
      `${row} WHERE (rows.partition, rows.sort) > (?, ?) ORDER BY rows.partition, rows.sort LIMIT ?`,
    ),
    begin: database.prepare('BEGIN IMMEDIATE'),
    beginRead: database.prepare('BEGIN'),
    commit: database.prepare('COMMIT'),
    rollback: database.prepare('ROLLBACK'),
    version: database.prepare('SELECT user_version AS version FROM pragma_user_version'),
  };
}

export function rowOf(key: Key, value: unknown, only?: ReadonlySet<string>): Row {
  const { partition, sort } = key;
  try {
    return { partition, sort, attributes: attributesOf(key, value, only) };
  } catch (error) {
    if (!isPocketfulError(error)) throw error;
    return { partition, sort, attributes: {}, damaged: error.message };
  }
}

function attributesOf(key: Key, value: unknown, only: ReadonlySet<string> | undefined): Attributes {
  if (value instanceof Uint8Array) return attributesOfBytes(key, value, only);
  if (typeof value === 'string') return decodeAttributes(value);
  throw corrupt('ROW_MALFORMED', 'a stored row is damaged: neither bytes nor text');
}

export const soundRowOf = (key: Key, value: unknown): Row => soundRow(rowOf(key, value));

/** The row of a key. Throws `corrupt` ROW_DAMAGED if its value is damaged. */
export function rowAt(statements: Statements, { partition, sort }: Key): Row | undefined {
  const found = statements.get.get(partition, sort);
  return found === undefined ? undefined : soundRowOf({ partition, sort }, found['value']);
}

/** What is stored of keys (partition and sort key, one pair after the other). */
export function valuesAt(statements: Statements, keys: readonly string[]): unknown[] {
  const values: unknown[] = [];
  for (let at = 0; at < keys.length; at += 2)
    values.push(statements.get.get(keys[at] as string, keys[at + 1] as string)?.['value']);
  return values;
}

/** Outside of a transaction every statement locks and unlocks the file, which costs more than what it finds. */
export function inOneRead<T>(database: DatabaseSync, statements: Statements, read: () => T): T {
  if (database.isTransaction) return read();
  statements.beginRead.run();
  try {
    return read();
  } finally {
    // The end of a transaction that only read cannot fail but with the file.
    if (database.isTransaction) statements.commit.run();
  }
}

/** A page from rows of which one more than `limit` was asked for, ended early where it grows too large. */
export function pageOf(found: Iterable<Record<string, unknown>>, limit: number): Page {
  const rows: Row[] = [];
  let size = 0;
  for (const { partition, sort, value } of found as Iterable<{ partition: string; sort: string; value: unknown }>) {
    if (rows.length === limit || size >= PAGE_BYTES_MAX) return { rows, next: sort };
    size += value instanceof Uint8Array || typeof value === 'string' ? value.length : 0;
    rows.push(rowOf({ partition, sort }, value));
  }
  return { rows };
}

/** After every sort key there is. */
const LAST = '\u{10ffff}';

/**
 * A page of short values, read in one call: several times as fast as row by row. Undefined where one of them is not
 * short, or of a form of before.
 */
export function shortPage(
  { short }: Statements,
  partition: string,
  { from = '', to = LAST }: SortRange,
  limit: number,
  only: ReadonlySet<string>,
): Page | undefined {
  const found = short.all(partition, from, to, limit + 1) as unknown as readonly (readonly [string, unknown])[];
  const rows: Row[] = [];
  let size = 0;
  for (const [sort, value] of found) {
    if (!(value instanceof Uint8Array)) return undefined;
    if (rows.length === limit || size >= PAGE_BYTES_MAX) return { rows, next: sort };
    size += value.length;
    rows.push(rowOf({ partition, sort }, value, only));
  }
  return { rows };
}
