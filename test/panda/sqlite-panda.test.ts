// What only the SQLite body does: files, versions, locks, several processes, sudden death, and one COMMIT for many.
import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AssertionError } from '../../lib/foundation/assert.ts';
import type { Put, Row } from '../../lib/panda/panda.ts';
import { APPLICATION_ID, SCHEMA_VERSION } from '../../lib/panda/sqlite/sqlite-file.ts';
import { SqlitePanda, type SqlitePandaOptions } from '../../lib/panda/sqlite/sqlite-panda.ts';

const CHILD = fileURLToPath(new URL('sqlite-child.ts', import.meta.url));
const coded = (kind: string, code: string): object => expect.objectContaining({ name: 'PocketfulError', kind, code });
const put = (sort: string, n: number): Put => ({ kind: 'put', partition: 'p', sort, attributes: { n } });

let folder = '';
let path = '';
const opened: { close(): void | Promise<void> }[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'panda-'));
  path = join(folder, 'panda.db');
});
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
  rmSync(folder, { recursive: true });
});

/** Where COMMITs are made. */
const WAYS = [
  ['on the main thread', Number.POSITIVE_INFINITY],
  ['by a thread', 0],
] as const;
let threadAfterWrites: number = WAYS[0][1];

async function open(options: SqlitePandaOptions = {}): Promise<SqlitePanda> {
  const panda = await SqlitePanda.open(path, { threadAfterWrites, ...options });
  opened.push(panda);
  return panda;
}

/** A connection past Panda, as another program would have it. */
function raw(): DatabaseSync {
  const database = new DatabaseSync(path);
  opened.push({ close: () => (database.isOpen ? database.close() : undefined) });
  return database;
}

interface Ended {
  readonly out: string;
  readonly err: string;
  /** Exit code, or the signal that ended it. */
  readonly end: number | string | null;
}
function child(
  args: readonly string[],
  shell = '',
  flags = ['--disable-warning=ExperimentalWarning'],
): { process: ChildProcess; ended: Promise<Ended> } {
  const command = [process.execPath, ...flags, CHILD, ...args];
  const started = spawn('/bin/sh', ['-c', `${shell} exec "$@"`, 'sh', ...command], { env: { PATH: '/usr/bin:/bin' } });
  let out = '';
  let err = '';
  started.stdout.on('data', (data) => {
    out += data;
  });
  started.stderr.on('data', (data) => {
    err += data;
  });
  return {
    process: started,
    ended: new Promise((done) => started.on('close', (code, signal) => done({ out, err, end: signal ?? code }))),
  };
}

async function allRows(panda: SqlitePanda): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const page of panda.scan()) rows.push(...page);
  return rows;
}

/** Commits in the log: its frames that carry the size of the file after them (SQLite file format, 4.1). */
function commitsInLog(): number {
  const log = readFileSync(`${path}-wal`);
  let commits = 0;
  for (let at = 32; at + 24 <= log.length; at += 24 + 4096) if (log.readUInt32BE(at + 4) > 0) commits += 1;
  return commits;
}

