// A plain restore of a backup that is older than what moved since would make a store whose names cannot be read: it is refused, with the
// command that helps; and a rebuild of the same backup reads all of them. Through the real CLI.
import { existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EXIT } from '../../bin/commands/exit-codes.ts';
import { backupTo } from '../../lib/engine/backup/backup.ts';
import { restoreTo } from '../../lib/engine/backup/restore.ts';
import { createEmbedded } from '../../lib/engine/wire/embedded.ts';
import { encodeHot } from '../../lib/live-coder/encode-hot.ts';
import { freeTrash } from '../../lib/volume/runs/free.ts';
import { pocketful } from '../cli/cli.ts';
import { temporaryFolder } from '../cli/temporary-folder.ts';
import { DRIVES, differing, filesOf, putFiles, SMALL, withStore } from './small-store.ts';

const root = temporaryFolder();

/** A store that moved everything after its backup, its metadata lost. */
async function movedStore(name: string) {
  const dir = join(root, name);
  const backup = join(root, `${name}.backup`);
  const files = filesOf(5, 40);
  const store = await createEmbedded(dir, { settings: SMALL, drives: DRIVES });
  await putFiles(store, files);
  await backupTo(store, backup);
  await store.volumes.open.sealAll('hot');
  await encodeHot(store.volumes, { force: true, flush: true });
  await freeTrash(store.volumes, { ignoreGrace: true });
  await store.close();
  lose(dir, `${name}.lost`);
  return { dir, backup, files };
}

function lose(dir: string, to: string): void {
  mkdirSync(join(root, to));
  for (const name of readdirSync(dir).filter((found) => found.startsWith('panda.sqlite')))
    renameSync(join(dir, name), join(root, to, name));
}

describe('restore of a backup from before later moves', () => {
  it('is refused and says --rebuild, which brings all of it back', async () => {
    const { dir, backup, files } = await movedStore('moved');
    const plain = await pocketful(root, ['restore', backup, '--store', `file:${dir}`]);
    expect(plain.code).toBe(EXIT.corrupt);
    expect(plain.stderr).toMatch(/--rebuild.*\(BACKUP_BEHIND\)/);
    expect(readdirSync(dir).filter((name) => name.startsWith('panda.sqlite'))).toEqual([]);
    const rebuilt = await pocketful(root, ['restore', backup, '--rebuild', '--store', `file:${dir}`, '--json']);
    expect(rebuilt.code).toBe(EXIT.ok);
    expect(JSON.parse(rebuilt.stdout).rebuild).toMatchObject({ objects: 40, lost: [], lostObjects: 0, drivesAway: [] });
    expect(await withStore(dir, (store) => differing(store, files))).toEqual([]);
  });

  it('with a drive away: goes on, says which, or refuses when all drives are asked for', async () => {
    const { dir, backup, files } = await movedStore('away');
    renameSync(join(dir, 'drives/02'), join(root, 'drive-02'));
    const restore = (...options: string[]) =>
      pocketful(root, ['restore', backup, '--rebuild', ...options, '--store', `file:${dir}`]);
    const all = await restore('--all-drives');
    expect(all.code).toBe(EXIT.retry);
    expect(all.stderr).toContain('DRIVES_MISSING');
    expect(existsSync(join(dir, 'panda.sqlite'))).toBe(false);
    const rebuilt = await restore();
    expect(rebuilt.code).toBe(EXIT.ok);
    expect(rebuilt.stderr).toMatch(/drives\/02 is away/);
    expect(await withStore(dir, (store) => differing(store, files))).toEqual([]);
    // Nothing is put where it cannot be seen what is there.
    await expect(withStore(dir, (store) => putFiles(store, filesOf(6, 3)))).resolves.toBeUndefined();
    expect(existsSync(join(dir, 'drives/02'))).toBe(false);
  });

  it('with more drives away than the code survives: names what is lost, exit code 3', async () => {
    const { dir, backup } = await movedStore('lossy');
    for (const drive of [0, 1, 2, 3, 4]) renameSync(join(dir, `drives/0${drive}`), join(root, `lossy-0${drive}`));
    const ran = await pocketful(root, ['restore', backup, '--rebuild', '--store', `file:${dir}`, '--json']);
    expect(ran.code).toBe(EXIT.someFailed);
    const { rebuild } = JSON.parse(ran.stdout);
    expect(rebuild.lostObjects).toBeGreaterThan(0);
    expect(rebuild.lost[0].reason).toContain('cannot be had');
    expect(ran.stderr).toContain(`lost ${rebuild.lost[0].key}`);
  });
});

describe('a plain restore', () => {
  it('of a backup of now is not refused, also while drives are away', async () => {
    const dir = join(root, 'now');
    const backup = join(root, 'now.backup');
    const store = await createEmbedded(dir, { settings: SMALL, drives: DRIVES });
    await putFiles(store, filesOf(8, 30));
    await store.volumes.open.sealAll('hot');
    await encodeHot(store.volumes, { force: true, flush: true });
    await putFiles(store, filesOf(9, 5, 100));
    await backupTo(store, backup);
    await store.close();
    lose(dir, 'now.lost');
    expect(await restoreTo(dir, backup)).toMatchObject({ newerZones: 0 });
    lose(dir, 'now.lost2');
    for (const drive of [0, 1, 2]) renameSync(join(dir, `drives/0${drive}`), join(root, `now-0${drive}`));
    expect(await restoreTo(dir, backup)).toMatchObject({ newerZones: 0 });
  });
});
