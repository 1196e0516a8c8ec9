// What a user may do wrong, and what may go wrong around him: each is handled, or is one clear line and its own exit code. The
// store is small (six drives, replica-4 -> xor-2-1), and every command is the real CLI.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { STORE_FORMAT, storeKey } from '../../lib/panda/rows/store-row.ts';
import { SqlitePanda } from '../../lib/panda/sqlite/sqlite-panda.ts';
import { SMALL } from '../engine/small-store.ts';
import { json, pocketful, type Ran } from './cli.ts';
import { temporaryFolder } from './temporary-folder.ts';

const cwd = temporaryFolder();
const at = (path: string): string => join(cwd, path);
const random = new SeededRandomness(9);

/** One line, with the code, nothing on stdout, and no stack. */
function expectRefused(ran: Ran, exitCode: number, code: string): void {
  expect(ran.stderr).toMatch(new RegExp(`^pocketful: [^\\n]+ \\(${code}\\)\\n$`));
  expect([ran.code, ran.stdout]).toEqual([exitCode, '']);
}

async function makeStore(name: string, options: { readonly unprivileged?: boolean } = {}): Promise<string[]> {
  writeFileSync(at('settings.json'), JSON.stringify(SMALL));
  const store = ['--store', `file:${name}`];
  await json(cwd, ['init', ...store, '--settings', 'settings.json', '--drives', '6'], options);
  return store;
}

describe('what is stored', () => {
  let store: string[];
  beforeAll(async () => {
    chmodSync(cwd, 0o777);
    store = await makeStore('mine', { unprivileged: true });
  });

  it('odd files of a tree are stored, passed over or named, and the rest is stored', async () => {
    mkdirSync(at('tree'));
    writeFileSync(at('tree/empty'), '');
    writeFileSync(at('tree/#1 ü\n'), 'odd');
    writeFileSync(at('tree/secret'), 'x', { mode: 0 });
    writeFileSync(Buffer.concat([Buffer.from(at('tree/bad-')), Buffer.from([0xff, 0xfe])]), 'x');
    symlinkSync('empty', at('tree/link'));
    symlinkSync('/', at('tree/loop'));
    execFileSync('mkfifo', [at('tree/pipe')]);
    const deep = join(...new Array<string>(6).fill('d'.repeat(200)));
    mkdirSync(at(`tree/${deep}`), { recursive: true });
    writeFileSync(at(`tree/${deep}/file`), 'x');
    const put = await json(cwd, [...store, 'put', 'tree'], { code: 3, unprivileged: true });
    expect(put).toMatchObject({ stored: 2 });
    expect(
      (put['skipped'] as { name: string; reason: string }[]).map(({ name, reason }) => `${name} ${reason}`).sort(),
    ).toEqual(['link symlink', 'loop symlink', 'pipe pipe']);
    expect(
      (put['failed'] as { name: string; code: string }[]).map(({ name, code }) => [name.slice(0, 12), code]).sort(),
    ).toEqual([
      ['bad-\\xff\\xfe', 'FILE_UNREADABLE'],
      ['dddddddddddd', 'NAME_TOO_LONG'],
      ['secret', 'FILE_DENIED'],
    ]);
    expect(await json(cwd, [...store, 'stat', '#1 ü\n'], { unprivileged: true })).toMatchObject({ sizeBytes: 3 });
  });

  it('impossible names are refused, one line each', async () => {
    writeFileSync(at('x'), 'x');
    const ran = [
      await pocketful(cwd, [...store, 'put', '-', '--as', ''], { input: 'x', unprivileged: true }),
      await pocketful(cwd, [...store, 'put', 'x', '--as', '../up']),
      await pocketful(cwd, [...store, 'put', 'x', '--as', 'ü'.repeat(513)]),
    ];
    const codes = ['NAME_EMPTY', 'NAME_INVALID', 'NAME_TOO_LONG'];
    for (const [i, code] of codes.entries()) {
      expect(ran[i]?.code, code).toBe(2);
      expect(ran[i]?.stderr).toContain(`(${code})`);
    }
  });

  it('a drive that cannot be written is passed by, and status names it', async () => {
    chmodSync(at('mine/drives/00'), 0o555);
    for (const name of readdirSync(at('mine/drives/00')))
      if (name.startsWith('tmp')) chmodSync(at(`mine/drives/00/${name}`), 0o555);
    writeFileSync(at('big'), random.bytes(90_000));
    expect(await json(cwd, [...store, 'put', 'big'], { unprivileged: true })).toMatchObject({ stored: 1 });
    const { drives } = await json<{ drives: { state: string }[] }>(cwd, [...store, 'status'], { unprivileged: true });
    expect(drives.map(({ state }) => state)).toEqual(['denied', 'ok', 'ok', 'ok', 'ok', 'ok']);
  });
});

