// What is said once panda.sqlite is gone, and that `init` leaves nothing behind when it refuses.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openOrCreate } from '../../lib/client/file/create-store.ts';
import { backupTo } from '../../lib/engine/backup/backup.ts';
import { restoreTo } from '../../lib/engine/backup/restore.ts';
import { createEmbedded, openEmbedded } from '../../lib/engine/wire/embedded.ts';
import { SqlitePanda } from '../../lib/panda/sqlite/sqlite-panda.ts';
import { temporaryFolder } from '../cli/temporary-folder.ts';
import { DRIVES, differing, filesOf, putFiles, SMALL, withStore } from './small-store.ts';

const root = temporaryFolder();
let made = 0;
const fresh = (): string => join(root, `s${made++}`);
const lose = (dir: string): void => {
  for (const name of ['panda.sqlite', 'panda.sqlite-wal', 'panda.sqlite-shm']) rmSync(join(dir, name), { force: true });
};
const contents = (dir: string): string[] => readdirSync(dir, { recursive: true, encoding: 'utf8' }).sort();

describe('a store whose panda.sqlite is gone', () => {
  it('is told by its keys or its drives, by every command, with the one that helps', async () => {
    const files = filesOf(1, 10);
    for (const left of ['all', 'keys', 'drives'] as const) {
      const dir = fresh();
      const store = await createEmbedded(dir, { settings: SMALL, drives: DRIVES });
      await putFiles(store, files);
      const backup = fresh();
      await backupTo(store, backup);
      await store.close();
      lose(dir);
      if (left === 'keys') rmSync(join(dir, 'drives'), { recursive: true });
      if (left === 'drives') renameSync(join(dir, 'keys.json'), `${dir}.keys`);
      const before = contents(dir);
      const help = {
        kind: 'corrupt',
        code: 'PANDA_LOST',
        message: expect.stringMatching(/pocketful restore --from-drives.*pocketful restore FILE/),
      };
      await expect(openEmbedded(dir)).rejects.toMatchObject(help);
      await expect(createEmbedded(dir, { settings: SMALL, drives: DRIVES })).rejects.toMatchObject(help);
      await expect(openOrCreate(dir, {})).rejects.toMatchObject(help);
      expect(contents(dir)).toEqual(before);
      if (left === 'all') {
        await restoreTo(dir, backup, { rebuild: true });
        await withStore(dir, async (again) => expect(await differing(again, files)).toEqual([]));
      }
    }
  });

  it('beside a file that an init of before left half made: the same, and what to move away', async () => {
    const dir = fresh();
    await (await createEmbedded(dir, { settings: SMALL, drives: DRIVES })).close();
    lose(dir);
    await (await SqlitePanda.open(join(dir, 'panda.sqlite'))).close();
    const help = { code: 'PANDA_LOST', message: expect.stringMatching(/holds no store.*move that file away/) };
    await expect(openEmbedded(dir)).rejects.toMatchObject(help);
    await expect(createEmbedded(dir, { settings: SMALL, drives: DRIVES })).rejects.toMatchObject(help);
  });
});

describe('init that refuses', () => {
  it('for a drive of another store, or one that holds something, leaves nothing', async () => {
    const disks = Array.from({ length: DRIVES }, () => fresh());
    await (await createEmbedded(fresh(), { settings: SMALL, drives: disks })).close();
    const marker = readFileSync(join(disks[0] as string, 'pocketful-drive'), 'utf8');
    const [dir, empty] = [fresh(), fresh()];
    const taken = [...Array.from({ length: DRIVES - 1 }, (_, i) => join(empty, `${i}`)), disks[3] as string];
    await expect(createEmbedded(dir, { settings: SMALL, drives: taken })).rejects.toMatchObject({
      code: 'DRIVE_TAKEN',
      message: expect.stringContaining('pocketful restore FILE'),
    });
    expect([existsSync(dir), existsSync(empty)]).toEqual([false, false]);
    expect(readFileSync(join(disks[0] as string, 'pocketful-drive'), 'utf8')).toBe(marker);
    mkdirSync(empty);
    writeFileSync(join(empty, 'mine'), 'x');
    const full = [...Array.from({ length: DRIVES - 1 }, (_, i) => join(root, `${made}-${i}`)), empty];
    await expect(createEmbedded(dir, { settings: SMALL, drives: full })).rejects.toMatchObject({
      code: 'DRIVE_NOT_EMPTY',
    });
    expect([existsSync(dir), contents(empty)]).toEqual([false, ['mine']]);
  });

  it('for a drive that turns out not to be writable takes back what it made', async () => {
    const [dir, disks] = [fresh(), fresh()];
    mkdirSync(disks);
    writeFileSync(join(disks, 'file'), '');
    // Below a file no folder can be made; nobody looks for that before.
    const drives = Array.from({ length: DRIVES }, (_, i) => join(disks, i === 4 ? 'file/4' : `${i}`));
    await expect(createEmbedded(dir, { settings: SMALL, drives })).rejects.toMatchObject({ kind: expect.any(String) });
    expect(existsSync(dir)).toBe(false);
    expect(contents(disks)).toEqual(['file']);
    chmodSync(disks, 0o700);
    await (await createEmbedded(dir, { settings: SMALL, drives: DRIVES })).close();
  });
});
