// Values of the SQLite file: text of a release before is read and becomes bytes where it is written; a flipped bit is found.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, describe, expect, it } from 'vitest';
import { encodeAttributes } from '../../lib/panda/row-encoding.ts';
import { APPLICATION_ID, SCHEMA_VERSION } from '../../lib/panda/sqlite/sqlite-file.ts';
import { SqlitePanda } from '../../lib/panda/sqlite/sqlite-panda.ts';
import { flipThrough } from './sqlite-flips.ts';

const folder = mkdtempSync(join(tmpdir(), 'panda-bytes-'));
afterAll(() => rmSync(folder, { recursive: true }));
const coded = (kind: string, code: string) => expect.objectContaining({ kind, code });

function withFile<T>(path: string, use: (database: DatabaseSync) => T): T {
  const database = new DatabaseSync(path);
  try {
    return use(database);
  } finally {
    database.close();
  }
}
const versionOf = (path: string) =>
  withFile(path, (database) => database.prepare('PRAGMA user_version').get()?.['user_version']);
const kindsOf = (path: string) =>
  withFile(path, (database) =>
    database.prepare('SELECT sort, typeof(value) AS kind FROM rows ORDER BY sort').all(),
  ).map(({ sort, kind }) => `${sort} ${kind}`);

/** As a release that knows version 1 leaves it. */
function versionOne(name: string): string {
  const path = join(folder, name);
  withFile(path, (database) => {
    database.exec('PRAGMA journal_mode = WAL');
    database.exec(`CREATE TABLE rows (partition TEXT NOT NULL COLLATE BINARY, sort TEXT NOT NULL COLLATE BINARY,
      value TEXT NOT NULL, PRIMARY KEY (partition, sort)) WITHOUT ROWID`);
    database.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
    database.exec('PRAGMA user_version = 1');
    const put = database.prepare('INSERT INTO rows VALUES (?, ?, ?)');
    for (const sort of ['a', 'b', 'c']) put.run('p', sort, encodeAttributes({ n: 1, r: new Uint8Array([1, 2]), sort }));
  });
  return path;
}

describe('a file of version 1', () => {
  it('is read as it is, and stays what it is as long as nobody writes', async () => {
    const path = versionOne('read');
    const panda = await SqlitePanda.open(path, { create: false });
    const rows = (await panda.query('p')).rows.map(({ attributes }) => attributes);
    expect(rows).toEqual(['a', 'b', 'c'].map((sort) => ({ n: 1, r: new Uint8Array([1, 2]), sort })));
    await panda.close();
    expect(versionOf(path)).toBe(1);
  });

  it('becomes the next with the first commit, and each row bytes where it is written', async () => {
    const path = versionOne('written');
    const panda = await SqlitePanda.open(path, { create: false });
    await panda.transact([
      { kind: 'update', partition: 'p', sort: 'b', add: { n: 1 }, if: [{ attribute: 'n', equals: 1 }] },
      { kind: 'put', partition: 'p', sort: 'd', attributes: { n: 4 } },
    ]);
    expect((await panda.get({ partition: 'p', sort: 'b' }))?.attributes).toMatchObject({ n: 2, sort: 'b' });
    expect((await panda.query('p')).rows.map(({ attributes }) => attributes['n'])).toEqual([1, 2, 1, 4]);
    await panda.close();
    expect(versionOf(path)).toBe(SCHEMA_VERSION);
    expect(kindsOf(path)).toEqual(['a text', 'b blob', 'c text', 'd blob']);
  });

  it('a newer version is refused', async () => {
    const path = versionOne('newer');
    withFile(path, (database) => database.exec(`PRAGMA user_version = ${SCHEMA_VERSION + 1}`));
    await expect(SqlitePanda.open(path)).rejects.toEqual(coded('invalid', 'PANDA_VERSION'));
  });
});

describe('a row with a checksum', () => {
  it('that changed is named where it is read, by key', async () => {
    const path = join(folder, 'flipped');
    const panda = await SqlitePanda.open(path);
    await panda.transact([{ kind: 'put', partition: 'p', sort: 'key-of-it', attributes: { w: new Uint8Array(60) } }]);
    withFile(path, (database) => {
      const value = database.prepare('SELECT value FROM rows').get()?.['value'] as Uint8Array;
      value[30] = 1;
      database.prepare('UPDATE rows SET value = ?').run(value);
    });
    const read = panda.get({ partition: 'p', sort: 'key-of-it' });
    await expect(read).rejects.toEqual(coded('corrupt', 'ROW_DAMAGED'));
    await expect(read).rejects.toThrow(/"key-of-it" of p/);
    await panda.close();
  });

  it('a bit flipped anywhere in the file changes no row unseen', async () => {
    const { missed, flips, named } = await flipThrough(149);
    expect(missed).toEqual([]);
    expect(named).toBeGreaterThan(flips / 5);
  });
});
