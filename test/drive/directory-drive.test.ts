// What only the directory drive does: whose directory it is, what a crash leaves behind, which permissions it has.
import { chmod, link, mkdir, mkdtemp, readdir, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DirectoryDrive, type DriveIdentity } from '../../lib/drive/directory-drive.ts';
import { directoryError } from '../../lib/drive/directory-errors.ts';
import { WRITER_TAG, writerOf } from '../../lib/drive/writer-tag.ts';
import { SimulatedClock } from '../../lib/foundation/clock.ts';
import { driveId, storeId } from '../../lib/foundation/ids.ts';
import { startWriter } from './writer.ts';

const identity: DriveIdentity = { storeId: storeId('0f'.repeat(16)), driveId: driveId(7) };
const TEMPORARY = 'tmp-0f0f0f0f0f0f-7';
const at = { zone: 4, generation: 2 };
const coded = (kind: string, code: string): object => expect.objectContaining({ name: 'PocketfulError', kind, code });
const unavailable = coded('retry', 'DRIVE_UNAVAILABLE');

let folder: string;
let root: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pocketful-drive-'));
  root = join(folder, 'drive');
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe('whose directory it is', () => {
  it('is created once, in a new or empty directory, and opened by the same identity', async () => {
    const drive = await DirectoryDrive.create(join(root, 'deep', 'down'), identity);
    await drive.append(at, 'a', [Buffer.from('a')]);
    const again = await DirectoryDrive.create(join(root, 'deep', 'down'), identity);
    expect(await again.zones()).toEqual([at]);
    expect(await readdir(join(root, 'deep', 'down'))).toEqual(['4', 'pocketful-drive', TEMPORARY]);
  });

  it('is finished by a second create after the first one was cut off', async () => {
    await mkdir(join(root, TEMPORARY), { recursive: true });
    await mkdir(join(root, 'lost+found'));
    await DirectoryDrive.create(root, identity);
    expect(await (await DirectoryDrive.open(root, identity)).zones()).toEqual([]);
  });

  it('two creates at once agree', async () => {
    const drives = await Promise.all([1, 2, 3].map(() => DirectoryDrive.create(root, identity)));
    await Promise.all(drives.map((drive, i) => drive.append(at, `${i}`, [])));
    expect(await drives[0]?.list(at)).toHaveLength(3);
  });

  it('refuses a directory that holds something else, or is another drive', async () => {
    await mkdir(root);
    await writeFile(join(root, 'letters.txt'), 'dear');
    await expect(DirectoryDrive.create(root, identity)).rejects.toEqual(coded('invalid', 'DRIVE_NOT_EMPTY'));
    expect(await readdir(root)).toEqual(['letters.txt']);
    await rm(join(root, 'letters.txt'));
    await DirectoryDrive.create(root, identity);
    const other = { ...identity, driveId: driveId(8) };
    await expect(DirectoryDrive.create(root, other)).rejects.toEqual(coded('invalid', 'DRIVE_TAKEN'));
  });

  it.each([
    ['another store', { ...identity, storeId: storeId('aa'.repeat(16)) }],
    ['another drive', { ...identity, driveId: driveId(0) }],
  ])('is unavailable to %s', async (_, other) => {
    const drive = await DirectoryDrive.create(root, identity);
    await drive.append(at, 'a', [Buffer.from('a')]);
    await expect(DirectoryDrive.open(root, other)).rejects.toEqual(unavailable);
    const stranger = new DirectoryDrive(root, other);
    for (const call of everyCall(stranger)) await expect(call()).rejects.toEqual(unavailable);
    expect(await drive.list(at)).toEqual([{ name: 'a', bytes: 1 }]);
  });

  it.each(['', 'not json', '{}', '{"format":2,"store":"x","drive":7}'])(
    'is unavailable with the marker %j',
    async (text) => {
      await DirectoryDrive.create(root, identity);
      await writeFile(join(root, 'pocketful-drive'), text);
      await expect(DirectoryDrive.open(root, identity)).rejects.toEqual(unavailable);
    },
  );

  it('is unavailable once the directory vanished, at every call, and is never made again', async () => {
    const drive = await DirectoryDrive.create(root, identity);
    await drive.append(at, 'a', [Buffer.from('a')]);
    await rename(root, `${root}-away`);
    for (const call of everyCall(drive)) await expect(call()).rejects.toEqual(unavailable);
    expect(await readdir(folder)).toEqual(['drive-away']);
    await mkdir(root); // as a mount point is without its disk
    for (const call of everyCall(drive)) await expect(call()).rejects.toEqual(unavailable);
    expect(await readdir(root)).toEqual([]);
    await rm(root, { recursive: true });
    await rename(`${root}-away`, root);
    await drive.append(at, 'b', []);
    expect(await drive.list(at)).toHaveLength(2);
  });

  it('does not write to, nor erase from, another drive that took its place', async () => {
    const drive = await DirectoryDrive.create(root, identity);
    await drive.append(at, 'a', []);
    await rename(root, `${root}-away`);
    const other = await DirectoryDrive.create(root, { ...identity, driveId: driveId(1) });
    await other.append(at, 'theirs', []);
    await expect(drive.append(at, 'b', [])).rejects.toEqual(unavailable);
    await expect(drive.erase(at)).rejects.toEqual(unavailable);
    expect(await other.list(at)).toEqual([{ name: 'theirs', bytes: 0 }]);
  });
});

