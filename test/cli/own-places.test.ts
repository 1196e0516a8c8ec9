// A store does not take itself in, by whatever path it is reached, nor another one unasked, and never the keys of any.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { SMALL } from '../engine/small-store.ts';
import { json, pocketful } from './cli.ts';
import { temporaryFolder } from './temporary-folder.ts';

const cwd = temporaryFolder();
const at = (path: string): string => join(cwd, path);

interface Put {
  readonly objects: readonly { readonly key: string }[];
  readonly skipped: readonly { readonly name: string; readonly reason: string }[];
}
const keysOf = ({ objects }: Put): string[] => objects.map(({ key }) => key).sort();
const put = (args: readonly string[], code = 0): Promise<Put> =>
  json<Put>(cwd, ['--store', 'file:home/.pocketful', 'put', ...args], { code });

beforeAll(async () => {
  mkdirSync(at('home/sub'), { recursive: true });
  writeFileSync(at('settings.json'), JSON.stringify(SMALL));
  writeFileSync(at('home/a'), 'a');
  writeFileSync(at('home/sub/b'), 'b');
  const init = (store: string): Promise<unknown> =>
    json(cwd, ['init', '--store', `file:${store}`, '--settings', 'settings.json', '--drives', '6']);
  await init('home/.pocketful');
  await init('home/other');
  // 32 MiB that nobody asks about are thousands of groups of a store as small as this.
  rmSync(at('home/other/panda.reserve'));
  symlinkSync('home', at('link'));
  mkdirSync(at('outer'));
  symlinkSync('../home', at('outer/parent'));
});

describe('the store that is written to', () => {
  it('is left out by any path: plain, through a symlinked parent, by a symlink as the source', async () => {
    for (const source of ['home', 'link', 'outer/parent', 'home/sub/..', './home/']) {
      const { objects, skipped } = await put([source]);
      expect(objects.map(({ key }) => key).sort(), source).toEqual(['a', 'sub/b']);
      expect(skipped, source).toEqual([{ name: 'other', reason: 'store' }]);
    }
  });

  it('is refused where it is the source itself, or a part of it is', async () => {
    symlinkSync('home/.pocketful', at('self'));
    for (const source of ['home/.pocketful', 'self', 'home/.pocketful/drives', 'link/.pocketful/drives/00']) {
      const ran = await pocketful(cwd, ['--store', 'file:home/.pocketful', 'put', source]);
      expect([ran.code, ran.stderr], source).toEqual([2, expect.stringContaining('STORE_IN_ITSELF')]);
    }
  });

  const program = fileURLToPath(new URL('../../bin/cli.mjs', import.meta.url));
  const canMount = spawnSync('unshare', ['--mount', 'mount', '--bind', '/tmp', '/mnt']).status === 0;
  it.runIf(canMount)('is left out through a bind mount', () => {
    mkdirSync(at('bound'));
    const line = `mount --bind home bound && exec "$0" --disable-warning=ExperimentalWarning "$1" --store file:home/.pocketful put bound --json`;
    const ran = spawnSync('unshare', ['--mount', 'sh', '-c', line, process.execPath, program], {
      cwd,
      encoding: 'utf8',
    });
    expect([ran.status, keysOf(JSON.parse(ran.stdout))]).toEqual([0, ['a', 'sub/b']]);
  });
});

describe('another store', () => {
  it('is walked into only when asked for; its keys are never taken', async () => {
    const ran = await pocketful(cwd, ['--store', 'file:home/.pocketful', 'put', 'home/other']);
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining('STORE_NAMED')]);
    const drive = await pocketful(cwd, ['--store', 'file:home/.pocketful', 'put', 'home/other/drives/00']);
    expect(drive.code).toBe(2);
    const all = await put(['home', '--include-stores']);
    expect(keysOf(all)).toContain('other/panda.sqlite');
    expect(keysOf(all)).toContain('other/drives/00/pocketful-drive');
    expect(keysOf(all).filter((key) => key.startsWith('.pocketful') || key.endsWith('keys.json'))).toEqual([]);
    expect(all.skipped).toEqual([{ name: 'other/keys.json', reason: 'keys' }]);
  });

  it('lends its name to nobody: a file that is called so is a file', async () => {
    mkdirSync(at('plain'));
    for (const name of ['panda.sqlite', 'keys.json']) writeFileSync(at(`plain/${name}`), 'mine');
    expect(keysOf(await put(['plain']))).toEqual(['keys.json', 'panda.sqlite']);
  });

  it('has keys that are refused by themselves, whatever they are called', async () => {
    copyFileSync(at('home/.pocketful/keys.json'), at('innocent.txt'));
    for (const name of ['home/.pocketful/keys.json', 'innocent.txt']) {
      const ran = await pocketful(cwd, ['--store', 'file:home/.pocketful', 'put', name]);
      expect([ran.code, ran.stderr], name).toEqual([2, expect.stringContaining('KEY_FILE')]);
    }
  });
});
