// Every command on one store, in the order of its life: the real CLI, its documents on stdout and its exit codes.
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { json, pocketful } from './cli.ts';
import { temporaryFolder } from './temporary-folder.ts';

const cwd = temporaryFolder();
const STORE = ['--store', 'file:s'];
const random = new SeededRandomness(5);
const files = new Map<string, Uint8Array>();

function writeTree(): void {
  for (let i = 0; i < 60; i++) files.set(`many/${i % 3}/f${i}`, random.bytes(random.below(20_000)));
  files.set('empty', new Uint8Array(0));
  files.set('a file with # and % and ü', Buffer.from('odd names'));
  files.set('deep/er/still/long.bin', random.bytes(700_000));
  for (const [name, bytes] of files) {
    mkdirSync(join(cwd, 'tree', name, '..'), { recursive: true });
    writeFileSync(join(cwd, 'tree', name), bytes);
  }
  chmodSync(join(cwd, 'tree/empty'), 0o751);
  utimesSync(join(cwd, 'tree/empty'), 1_600_000_000, 1_600_000_000);
  symlinkSync('empty', join(cwd, 'tree/link'));
}

interface Status {
  storeId: string;
  preset: string;
  liveBytes: number;
  objects: number;
  overhead: Record<string, { allocated: number | null; stored: number | null; volumes: number }>;
  volumes: { id: string; codec: string; state: string; fillPermille: number; generation: number }[];
  drives: { id: number; path: string; state: string; zones: { used: number; erasing: number; free: number } }[];
  fillHistogram: number[];
  trash: { blocks: number; bytes: number };
  working: { stalled: { code: string; text: string }[] };
}
const status = (): Promise<Status> => json<Status>(cwd, [...STORE, 'status', '--objects']);

