// The table of rows in SQLite: its statements, and rows out of what they find. A row whose text cannot be understood is
// marked as damaged in lists, so that it is in the way of no other, and refused where it is asked for.
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { isPocketfulError } from '../foundation/errors.ts';
import { PAGE_BYTES_MAX } from '../limits/panda.ts';
import type { Key, Page, Row } from './panda.ts';
import { decodeAttributes } from './row-encoding.ts';
import { soundRow } from './rows/row-reader.ts';

export interface Statements {
  readonly get: StatementSync;
  readonly put: StatementSync;
  readonly delete: StatementSync;
  readonly from: StatementSync;
  readonly fromTo: StatementSync;
  readonly scan: StatementSync;
  readonly begin: StatementSync;
  readonly commit: StatementSync;
  readonly rollback: StatementSync;
}

export function prepareStatements(database: DatabaseSync): Statements {
  const row = 'SELECT partition, sort, value FROM rows';
  return {
    get: database.prepare('SELECT value FROM rows WHERE partition = ? AND sort = ?'),
    put: database.prepare(
      'INSERT INTO rows VALUES (?, ?, ?) ON CONFLICT (partition, sort) DO UPDATE SET value = excluded.value',
    ),
    delete: database.prepare('DELETE FROM rows WHERE partition = ? AND sort = ?'),
    from: database.prepare(`${row} WHERE partition = ? AND sort >= ? ORDER BY sort LIMIT ?`),
    fromTo: database.prepare(`${row} WHERE partition = ? AND sort >= ? AND sort <= ? ORDER BY sort LIMIT ?`),
    scan: database.prepare(`${row} WHERE (partition, sort) > (?, ?) ORDER BY partition, sort LIMIT ?`),
    begin: database.prepare('BEGIN IMMEDIATE'),
    commit: database.prepare('COMMIT'),
    rollback: database.prepare('ROLLBACK'),
  };
}

function rowOf({ partition, sort }: Key, value: string): Row {
  try {
    return { partition, sort, attributes: decodeAttributes(value) };
  } catch (error) {
    if (!isPocketfulError(error)) throw error;
    return { partition, sort, attributes: {}, damaged: error.message };
  }
}

/** The row of a key. Throws `corrupt` ROW_MALFORMED if its text cannot be understood. */
export function rowAt(statements: Statements, { partition, sort }: Key): Row | undefined {
  const found = statements.get.get(partition, sort);
  return found === undefined ? undefined : soundRow(rowOf({ partition, sort }, found['value'] as string));
}

/** A page from rows of which one more than `limit` was asked for, ended early where it grows too large. */
export function pageOf(found: Iterable<Record<string, unknown>>, limit: number): Page {
  const rows: Row[] = [];
  let characters = 0;
  for (const { partition, sort, value } of found as Iterable<{ partition: string; sort: string; value: string }>) {
    if (rows.length === limit || characters >= PAGE_BYTES_MAX) return { rows, next: sort };
    characters += value.length;
    rows.push(rowOf({ partition, sort }, value));
  }
  return { rows };
}