describe('what is asked for', () => {
  it('is refused where it makes no sense', async () => {
    const [nowhere, address, command, stage, missing] = await Promise.all([
      pocketful(cwd, ['ls', '--store', 'file:nowhere'], { inChild: true }),
      pocketful(cwd, ['ls', '--store', 'ftp://x']),
      pocketful(cwd, ['frobnicate']),
      pocketful(cwd, ['init', '--store', 'file:x', '--preset', 'huge']),
      pocketful(cwd, ['put', 'no-such-file', '--store', 'file:nowhere']),
    ]);
    expectRefused(nowhere, 4, 'STORE_MISSING');
    expectRefused(address, 2, 'ADDRESS_INVALID');
    expectRefused(stage, 2, 'PRESET_UNKNOWN');
    expectRefused(missing, 4, 'STORE_MISSING');
    expect([command.code, command.stderr]).toEqual([2, expect.stringContaining("unknown command 'frobnicate'")]);
    const document = await json(cwd, ['ls', '--store', 'file:nowhere'], { code: 4 });
    expect(document).toEqual({ error: { kind: 'missing', code: 'STORE_MISSING', message: expect.any(String) } });
  });

  it('the default store is made by its first put', async () => {
    mkdirSync(at('fresh'));
    writeFileSync(at('fresh/a'), 'a');
    const put = await json(at('fresh'), ['put', '.', '--preset', 'demo']);
    expect(put).toMatchObject({ stored: 1, objects: [{ key: 'a', sizeBytes: 1 }] });
    expect(readdirSync(at('fresh')).sort()).toEqual(['.pocketful', 'a']);
  });
});

describe('a store that is not what it was', () => {
  let store: string[];
  const files = new Map<string, Uint8Array>();
  beforeAll(async () => {
    store = await makeStore('ours');
    mkdirSync(at('files'));
    for (let i = 0; i < 40; i++) files.set(`f${i}`, random.bytes(900));
    for (const [name, bytes] of files) writeFileSync(at(`files/${name}`), bytes);
    await json(cwd, [...store, 'put', 'files']);
    await json(cwd, [...store, 'encode', '--all']);
  });

  it('of a newer release, with a foreign file, or without its keys: refused', async () => {
    const panda = await SqlitePanda.open(at('ours/panda.sqlite'));
    await panda.transact([{ kind: 'update', ...storeKey, set: { f: STORE_FORMAT + 1 } }]);
    expectRefused(await pocketful(cwd, [...store, 'ls']), 2, 'STORE_VERSION');
    await panda.transact([{ kind: 'update', ...storeKey, set: { f: STORE_FORMAT } }]);
    await panda.close();
    renameSync(at('ours/keys.json'), at('keys.kept'));
    expectRefused(await pocketful(cwd, [...store, 'cat', 'f1']), 7, 'KEK_MISSING');
    const doctor = await pocketful(cwd, [...store, 'doctor']);
    expect([doctor.code, doctor.stdout]).toEqual([6, expect.stringContaining('lost: key:')]);
    writeFileSync(at('ours/keys.json'), '{}', { mode: 0o600 });
    expectRefused(await pocketful(cwd, [...store, 'cat', 'f1']), 7, 'KEK_WRONG');
    renameSync(at('keys.kept'), at('ours/keys.json'));
    mkdirSync(at('foreign'));
    writeFileSync(
      at('foreign/panda.sqlite'),
      'not a database, but long enough to be looked at as if it were one'.repeat(99),
    );
    const foreign = await pocketful(cwd, ['ls', '--store', 'file:foreign']);
    expect([foreign.code, foreign.stdout]).toEqual([6, '']);
  });

  it('with damaged chunks: reconstructed, whatever the damage', async () => {
    // Drives are drawn at random for each volume: the first one that holds chunks.
    const chunksOf = (drive: string) =>
      readdirSync(at(`ours/drives/${drive}`), { recursive: true, withFileTypes: true }).filter(
        (entry) => entry.isFile() && /^\d+-\d+$/.test(entry.name),
      );
    const chunks =
      readdirSync(at('ours/drives'))
        .map(chunksOf)
        .find((found) => found.length > 0) ?? [];
    expect(chunks.length).toBeGreaterThan(0);
    for (const [i, { parentPath, name }] of chunks.entries()) {
      const path = join(parentPath, name);
      const bytes = readFileSync(path);
      if (i % 3 === 0) bytes.fill(0x55, bytes.length >> 1);
      writeFileSync(path, i % 3 === 1 ? '' : i % 3 === 2 ? bytes.subarray(0, 300) : bytes);
    }
    expect(await json(cwd, [...store, 'get', 'f', '--to', 'read1'])).toMatchObject({ files: 40, failed: [] });
    for (const [name, bytes] of files) expect(readFileSync(at(`read1/${name}`)).equals(bytes), name).toBe(true);
  });

  it('with more drives gone than the code survives: says what waits for which, and serves the rest', async () => {
    const gone = [1, 2, 3, 4];
    for (const i of gone) renameSync(at(`ours/drives/0${i}`), at(`ours/drives/gone${i}`));
    const ran = await pocketful(cwd, [...store, 'get', 'f', '--to', 'read2', '--json']);
    const get = JSON.parse(ran.stdout) as { files: number; failed: { code: string; message: string }[] };
    // Drives are drawn at random for each volume: some files are out of reach, or all of them for this one reason.
    expect(ran.code).toBe(get.files === 0 ? 5 : 3);
    expect(get.files + get.failed.length).toBe(40);
    expect(new Set(get.failed.map(({ code }) => code))).toEqual(new Set(['RECORD_WAITS']));
    expect(get.failed[0]?.message).toMatch(/drives\/0[1-4]/);
    const status = await json<{ working: { stalled: { code: string; text: string }[] } }>(cwd, [...store, 'status']);
    expect(status.working.stalled.length).toBeGreaterThan(0);
    for (const i of gone) renameSync(at(`ours/drives/gone${i}`), at(`ours/drives/0${i}`));
    expect(await json(cwd, [...store, 'get', 'f', '--to', 'read2', '--overwrite'])).toMatchObject({ files: 40 });
  });

  it('a missing object, and a file that is a folder', async () => {
    expectRefused(await pocketful(cwd, [...store, 'cat', 'nothing']), 4, 'OBJECT_MISSING');
    expectRefused(await pocketful(cwd, [...store, 'get', 'f1', 'files', '--overwrite']), 2, 'NAME_IS_FOLDER');
  });
});

