// SQLite's log: while somebody reads one moment of it all that is written stays in it, and then it is short again.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { LOG_BYTES_KEPT } from '../../lib/limits/panda.ts';
import { openSqliteFile } from '../../lib/panda/sqlite/sqlite-file.ts';
import { temporaryFolder } from '../cli/temporary-folder.ts';

const MIB = 1024 * 1024;
const OPENED = { openTimeoutMs: 1000, attemptMs: 100 };

it('the log gives back what it took while a reader stood in its way', () => {
  const path = join(temporaryFolder(), 'panda.sqlite');
  const database = openSqliteFile(path, OPENED);
  const insert = database.prepare('INSERT INTO rows (partition, sort, value) VALUES (?, ?, ?)');
  const write = (sort: string, bytes: number): unknown => insert.run('p', sort, new Uint8Array(bytes));
  const logBytes = (): number => statSync(`${path}-wal`).size;
  write('first', MIB);
  const reader = openSqliteFile(path, { ...OPENED, isSnapshot: true });
  for (let i = 0; logBytes() < LOG_BYTES_KEPT + 4 * MIB; i++) write(`while it is read ${i}`, 2 * MIB);
  reader.close();
  for (let i = 0; i < 3; i++) write(`afterwards ${i}`, MIB);
  expect(logBytes()).toBeLessThanOrEqual(LOG_BYTES_KEPT);
  database.close();
});
