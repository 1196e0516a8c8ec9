// The order of the file-system calls of an append: only this order survives a power cut. The calls are recorded, and failed
// one by one, below the drive, in node:fs itself.
import * as fs from 'node:fs';
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { DirectoryDrive } from '../../lib/drive/directory-drive.ts';
import { driveId, storeId } from '../../lib/foundation/ids.ts';

type Callback = (error: Error | null, ...results: unknown[]) => void;
const CALLS = ['open', 'writev', 'fsync', 'link', 'unlink', 'mkdir', 'rmdir'] as const;
const mutable = createRequire(import.meta.url)('node:fs') as Record<string, (...args: unknown[]) => void>;
const originals = new Map(CALLS.map((name) => [name, mutable[name] as (...args: unknown[]) => void]));

const paths = new Map<number, string>();
let log: string[] = [];
let failing: { readonly line: string; readonly errno: string } | undefined;
let interfere: ((line: string, args: unknown[]) => void) | undefined;
let folder: string;
let drive: DirectoryDrive;

const at = { zone: 1, generation: 0 };
const coded = (code: string): object => expect.objectContaining({ name: 'PocketfulError', code });

/** `tmp`, `1/0/a` …: paths below the drive, whatever the writer is called. */
const shortened = (path: string): string => path.slice(folder.length + 1).replace(/^tmp-[^/]+\/.+/, 'tmp') || '.';

function record(name: string): void {
  const original = originals.get(name as 'open') as (...args: unknown[]) => void;
  const recorded = (...args: unknown[]): void => {
    const done = args.pop() as Callback;
    const target = typeof args[0] === 'number' ? (paths.get(args[0]) ?? '?') : String(args[0]);
    const line = `${name} ${shortened(target)}${name === 'link' ? ` ${shortened(String(args[1]))}` : ''}`;
    if (target.startsWith(folder) && !target.endsWith('pocketful-drive')) log.push(line);
    if (failing?.line === line)
      return void setImmediate(() => done(Object.assign(new Error(line), { code: failing?.errno, syscall: name })));
    interfere?.(line, args);
    original(...args, (error: Error | null, ...results: unknown[]) => {
      if (name === 'open' && error === null) paths.set(results[0] as number, target);
      done(error, ...results);
    });
  };
  // What promisify needs to know about the results hangs on the function as symbols.
  mutable[name] = Object.defineProperties(recorded, Object.getOwnPropertyDescriptors(original));
}

beforeAll(async () => {
  for (const name of CALLS) record(name);
  syncBuiltinESMExports();
  folder = fs.mkdtempSync(join(tmpdir(), 'pocketful-order-'));
  const bodies = await import('../../lib/drive/directory-drive.ts'); // only now does it see the recorded calls
  drive = await bodies.DirectoryDrive.create(folder, { storeId: storeId('11'.repeat(16)), driveId: driveId(0) });
});
afterAll(() => {
  for (const [name, original] of originals) mutable[name] = original;
  syncBuiltinESMExports();
  fs.rmSync(folder, { recursive: true });
});
beforeEach(() => {
  log = [];
  failing = undefined;
  interfere = undefined;
});

it('makes bytes durable before their name, and new folders before the answer', async () => {
  await drive.append(at, 'a', [Buffer.from('a')]);
  const order = log.filter((line) => !line.startsWith('open 1') && line !== 'open .');
  expect(order.slice(0, 7)).toEqual([
    'open tmp',
    'writev tmp',
    'fsync tmp',
    'link tmp 1/0/a',
    'mkdir 1',
    'mkdir 1/0',
    'link tmp 1/0/a',
  ]);
  expect(order.slice(7).sort()).toEqual(['fsync .', 'fsync 1', 'fsync 1/0', 'unlink tmp']);
});

it('asks for little more than the bound once the folders are there', async () => {
  await drive.append(at, 'b', [Buffer.from('b')]);
  expect(log.slice(0, 4)).toEqual(['open tmp', 'writev tmp', 'fsync tmp', 'link tmp 1/0/b']);
  expect(log.slice(4).sort()).toEqual(['fsync 1/0', 'open 1/0', 'unlink tmp']);
});