describe.each(WAYS)('group commit, written %s', (_, after) => {
  beforeEach(() => {
    threadAfterWrites = after;
  });

  it('shares one COMMIT among all that is pending, and gives each its own answer', async () => {
    const panda = await open();
    await panda.transact([put('a', 1)]);
    const before = commitsInLog();
    const answers = await Promise.allSettled([
      panda.transact([put('b', 1), { ...put('c', 1), if: ['absent'] }]),
      panda.transact([put('d', 1), { ...put('a', 2), if: ['absent'] }]),
      panda.transact([{ kind: 'update', partition: 'p', sort: 'c', add: { n: 5 } }]),
      panda.transact([put('e', 1), { kind: 'update', partition: 'p', sort: 'c', insert: { n: ['not a set'] } }]),
      panda.transact([{ ...put('b', 9), if: ['absent'] }]),
    ]);
    expect(commitsInLog() - before).toBe(1);
    expect(answers.map((answer) => answer.status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
      'rejected',
      'rejected',
    ]);
    const reasons = answers.map((answer) => (answer.status === 'rejected' ? answer.reason : undefined));
    expect(reasons[1]).toMatchObject({ failed: [1] });
    expect(reasons[3]).toBeInstanceOf(AssertionError);
    expect(reasons[4]).toMatchObject({ failed: [0] });
    const left = (await panda.query('p')).rows.map((row) => [row.sort, row.attributes['n']]);
    expect(left).toEqual([
      ['a', 1],
      ['b', 1],
      ['c', 6],
    ]);
  });

  it('commits one by one what comes one by one', async () => {
    const panda = await open();
    const before = commitsInLog();
    for (let n = 0; n < 5; n++) await panda.transact([put('a', n)]);
    expect(commitsInLog() - before).toBe(5);
  });

  it('splits what is too much for one COMMIT, in the order asked', async () => {
    const panda = await open();
    const hundred = (n: number): Put[] => Array.from({ length: 100 }, (_, i) => put(String(i), n));
    await Promise.all(Array.from({ length: 50 }, (_, n) => panda.transact(hundred(n))));
    expect((await panda.query('p')).rows.every((row) => row.attributes['n'] === 49)).toBe(true);
  });

  it('does not see what the caller changes after the call', async () => {
    const panda = await open();
    const bytes = new Uint8Array([1]);
    const pending = [panda.transact([{ ...put('a', 1), attributes: { bytes } }, put('b', 1)])];
    pending.push(panda.transact([{ kind: 'update', partition: 'p', sort: 'b', set: { bytes } }]));
    bytes[0] = 2;
    await Promise.all(pending);
    const rows = (await panda.query('p')).rows.map((row) => row.attributes['bytes']);
    expect(rows).toEqual([new Uint8Array([1]), new Uint8Array([1])]);
  });

  it('keeps the rest of a group when a stored row is damaged', async () => {
    const panda = await open();
    await panda.transact([put('a', 1), put('b', 1)]);
    raw().exec(`UPDATE rows SET value = '[1,{"n":0.5}]' WHERE sort = 'a'`);
    const one = { kind: 'update', partition: 'p', add: { n: 1 } } as const;
    const answers = await Promise.allSettled([
      panda.transact([{ ...one, sort: 'a' }]),
      panda.transact([{ ...one, sort: 'b' }]),
    ]);
    expect(answers[0]).toMatchObject({ reason: coded('corrupt', 'ROW_DAMAGED') });
    expect(answers[1]?.status).toBe('fulfilled');
    await expect(panda.get({ partition: 'p', sort: 'a' })).rejects.toEqual(coded('corrupt', 'ROW_DAMAGED'));
    // In a list it is in nobody's way.
    const { rows } = await panda.query('p');
    expect(rows.map(({ sort, damaged }) => [sort, damaged !== undefined])).toEqual([
      ['a', true],
      ['b', false],
    ]);
    expect((await panda.get({ partition: 'p', sort: 'b' }))?.attributes).toEqual({ n: 2 });
  });
});