describe('what is not an object', () => {
  it('is neither listed nor erased', async () => {
    const drive = await DirectoryDrive.create(root, identity);
    await drive.append(at, 'a', [Buffer.from('a')]);
    await writeFile(join(root, '4', '2', '.DS_Store'), 'x');
    await mkdir(join(root, '4', '2', 'sub'));
    await mkdir(join(root, '04', '2'), { recursive: true });
    await writeFile(join(root, '04', '2', 'a'), 'x');
    await mkdir(join(root, '5', '0'), { recursive: true });
    await writeFile(join(root, '6'), 'a file where a zone would be');
    expect(await drive.list(at)).toEqual([{ name: 'a', bytes: 1 }]);
    expect(await drive.zones()).toEqual([at]);
    await rm(join(root, '4', '2', 'sub'), { recursive: true });
    await drive.erase(at);
    expect(await readdir(join(root, '4', '2'))).toEqual(['.DS_Store']);
    expect(await drive.zones()).toEqual([]);
  });
});

describe('crashed writers', () => {
  it('leave whole objects and invisible temporary files, which the next open removes', async () => {
    const drive = await DirectoryDrive.create(root, identity);
    let leftovers = 0;
    for (let round = 0; round < 3 || (leftovers === 0 && round < 20); round++) {
      const writer = await startWriter(root, identity, round);
      await new Promise((resolve) => setTimeout(resolve, 20 + 15 * round));
      await writer.kill();
      leftovers += (await readdir(join(root, TEMPORARY))).length;
      for (const { name, bytes } of await drive.list({ zone: 9, generation: round })) {
        expect(bytes).toBe(300_000);
        const read = await drive.read({ zone: 9, generation: round }, name);
        expect(read.every((byte) => byte === read[0])).toBe(true);
      }
      await DirectoryDrive.open(root, identity);
      expect(await readdir(join(root, TEMPORARY))).toEqual([]);
    }
    expect(leftovers).toBeGreaterThan(0);
    expect((await drive.zones()).length).toBeGreaterThan(0);
  });

  it('are told from running ones, here and elsewhere', async () => {
    const drive = await DirectoryDrive.create(root, identity);
    const writer = await startWriter(root, identity, 0);
    const [pid = '', , place = ''] = WRITER_TAG.split('-');
    expect(writerOf(`${WRITER_TAG}-0`)).toBe('alive');
    expect(writerOf(`${pid}-1-${place}-0`)).toBe('dead'); // the number of this process, but of an older owner
    expect(writerOf(`${writer.tag}-5`)).toBe('alive');
    expect(writerOf(`${pid}-1-000000000000-0`)).toBe('elsewhere');
    expect(writerOf('anything')).toBe('elsewhere');
    await writer.kill();
    expect(writerOf(`${writer.tag}-5`)).toBe('dead');
    expect(await drive.zones()).toHaveLength(1);
  });

  it('elsewhere are given a day, counted from the age of the file', async () => {
    await DirectoryDrive.create(root, identity);
    const clock = new SimulatedClock();
    const names = ['123-1-000000000000-0', 'unknown', `${WRITER_TAG}-77`];
    for (const name of names) {
      await writeFile(join(root, TEMPORARY, name), 'x');
      await utimes(join(root, TEMPORARY, name), clock.nowMs() / 1000, clock.nowMs() / 1000);
    }
    const drive = new DirectoryDrive(root, identity, clock);
    clock.advance(23 * 3_600_000);
    await drive.sweep();
    expect((await readdir(join(root, TEMPORARY))).sort()).toEqual([...names].sort());
    clock.advance(2 * 3_600_000);
    await drive.erase(at);
    expect(await readdir(join(root, TEMPORARY))).toEqual([`${WRITER_TAG}-77`]);
  });

  it('had their object linked twice: the name stays, the temporary goes', async () => {
    const drive = await DirectoryDrive.create(root, identity);
    await drive.append(at, 'a', [Buffer.from('a')]);
    const dead = join(root, TEMPORARY, `${WRITER_TAG.replace(/^\d+-\d+/, '1-1')}-3`);
    await link(join(root, '4', '2', 'a'), dead);
    await drive.sweep();
    expect(await readdir(join(root, TEMPORARY))).toEqual([]);
    expect((await readFile(join(root, '4', '2', 'a'))).toString()).toBe('a');
  });
});

