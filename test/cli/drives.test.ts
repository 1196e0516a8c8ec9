// pocketful drives and repair, as somebody whose disk died meets them: replaced, repaired, byte for byte, forgotten.

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import type { WorstLosses } from '../../lib/volume/check/worst-loss.ts';
import { json, pocketful } from './cli.ts';
import { temporaryFolder } from './temporary-folder.ts';

const cwd = temporaryFolder();
const STORE = ['--store', 'file:s'];
const random = new SeededRandomness(10);

interface Listed {
  drives: { drive: number; state: string; fault?: string; columns: number; domain?: string }[];
  columnsToMove: number;
  worst: WorstLosses;
}
interface Repaired {
  planned: number;
  columns: number;
  lost: unknown[];
  left: unknown[];
  discards: { freedZones: number; givenUpZones: number; kept: number };
}

const run = <T>(args: string[], code = 0): Promise<T> => json<T>(cwd, [...STORE, ...args], { code });
const drives = (): Promise<Listed> => run<Listed>(['drives']);
const codeOf = async (args: string[]): Promise<unknown> =>
  ((await pocketful(cwd, [...STORE, '--json', ...args])).stdout.match(/"code":\s*"(\w+)"/) ?? [])[1];

/** By the place of its column: volume, column and name of every object, with its bytes. */
const objectsOn = (path: string): Map<string, Buffer> =>
  new Map(
    readdirSync(path, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /^(\d+-\d+|dirs)$/.test(entry.name))
      .map((entry) => {
        const bytes = readFileSync(join(entry.parentPath, entry.name));
        return [`${bytes.subarray(24, 32).toString('hex')}/${bytes[7]}/${entry.name}`, bytes];
      }),
  );

beforeAll(async () => {
  await pocketful(cwd, ['init', ...STORE, '--preset', 'demo']);
  for (let i = 0; i < 6; i++) writeFileSync(join(cwd, `f${i}`), random.bytes(60_000));
  await pocketful(cwd, [...STORE, 'put', ...Array.from({ length: 6 }, (_, i) => `f${i}`)]);
});

describe('a disk that died', () => {
  it('is named, replaced, made again byte for byte, and forgotten', async () => {
    const before = await drives();
    const dead = before.drives.find(({ columns }) => columns > 0)?.drive ?? -1;
    const path = join(cwd, 's/drives', String(dead).padStart(2, '0'));
    const kept = [...objectsOn(path)].filter(([name]) => !name.endsWith('dirs'));
    expect(kept.length).toBeGreaterThan(0);
    rmSync(path, { recursive: true });
    expect((await drives()).drives[dead]).toMatchObject({ state: 'active', fault: 'DRIVE_UNAVAILABLE' });
    expect(await run<Repaired>(['repair'])).toMatchObject({ planned: 0 });
    mkdirSync(join(cwd, 'new'));
    const replaced = await run<{ added: { drive: number }[]; state: string }>(['drives', 'replace', `${dead}`, 'new']);
    expect(replaced).toMatchObject({ added: [{ drive: 20 }], state: 'lost' });
    expect(await codeOf(['drives', 'forget', `${dead}`])).toBe('DRIVE_IN_USE');
    const plan = await run<{ repairs: { columns: { how: string; reason: { code: string } }[] }[] }>([
      'repair',
      '--plan',
    ]);
    expect(plan.repairs.flatMap(({ columns }) => columns)).toHaveLength(before.drives[dead]?.columns ?? -1);
    expect(await run<Repaired>(['repair'])).toMatchObject({
      lost: [],
      left: [],
      columns: before.drives[dead]?.columns,
    });
    const now = new Map([...objectsOn(join(cwd, 's/drives')), ...objectsOn(join(cwd, 'new'))]);
    for (const [name, bytes] of kept) expect(Buffer.compare(now.get(name) ?? Buffer.alloc(0), bytes), name).toBe(0);
    expect(await drives()).toMatchObject({ columnsToMove: 0 });
    await run(['repair', '--now']);
    await run(['drives', 'forget', `${dead}`]);
    expect((await drives()).drives[dead]).toMatchObject({ state: 'retired', columns: 0 });
    expect(await run<{ level: string }>(['doctor', '--read'])).toMatchObject({ level: 'healthy' });
    for (let i = 0; i < 6; i++) {
      await pocketful(cwd, [...STORE, 'get', `f${i}`, `out${i}`]);
      expect(Buffer.compare(readFileSync(join(cwd, `out${i}`)), readFileSync(join(cwd, `f${i}`)))).toBe(0);
    }
  });

  it('is no drive of the wrong name, and nothing is done by half', async () => {
    expect(await codeOf(['drives', 'lost', '99'])).toBe('DRIVE_UNKNOWN');
    expect(await codeOf(['drives', 'add', 'new'])).toBe('DRIVE_TWICE');
    mkdirSync(join(cwd, 'full'));
    writeFileSync(join(cwd, 'full', 'photo'), 'x');
    expect(await codeOf(['drives', 'add', 'full'])).toBe('DRIVE_NOT_EMPTY');
    const retired = (await drives()).drives.find(({ state }) => state === 'retired')?.drive;
    expect(await codeOf(['drives', 'return', `${retired}`])).toBe('DRIVE_STATE');
    expect((await pocketful(cwd, [...STORE, 'drives', 'lost', 'x'])).code).toBe(2);
    mkdirSync(join(cwd, 'spare'));
    expect(await codeOf(['drives', 'replace', '99', 'spare'])).toBe('DRIVE_UNKNOWN');
    expect(await codeOf(['drives', 'replace', `${retired}`, 'spare'])).toBe('DRIVE_STATE');
    expect(readdirSync(join(cwd, 'spare'))).toEqual([]);
    expect((await drives()).drives).toHaveLength(21);
  });
});