describe.each(WAYS)('the file, written %s', (_, after) => {
  beforeEach(() => {
    threadAfterWrites = after;
  });

  it('is for its owner only, and alone after a close', async () => {
    const panda = await open();
    await panda.transact([put('a', 1)]);
    for (const name of [path, `${path}-wal`]) expect(statSync(name).mode & 0o777).toBe(0o600);
    await panda.close();
    expect(statSync(`${path}-wal`, { throwIfNoEntry: false })).toBeUndefined();
  });

  it('waits on close for what is pending, and refuses all after it', async () => {
    const panda = await open();
    const pending = panda.transact([put('a', 1)]);
    await panda.close();
    await pending;
    await expect(panda.transact([put('b', 1)])).rejects.toBeInstanceOf(AssertionError);
    await expect(panda.get({ partition: 'p', sort: 'a' })).rejects.toBeInstanceOf(AssertionError);
    expect((await (await open()).query('p')).rows.length).toBe(1);
  });

  it('overwrites what is deleted', async () => {
    const panda = await open();
    const secret = 'a secret that must go';
    await panda.transact([{ ...put('a', 1), attributes: { secret } }, put('b', 1)]);
    await panda.transact([{ kind: 'delete', partition: 'p', sort: 'a' }]);
    await panda.close();
    expect(readFileSync(path).includes(secret)).toBe(false);
  });

  it('is missing when it must not be made, or when its folder is not there', async () => {
    await expect(open({ create: false })).rejects.toEqual(coded('missing', 'PANDA_MISSING'));
    expect(statSync(path, { throwIfNoEntry: false })).toBeUndefined();
    path = join(folder, 'nowhere', 'panda.db');
    await expect(open()).rejects.toEqual(coded('missing', 'PANDA_MISSING'));
  });

  it('is refused when it is newer, foreign or no database, and left as it is', async () => {
    const make = (...statements: readonly string[]): void => {
      rmSync(path, { force: true });
      const database = new DatabaseSync(path);
      for (const statement of statements) database.exec(statement);
      database.close();
    };
    const refused = async (kind: string, code: string): Promise<void> => {
      const before = readFileSync(path);
      await expect(open()).rejects.toEqual(coded(kind, code));
      expect(readFileSync(path).equals(before)).toBe(true);
    };
    make('CREATE TABLE theirs (x)');
    await refused('invalid', 'PANDA_VERSION');
    make('PRAGMA application_id = 77', 'PRAGMA user_version = 1', 'CREATE TABLE rows (x)');
    await refused('invalid', 'PANDA_VERSION');
    make(
      `PRAGMA application_id = ${APPLICATION_ID}`,
      `PRAGMA user_version = ${SCHEMA_VERSION + 1}`,
      'CREATE TABLE rows (x)',
    );
    await refused('invalid', 'PANDA_VERSION');
    writeFileSync(path, 'this is not a database, and it is long enough to be looked at as one. '.repeat(20));
    await refused('corrupt', 'PANDA_CORRUPT');
  });

  it('is denied when it cannot be written', async () => {
    await (await open()).close();
    chmodSync(folder, 0o755);
    chmodSync(path, 0o444);
    const ended = await child(['openAsNobody', path]).ended;
    expect(ended).toEqual({ out: 'error denied PANDA_DENIED\n', err: '', end: 0 });
  });

  it('is corrupt when its pages are', async () => {
    const panda = await open();
    for (let i = 0; i < 20; i++) await panda.transact(Array.from({ length: 100 }, (_, j) => put(`${i} ${j}`, j)));
    await panda.close();
    const file = openSync(path, 'r+');
    for (let page = 2; page < statSync(path).size / 4096; page++)
      writeSync(file, Buffer.alloc(4096, 0xee), 0, 4096, page * 4096);
    closeSync(file);
    await expect(allRows(await open())).rejects.toEqual(coded('corrupt', 'PANDA_CORRUPT'));
  });

  it('is full when it may not grow, loses nothing, and goes on when there is room again', async () => {
    const panda = await open({ bytesMax: 256 * 1024 });
    const large = (sort: string): Put => ({
      ...put(sort, 1),
      attributes: { bytes: new Uint8Array(60 * 1024).fill(1) },
    });
    await panda.transact([large('a')]);
    const answers = await Promise.allSettled([
      panda.transact([put('small', 1)]),
      panda.transact([large('b'), large('c'), large('d'), large('e')]),
    ]);
    for (const answer of answers) expect(answer).toMatchObject({ reason: coded('retry', 'PANDA_FULL') });
    expect((await panda.query('p')).rows.map((row) => row.sort)).toEqual(['a']);
    await panda.transact([{ kind: 'delete', partition: 'p', sort: 'a' }]);
    await panda.transact([large('b'), put('small', 1)]);
    expect((await panda.query('p')).rows.map((row) => row.sort)).toEqual(['b', 'small']);
  });

  it('asks for room when there is none, once for each that is made, and does then what was asked of it', async () => {
    let asked = 0;
    const roomy = raw();
    const panda = await open({
      bytesMax: 256 * 1024,
      makeRoom: (what) => {
        expect(what).toBe('write');
        asked += 1;
        // Room of the kind that is missing here: a row that somebody else can do without.
        if (asked === 1) roomy.exec("DELETE FROM rows WHERE sort = 'a'");
        return asked === 1;
      },
    });
    const large = (sort: string): Put => ({
      ...put(sort, 1),
      attributes: { bytes: new Uint8Array(80 * 1024).fill(1) },
    });
    await panda.transact([large('a')]);
    await panda.transact([large('b'), large('c')]);
    await panda.transact([put('small', 1)]);
    await panda.transact([large('d')]);
    expect(asked).toBe(1);
    await expect(panda.transact([large('e'), large('f')])).rejects.toEqual(coded('retry', 'PANDA_FULL'));
    expect(asked).toBe(2);
    expect((await panda.query('p')).rows.map((row) => row.sort)).toEqual(['b', 'c', 'd', 'small']);
    roomy.close();
  });
});