describe('permissions', () => {
  it('a folder that may not be written is DRIVE_DENIED, and can still be read', async () => {
    const drive = await DirectoryDrive.create(root, identity);
    await drive.append(at, 'a', [Buffer.from('a')]);
    await chmod(folder, 0o755);
    await asNobody(async () => {
      await restricted(0o555, async () => {
        const denied = coded('denied', 'DRIVE_DENIED');
        await expect(drive.append(at, 'b', [])).rejects.toEqual(denied);
        await expect(drive.erase(at)).rejects.toEqual(denied);
        await expect(drive.probe()).rejects.toEqual(denied);
        expect(await drive.read(at, 'a')).toHaveLength(1);
        expect(await drive.list(at)).toHaveLength(1);
        expect(await (await DirectoryDrive.open(root, identity)).zones()).toEqual([at]);
      });
      await restricted(0o000, async () => {
        await expect(drive.read(at, 'a')).rejects.toEqual(coded('denied', 'DRIVE_DENIED'));
      });
    });
    expect(await drive.list(at)).toHaveLength(1);
  });
});

describe('errno', () => {
  it.each([
    ['ENOSPC', 'DRIVE_FULL'],
    ['EDQUOT', 'DRIVE_FULL'],
    ['EROFS', 'DRIVE_READ_ONLY'],
    ['EACCES', 'DRIVE_DENIED'],
    ['EPERM', 'DRIVE_DENIED'],
    ['EMFILE', 'DRIVE_BUSY'],
    ['EIO', 'DRIVE_BUSY'],
    ['ESTALE', 'DRIVE_UNAVAILABLE'],
  ])('%s is %s', (errno, code) => {
    const error = Object.assign(new Error(errno), { code: errno, syscall: 'write' });
    expect(directoryError('here', error)).toMatchObject({ code, cause: error });
  });

  it('leaves what is no errno alone', () => {
    const reason = new DOMException('stop', 'AbortError');
    expect(directoryError('here', reason)).toBe(reason);
  });
});

const everyCall = (drive: DirectoryDrive): (() => Promise<unknown>)[] => [
  () => drive.append(at, 'b', [Buffer.from('b')]),
  () => drive.append({ zone: 99, generation: 0 }, 'b', []),
  () => drive.read(at, 'a'),
  () => drive.list(at),
  () => drive.zones(),
  () => drive.erase(at),
  () => drive.probe(),
  () => drive.sweep(),
];

const NOBODY = 65_534;

/** Permissions mean nothing to root: it takes the rights of nobody for a while. */
async function asNobody(run: () => Promise<void>): Promise<void> {
  if (process.geteuid?.() !== 0) return run();
  process.seteuid?.(NOBODY);
  try {
    await run();
  } finally {
    process.seteuid?.(0);
  }
}

/** Runs with the folders of the drive at `mode`, changed and restored by their owner. */
async function restricted(mode: number, run: () => Promise<void>): Promise<void> {
  const outermostFirst = [join(root, TEMPORARY), join(root, '4'), join(root, '4', '2')];
  const change = async (paths: readonly string[], to: number): Promise<void> => {
    const effective = process.geteuid?.();
    if (process.getuid?.() === 0) process.seteuid?.(0);
    for (const path of paths) await chmod(path, to);
    if (effective !== undefined) process.seteuid?.(effective);
  };
  await change([...outermostFirst].reverse(), mode);
  try {
    await run();
  } finally {
    await change(outermostFirst, 0o755);
  }
}