it('shares one fsync of the folder among the appends that wait for it', async () => {
  await Promise.all(Array.from({ length: 40 }, (_, i) => drive.append(at, `many-${i}`, [Buffer.from('x')])));
  const syncs = log.filter((line) => line === 'fsync 1/0').length;
  expect(syncs).toBeGreaterThan(0);
  expect(syncs).toBeLessThan(40);
  const lastLink = log.findLastIndex((line) => line.startsWith('link'));
  expect(log.lastIndexOf('open 1/0')).toBeGreaterThan(lastLink); // the last to be linked is covered too
});

it('fsyncs the folder before it says that a name is taken', async () => {
  await expect(drive.append(at, 'a', [Buffer.from('z')])).rejects.toEqual(coded('CHUNK_EXISTS'));
  expect(log.slice(3)).toEqual(['link tmp 1/0/a', 'unlink tmp', 'open 1/0', 'fsync 1/0']);
});

it('makes an erase durable', async () => {
  const other = { zone: 2, generation: 5 };
  await drive.append(other, 'a', []);
  log = [];
  await drive.erase(other);
  expect(log.filter((line) => !line.startsWith('open'))).toEqual(['unlink 2/5/a', 'rmdir 2/5', 'fsync 2']);
});

it.each([
  ['open tmp', 'EMFILE', 'DRIVE_BUSY'],
  ['writev tmp', 'ENOSPC', 'DRIVE_FULL'],
  ['writev tmp', 'EIO', 'DRIVE_BUSY'],
  ['fsync tmp', 'EDQUOT', 'DRIVE_FULL'],
  ['fsync tmp', 'EIO', 'DRIVE_BUSY'],
  ['link tmp 1/0/fails', 'ENOSPC', 'DRIVE_FULL'],
  ['link tmp 1/0/fails', 'EROFS', 'DRIVE_READ_ONLY'],
])('%s failing with %s is %s, and the name stays free', async (line, errno, code) => {
  failing = { line, errno };
  await expect(drive.append(at, 'fails', [Buffer.from('x')])).rejects.toEqual(coded(code));
  failing = undefined;
  expect((await drive.list(at)).map(({ name }) => name)).not.toContain('fails');
  expect(fs.readdirSync(join(folder, fs.readdirSync(folder).find((name) => name.startsWith('tmp')) as string))).toEqual(
    [],
  );
});

it.each(['EIO', 'ENOSPC'])(
  'an fsync of the folder failing with %s is busy: the outcome is not known',
  async (errno) => {
    failing = { line: 'fsync 1/0', errno };
    await expect(drive.append(at, `unsure-${errno.toLowerCase()}`, [])).rejects.toEqual(coded('DRIVE_BUSY'));
    // A retry may not take the name for durable either, until an fsync succeeds.
    await expect(drive.append(at, `unsure-${errno.toLowerCase()}`, [])).rejects.toEqual(coded('DRIVE_BUSY'));
    failing = undefined;
    await expect(drive.append(at, `unsure-${errno.toLowerCase()}`, [])).rejects.toEqual(coded('CHUNK_EXISTS'));
  },
);

it('goes on after a short write, wherever it ended', async () => {
  const body = Buffer.from('0123456789abcdefghij');
  interfere = (line, args) => {
    if (line === 'writev tmp') args[1] = [Buffer.concat(args[1] as Buffer[]).subarray(0, 3)];
  };
  await drive.append(at, 'short', [body.subarray(0, 2), body.subarray(2, 12), body.subarray(12)]);
  interfere = undefined;
  expect(Buffer.from(await drive.read(at, 'short')).toString()).toBe(body.toString());
});

it('makes no folder in a mount point whose disk went away between two calls', async () => {
  const away = `${folder}-away`;
  interfere = (line) => {
    if (line !== 'link tmp 3/0/a') return;
    interfere = undefined;
    fs.renameSync(folder, away);
    fs.mkdirSync(folder);
  };
  await expect(drive.append({ zone: 3, generation: 0 }, 'a', [])).rejects.toEqual(coded('DRIVE_UNAVAILABLE'));
  expect(fs.readdirSync(folder)).toEqual([]);
  fs.rmdirSync(folder);
  fs.renameSync(away, folder);
});