describe('domains', () => {
  it('are shown, and what the loss of one would cost', async () => {
    for (let drive = 0; drive < 20; drive++)
      if ((await drives()).drives[drive]?.state === 'active') await run(['drives', 'domain', `${drive}`, 'one-disk']);
    const { worst } = await drives();
    expect(worst.domain?.of).toBe('one-disk');
    expect(worst.domain?.lostVolumes).toBeGreaterThan(0);
    expect(worst.drive).toMatchObject({ lostVolumes: 0, spareLeft: expect.any(Number) });
    expect((await pocketful(cwd, [...STORE, 'drives', 'list'])).stdout).toContain('without domain one-disk');
  });
});

describe('what is not the drive', () => {
  it('is away, with the reason: an empty directory, another store, a drive made anew', async () => {
    const own = (args: string[], code = 0) => json<Listed>(cwd, ['--store', 'file:own', ...args], { code });
    const paths = [0, 1, 2, 3].flatMap((i) => ['--drive', `own-${i}`, '--domain', `disk ${i % 2}`]);
    await own(['init', '--preset', 'thrifty', ...paths]);
    expect((await own(['drives', 'list'])).drives.map(({ domain }) => domain)).toEqual([
      'disk 0',
      'disk 1',
      'disk 0',
      'disk 1',
    ]);
    const marker = join(cwd, 'own-1', 'pocketful-drive');
    const was = readFileSync(marker, 'utf8');
    const why = async (): Promise<string | undefined> =>
      ((await own(['drives', 'list'])).drives[1] as { why?: string } | undefined)?.why;
    rmSync(marker);
    expect(await why()).toMatch(/no drive here/);
    writeFileSync(marker, was.replace(/("incarnation":")\w+/, '$1ffffffffffffffff'));
    expect(await why()).toMatch(/another incarnation/);
    writeFileSync(marker, was.replace(/("store":")\w+/, '$1ffffffffffffffffffffffffffffffff'));
    expect(await why()).toMatch(/another store/);
    // Of a release that knew no incarnations.
    writeFileSync(marker, was);
    expect(await why()).toBeUndefined();
    const status = await own(['status']);
    expect(status).toMatchObject({ devices: { drives: 4, devices: 1 }, keeping: { atRisk: 0, alarms: [] } });
    expect((await pocketful(cwd, ['--store', 'file:own', 'status'])).stdout).toContain('all 4 drives are on one disk');
  });

  it('domains are given for each drive or for none', async () => {
    expect(
      await json(cwd, ['init', '--store', 'file:o', '--drive', 'a', '--drive', 'b', '--domain', 'x'], { code: 2 }),
    ).toMatchObject({
      error: { code: 'DOMAINS_COUNT' },
    });
  });
});

it('balance says what it would do, and does it', async () => {
  const own = <T>(args: string[], code = 0) => json<T>(cwd, ['--store', 'file:b', ...args], { code });
  await own(['init', '--preset', 'thrifty', '--drives', '2']);
  for (let i = 0; i < 6; i++) writeFileSync(join(cwd, `f${i}`), random.bytes(60_000));
  await own(['put', 'f0', 'f1', 'f2']);
  expect(await own(['drives', 'balance', '--plan'])).toMatchObject({ moves: [] });
  expect(await own(['drives', 'balance'])).toMatchObject({ planned: 0, moved: 0, left: [] });
});
