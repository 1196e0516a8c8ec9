// SQLite's log: while somebody reads one moment of it all that is written stays in it, and then it is short again. And
// what connections beside the one that writes keep of its pages.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, it, vi } from 'vitest';
import { LOG_BYTES_KEPT, SQLITE_CACHE_KIB, SQLITE_CACHE_KIB_BESIDE_THREAD } from '../../lib/limits/panda.ts';
import { openSqliteFile } from '../../lib/panda/sqlite/sqlite-file.ts';
import { SqliteJournal } from '../../lib/panda/sqlite/sqlite-journal.ts';
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

it('who reads the journal keeps few pages in memory, as does who notes what was shipped', async () => {
  const path = join(temporaryFolder(), 'panda.sqlite');
  const asked = vi.spyOn(DatabaseSync.prototype, 'exec');
  const cacheKib = (): number | undefined => {
    const sizes = asked.mock.calls.map(([sql]) => /^PRAGMA cache_size = -(\d+)$/.exec(sql)?.[1]);
    asked.mockClear();
    return Number(sizes.filter((size) => size !== undefined).at(-1));
  };
  openSqliteFile(path, OPENED).close();
  expect(cacheKib()).toBe(SQLITE_CACHE_KIB);
  const journal = new SqliteJournal(path);
  (await journal.look()).close();
  expect(cacheKib()).toBe(SQLITE_CACHE_KIB_BESIDE_THREAD);
  await journal.endTending('nobody');
  expect(cacheKib()).toBe(SQLITE_CACHE_KIB_BESIDE_THREAD);
  journal.close();
  asked.mockRestore();
});