describe('processes', () => {
  it('two at once on one store, and both are right', async () => {
    const store = await makeStore('shared');
    for (const half of ['left', 'right']) {
      mkdirSync(at(half));
      for (let i = 0; i < 60; i++) writeFileSync(at(`${half}/${half}-${i}`), random.bytes(1500));
      writeFileSync(at(`${half}/same`), 'the same in both');
    }
    const [left, right] = await Promise.all([
      json(cwd, [...store, 'put', 'left'], { inChild: true }),
      json(cwd, [...store, 'put', 'right'], { inChild: true }),
    ]);
    expect([left['stored'], right['stored']]).toEqual([61, 61]);
    const [encoded, removed] = await Promise.all([
      json(cwd, [...store, 'encode', '--all'], { inChild: true }),
      json(cwd, [...store, 'rm', '--prefix', '-y', 'left-1'], { inChild: true }),
    ]);
    expect([encoded['stalled'], removed['deleted']]).toEqual([undefined, 11]);
    expect(await json(cwd, [...store, 'doctor', '--read'])).toMatchObject({
      healthy: true,
      objectsRead: 110,
      findings: [],
    });
  });

  /** Sends SIGINT twice, 50 ms apart, to a put that is at work: it has taken more than a pipe holds. */
  const stopped = (store: readonly string[], env: NodeJS.ProcessEnv): Promise<Ran> =>
    pocketful(cwd, [...store, 'put', '-', '--as', 'endless'], {
      env,
      onStart: (child) => {
        child.stdin?.write(random.bytes(400_000), () => {
          child.kill('SIGINT');
          setTimeout(() => child.kill('SIGINT'), 50);
        });
      },
      endless: true,
    });

  it('Ctrl-C ends a put with 130 and a sound store', async () => {
    const store = await makeStore('stopped');
    // npm passes on what the terminal has sent already.
    const ran = await stopped(store, { npm_lifecycle_event: 'pocketful' });
    expect(ran.code).toBe(130);
    expect(ran.stderr).toContain('the store is sound');
    expect(await json(cwd, [...store, 'doctor', '--fix', '--read'])).toMatchObject({ healthy: true, objectsRead: 0 });
    const atOnce = await stopped(store, { npm_lifecycle_event: undefined });
    expect(atOnce.code).toBe(130);
    expect(atOnce.stderr).not.toContain('the store is sound');
    expect(await json(cwd, [...store, 'doctor', '--fix', '--read'])).toMatchObject({ healthy: true, objectsRead: 0 });
    rmSync(at('stopped'), { recursive: true });
  });
});