function expectTree(folder: string, wanted: ReadonlyMap<string, Uint8Array>): void {
  const found = readdirSync(join(cwd, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(join(cwd, folder).length + 1));
  expect(found.sort()).toEqual([...wanted.keys()].sort());
  for (const [name, bytes] of wanted) expect(readFileSync(join(cwd, folder, name)).equals(bytes), name).toBe(true);
}

describe('the life of a store', () => {
  beforeAll(writeTree);

  it('init makes it, once', async () => {
    const made = await json(cwd, ['init', ...STORE, '--preset', 'demo']);
    expect(made).toMatchObject({ preset: 'demo', path: join(cwd, 's') });
    expect(made['drives']).toHaveLength(20);
    expect(statSync(join(cwd, 's/keys.json')).mode & 0o777).toBe(0o600);
    const again = await pocketful(cwd, ['init', ...STORE]);
    expect(again).toMatchObject({ code: 1, stdout: '' });
    expect(again.stderr).toContain('STORE_EXISTS');
  });

  it('put stores a directory under relative paths, names what it passes over, and knows what it has', async () => {
    const put = await json(cwd, [...STORE, 'put', 'tree']);
    expect(put).toMatchObject({
      stored: files.size,
      bytes: [...files.values()].reduce((sum, { length }) => sum + length, 0),
      skipped: [{ name: 'link', reason: 'symlink' }],
      failed: [],
      interrupted: false,
    });
    const again = await json(cwd, [...STORE, 'put', 'tree', 'tree/empty', 'tree/empty', '--prefix', 'copy/']);
    expect(again).toMatchObject({ stored: files.size + 2, newBytes: 0 });
    await pocketful(cwd, ['put', '-', ...STORE, '--as', 'from/stdin'], { input: 'said\n' });
  });

  it('ls, stat and cat find it', async () => {
    const top = await json(cwd, [...STORE, 'ls']);
    expect(top['commonPrefixes']).toEqual(['copy/', 'deep/', 'from/', 'many/']);
    expect((top['objects'] as { key: string }[]).map(({ key }) => key)).toEqual(['a file with # and % and ü', 'empty']);
    const page = await json(cwd, [...STORE, 'ls', '-r', 'many/', '--limit', '5']);
    expect(page['objects']).toHaveLength(5);
    expect(page['next']).toEqual(expect.any(String));
    const object = await json(cwd, [...STORE, 'stat', 'deep/er/still/long.bin']);
    expect(object).toMatchObject({ key: 'deep/er/still/long.bin', sizeBytes: 700_000 });
    const cat = await pocketful(cwd, [
      ...STORE,
      'cat',
      'from/stdin',
      'deep/er/still/long.bin',
      '--offset',
      '2',
      '--length',
      '70000',
    ]);
    const long = files.get('deep/er/still/long.bin') as Uint8Array;
    expect(cat.bytes.equals(Buffer.concat([Buffer.from('id\n'), long.subarray(2, 70_002)]))).toBe(true);
  });

  it('get brings it back with modes and times, and replaces nothing unasked', async () => {
    const got = await json(cwd, [...STORE, 'get', 'copy/', '--to', 'out']);
    expect(got).toMatchObject({ files: files.size, failed: [] });
    expectTree('out/copy', files);
    const { mode, mtimeMs } = statSync(join(cwd, 'out/copy/empty'));
    expect([mode & 0o777, mtimeMs]).toEqual([0o751, 1_600_000_000_000]);
    writeFileSync(join(cwd, 'mine'), 'mine');
    const refused = await pocketful(cwd, [...STORE, 'get', 'from/stdin', 'mine']);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('FILE_EXISTS');
    expect(readFileSync(join(cwd, 'mine'), 'utf8')).toBe('mine');
    expect((await pocketful(cwd, [...STORE, 'get', 'from/stdin', 'mine', '--overwrite'])).code).toBe(0);
    expect(readFileSync(join(cwd, 'mine'), 'utf8')).toBe('said\n');
  });

  it('encode turns hot volumes into erasure-coded ones; status shows it', async () => {
    expect((await status()).overhead['hot']?.volumes).toBeGreaterThan(0);
    const encoded = await json(cwd, [...STORE, 'encode', '--all']);
    expect(encoded).toMatchObject({ leftBytes: 0 });
    expect(encoded['groups']).toBeGreaterThan(0);
    const after = await status();
    expect(after).toMatchObject({
      preset: 'demo',
      objects: 2 * files.size + 1,
      trash: { blocks: 0, bytes: 0 },
      working: { stalled: [] },
    });
    expect(after.volumes.map(({ codec }) => codec)).toEqual(['lrc-12-2-2']);
    expect(after.fillHistogram).toHaveLength(20);
    expect(after.drives).toHaveLength(20);
    expect(after.drives.every(({ state }) => state === 'ok')).toBe(true);
    expect(after.drives.reduce((sum, { zones }) => sum + zones.used, 0)).toBe(16);
    expect(Object.keys(after.overhead)).toEqual(['hot', 'open', 'sealed', 'trash']);
  });

  it('rm, gc and drain give space back', async () => {
    const refused = await pocketful(cwd, [...STORE, 'rm', '-r', 'many/']);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('NOT_CONFIRMED')]);
    expect(await json(cwd, [...STORE, 'rm', '-r', 'many/', '-y'])).toMatchObject({ deleted: 60 });
    expect(await json(cwd, [...STORE, 'rm', '-r', 'copy/many/', '-y'])).toMatchObject({ deleted: 60 });
    expect((await status()).trash.blocks).toBeGreaterThan(50);
    const gc = await json(cwd, [...STORE, 'gc']);
    expect(gc['slots']).toBeGreaterThan(50);
    expect((await status()).trash).toEqual({ blocks: 0, bytes: 0 });
    expect(await json(cwd, [...STORE, 'drain', '--below', '100'])).toMatchObject({ sources: 0 });
    expect((await pocketful(cwd, [...STORE, 'cat', 'many/0/f0'])).code).toBe(4);
  });

  it('keys are listed, rotated and destroyed', async () => {
    const rotated = await json(cwd, [...STORE, 'keys', 'rotate']);
    expect(rotated).toMatchObject({ version: { version: 2, state: 'current' }, rewrap: { finished: true } });
    expect((await pocketful(cwd, [...STORE, 'keys', 'destroy', '1'])).code).toBe(2);
    expect((await pocketful(cwd, [...STORE, 'keys', 'destroy', '1', '--yes'])).code).toBe(0);
    const { versions } = await json<{ versions: { state: string; blocks: number }[] }>(cwd, [...STORE, 'keys', 'list']);
    expect(versions.map(({ state }) => state)).toEqual(['destroyed', 'current']);
    expect(versions[0]?.blocks).toBe(0);
    expect((await pocketful(cwd, [...STORE, 'cat', 'from/stdin'])).stdout).toBe('said\n');
  });

  it('backup and restore bring lost metadata back, also from the drives', async () => {
    const backup = await json(cwd, [...STORE, 'backup', 'saved']);
    expect(backup['rows']).toBeGreaterThan(20);
    expect(statSync(join(cwd, 'saved')).mode & 0o777).toBe(0o600);
    const refused = await pocketful(cwd, [...STORE, 'restore', 'saved']);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('STORE_EXISTS')]);
    // What is encoded after the backup moves; only the drives know where to.
    await pocketful(cwd, ['put', '-', ...STORE, '--as', 'late'], { input: 'late\n' });
    await pocketful(cwd, [...STORE, 'encode', '--all']);
    for (const suffix of ['', '-wal', '-shm']) rmSync(join(cwd, `s/panda.sqlite${suffix}`), { force: true });
    const restored = await json(cwd, [...STORE, 'restore', 'saved', '--rebuild']);
    expect(restored).toMatchObject({ keyFile: true, rebuild: { lost: [] } });
    const report = await json(cwd, [...STORE, 'doctor', '--read', '--fix']);
    expect(report).toMatchObject({ healthy: true, objectsRead: 7 });
    expect((await pocketful(cwd, [...STORE, 'cat', 'from/stdin'])).stdout).toBe('said\n');
  });
});