describe.each(WAYS)('several users of one file, written %s', (_, after) => {
  beforeEach(() => {
    threadAfterWrites = after;
  });

  it('makes every connection see what another has committed', async () => {
    const [one, other] = [await open(), await open()];
    await one.transact([put('a', 1)]);
    expect((await other.get({ partition: 'p', sort: 'a' }))?.attributes).toEqual({ n: 1 });
    const increment = (panda: SqlitePanda): Promise<void> =>
      panda.transact([{ kind: 'update', partition: 'p', sort: 'a', add: { n: 1 } }]);
    await Promise.all(Array.from({ length: 40 }, (_, i) => increment(i % 2 === 0 ? one : other)));
    expect((await one.get({ partition: 'p', sort: 'a' }))?.attributes).toEqual({ n: 41 });
  });

  it('is busy while another holds the lock for too long, and writes nothing', async () => {
    const panda = await open({ busyTimeoutMs: 20 });
    const other = raw();
    other.exec('BEGIN IMMEDIATE');
    await expect(panda.transact([put('a', 1)])).rejects.toEqual(coded('retry', 'PANDA_BUSY'));
    expect(await panda.get({ partition: 'p', sort: 'a' })).toBeUndefined();
    other.exec('ROLLBACK');
    await panda.transact([put('a', 1)]);
  });

  it('waits for a lock without stopping the process for the whole time', async () => {
    const panda = await open();
    const other = raw();
    other.exec('BEGIN IMMEDIATE');
    const release = setTimeout(() => other.exec('COMMIT'), 150);
    await panda.transact([put('a', 1)]);
    clearTimeout(release);
    expect((await panda.query('p')).rows.length).toBe(1);
  });

  it('counts every increment of two other processes and of this one', async () => {
    const panda = await open();
    await panda.transact([put('counter', 0)]);
    const others = [child(['incrementMany', path, '100']), child(['incrementMany', path, '100'])];
    let n = 100;
    while (n > 0) {
      await panda.transact([{ kind: 'update', partition: 'p', sort: 'counter', add: { n: 1 } }]);
      n -= 1;
    }
    for (const other of others) expect(await other.ended).toEqual({ out: '', err: '', end: 0 });
    expect((await panda.get({ partition: 'p', sort: 'counter' }))?.attributes).toEqual({ n: 300 });
  });

  it('lets several processes make the file at once', async () => {
    const makers = Array.from({ length: 3 }, () => child(['incrementMany', path, '0']).ended);
    for (const made of makers) expect(await made).toEqual({ out: '', err: '', end: 0 });
    expect(await allRows(await open({ create: false }))).toEqual([]);
  });

  it('waits for the process that makes the file', async () => {
    const other = raw();
    other.exec('PRAGMA journal_mode = WAL');
    other.exec('BEGIN IMMEDIATE');
    const waiting = child(['incrementMany', path, '0']);
    const columns = 'partition TEXT, sort TEXT, value TEXT, PRIMARY KEY (partition, sort)';
    other.exec(`CREATE TABLE rows (${columns}) WITHOUT ROWID`);
    other.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
    other.exec('PRAGMA user_version = 1');
    await new Promise((done) => setTimeout(done, 500)); // by now it has seen an empty file
    other.exec('COMMIT');
    expect(await waiting.ended).toEqual({ out: '', err: '', end: 0 });
  });
});

