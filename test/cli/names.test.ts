// What names on the command line mean: folders and prefixes, several at once, addresses, and answers for programs.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseAddress } from '../../lib/client/face.ts';
import { SMALL } from '../engine/small-store.ts';
import { json, pocketful } from './cli.ts';
import { temporaryFolder } from './temporary-folder.ts';

const cwd = temporaryFolder();
const at = (path: string): string => join(cwd, path);
const STORE = ['--store', 'file:s'];
const names = async (): Promise<string[]> =>
  (await json<{ objects: { key: string }[] }>(cwd, [...STORE, 'ls', '-r'])).objects.map(({ key }) => key);

beforeAll(async () => {
  writeFileSync(at('settings.json'), JSON.stringify(SMALL));
  await json(cwd, ['init', ...STORE, '--settings', 'settings.json', '--drives', '6']);
  mkdirSync(at('dir/sub'), { recursive: true });
  for (const name of ['one', 'sub/two']) writeFileSync(at(`dir/${name}`), name);
});

describe('put --as', () => {
  it('names a file, or the folder of a tree', async () => {
    await json(cwd, [...STORE, 'put', 'dir', '--as', 'old/']);
    await json(cwd, [...STORE, 'put', 'dir', '--as', 'older']);
    await json(cwd, [...STORE, 'put', 'dir/one', '--as', 'old', '--prefix', 'p']);
    expect(await names()).toEqual(['old/one', 'old/sub/two', 'older/one', 'older/sub/two', 'p/old']);
  });
});

describe('cat', () => {
  it('goes on past what is missing', async () => {
    const ran = await pocketful(cwd, [...STORE, 'cat', 'old/one', 'nothing', 'old/sub/two']);
    expect([ran.code, ran.stdout]).toEqual([3, 'onesub/two']);
    expect(ran.stderr).toMatch(/^pocketful: [^\n]*nothing[^\n]* \(OBJECT_MISSING\)\n$/);
    expect((await pocketful(cwd, [...STORE, 'cat', 'nothing'])).code).toBe(4);
  });
});

describe('get', () => {
  it('goes on where it was cut off: what is there already is no failure', async () => {
    expect(await json(cwd, [...STORE, 'get', 'old/', '--to', 'out'])).toMatchObject({ files: 2, same: 0 });
    writeFileSync(at('out/old/sub/two'), 'mine');
    const again = await json(cwd, [...STORE, 'get', 'old', '--to', 'out'], { code: 3 });
    expect(again).toMatchObject({ files: 2, same: 1, failed: [{ name: 'old/sub/two', code: 'FILE_EXISTS' }] });
    expect(readFileSync(at('out/old/sub/two'), 'utf8')).toBe('mine');
    const one = await json(cwd, [...STORE, 'get', 'old/one', 'out/old/one']);
    expect(one).toMatchObject({ same: true, bytes: 0 });
    const folder = await pocketful(cwd, [...STORE, 'get', 'old/one', 'name/']);
    expect([folder.code, folder.stderr]).toEqual([2, expect.stringContaining('NAME_IS_FOLDER')]);
  });
});

describe('rm -r', () => {
  it('says what goes, and takes a folder: not what only begins like it', async () => {
    const asked = await pocketful(cwd, [...STORE, 'rm', '-r', 'old']);
    expect(asked.code).toBe(2);
    expect(asked.stderr).toMatch(/2 objects, \d+ B \(old\/one, old\/sub\/two\): say --yes \(NOT_CONFIRMED\)\n$/);
    await json(cwd, [...STORE, 'put', 'dir/one', '--as', 'older/one/more']);
    expect(await json(cwd, [...STORE, 'rm', '-ry', 'old', 'older/one'])).toMatchObject({ deleted: 4 });
    expect(await names()).toEqual(['older/sub/two', 'p/old']);
    expect((await pocketful(cwd, [...STORE, 'rm', '-ry', 'old'])).code).toBe(4);
    expect(await json(cwd, [...STORE, 'rm', '--prefix', '-y', 'old'])).toMatchObject({ deleted: 1 });
    expect(await names()).toEqual(['p/old']);
  });
});

describe('an address', () => {
  it('may begin at home; nobody else’s home is guessed', async () => {
    expect(parseAddress('file:~/store')).toEqual({ engine: 'file', dir: join(homedir(), 'store') });
    expect(parseAddress('file:~')).toEqual({ engine: 'file', dir: homedir() });
    expect(parseAddress('file:./~/store')).toEqual({ engine: 'file', dir: './~/store' });
    const ran = await pocketful(cwd, ['init', '--store', 'file:~nobody/store']);
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining('ADDRESS_INVALID')]);
    expect(existsSync(at('~nobody'))).toBe(false);
  });

  it('comes from the environment where none is given', async () => {
    const env = { POCKETFUL_STORE: 'file:s' };
    expect(await json(cwd, ['stat', 'p/old'], { env })).toMatchObject({ sizeBytes: 3 });
    expect(await json(cwd, ['stat', 'p/old', '--store', 'file:none'], { env, code: 4 })).toMatchObject({
      error: { code: 'STORE_MISSING' },
    });
    const made = await json(cwd, ['put', 'dir', '--preset', 'demo'], { env: { POCKETFUL_STORE: 'file:made' } });
    expect([made['stored'], existsSync(at('made/panda.sqlite'))]).toEqual([2, true]);
  });
});

describe('--json', () => {
  it('has a document for usage errors too', async () => {
    for (const args of [['frobnicate'], ['ls', '--frob'], ['ls', '--limit', 'x'], ['put'], []]) {
      const ran = await pocketful(cwd, [...args, '--json']);
      expect(ran.code, args.join(' ')).toBe(2);
      expect(JSON.parse(ran.stdout), args.join(' ')).toEqual({
        error: { kind: 'invalid', code: 'USAGE', message: expect.stringMatching(/^[^\n]+$/) },
      });
    }
    expect((await pocketful(cwd, ['--help', '--json'])).stdout).toContain('Usage:');
  });
});