describe('the thread', () => {
  beforeEach(() => {
    threadAfterWrites = 300;
  });

  it('is waited for by a process that closes its store while it starts', async () => {
    await (await open()).close();
    const ended = await child(['closeWhileThreadStarts', path]).ended;
    expect(ended).toEqual({ out: 'closed\n', err: '', end: 0 });
  });

  it('takes over from the main thread, and the main thread from one that ended; nothing is lost or done twice', async () => {
    const panda = await open();
    await panda.transact([put('counter', 0)]);
    let done = 0;
    let unsure = 0;
    const increment = async (): Promise<void> => {
      try {
        await panda.transact([{ kind: 'update', partition: 'p', sort: 'counter', add: { n: 1 } }]);
        done += 1;
      } catch (error) {
        expect(error).toEqual(coded('unknown', 'PANDA_UNKNOWN'));
        unsure += 1;
      }
    };
    const counted = async (): Promise<number> =>
      Number((await panda.getMany([{ partition: 'p', sort: 'counter' }]))[0]?.attributes['n']);
    while (panda.thread === undefined) await increment();
    for (let i = 0; i < 50; i++) await increment();
    expect(await counted()).toBe(done);
    const under = Array.from({ length: 20 }, increment);
    const { thread } = panda;
    await thread?.terminate();
    await Promise.all(under);
    expect(panda.thread).toBeUndefined();
    for (let i = 0; i < 50; i++) await increment();
    expect(await counted()).toBeGreaterThanOrEqual(done);
    expect(await counted()).toBeLessThanOrEqual(done + unsure);
  });
});

describe.each(WAYS)('death and disks, written %s', (_, after) => {
  beforeEach(() => {
    threadAfterWrites = after;
  });

  /** Every acknowledged pair is there, and no half of any. */
  async function expectWholeTransactions(printed: string): Promise<void> {
    const acknowledged = printed.split('\n').filter((line) => /^\d+$/.test(line)).length;
    const panda = await open({ create: false });
    const rows = await allRows(panda);
    const sorts = (partition: string): string[] =>
      rows.filter((row) => row.partition === partition).map((row) => row.sort);
    expect(sorts('a')).toEqual(sorts('b'));
    expect(sorts('a').length).toBeGreaterThanOrEqual(acknowledged);
    const numbers = new Set(sorts('a').map(Number));
    for (let n = 0; n < acknowledged; n++) expect(numbers.has(n)).toBe(true);
    await panda.transact([put('after', 1)]);
    await panda.close();
  }

  it('keeps what it acknowledged when the process is killed', async () => {
    for (const lines of [5, 60]) {
      const writer = child(['writeForever', path, String(after)]);
      await new Promise<void>((done) => {
        let seen = 0;
        writer.process.stdout?.on('data', (data) => {
          seen += String(data).split('\n').length - 1;
          if (seen >= lines) done();
        });
      });
      writer.process.kill('SIGKILL');
      const { out } = await writer.ended;
      expect(out.split('\n').length).toBeGreaterThan(lines);
      await expectWholeTransactions(out);
    }
  });

  it('reports a write the system refuses, and keeps what it acknowledged', async () => {
    const { out, err } = await child(['writeForever', path, String(after)], 'ulimit -f 600;').ended;
    expect(err).toBe('');
    expect(out).toMatch(/^error (unknown PANDA_UNKNOWN|retry PANDA_BUSY)$/m);
    await expectWholeTransactions(out);
  });
});

it('does not say that node:sqlite is experimental, and leaves other warnings alone', async () => {
  const { err } = await child(['openAndWarn', path], '', []).ended;
  expect(err).toContain('still heard');
  expect(err).not.toContain('SQLite');
});
