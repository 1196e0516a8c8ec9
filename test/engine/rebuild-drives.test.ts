// restore --rebuild keeps what was known of the drives: states, domains, incarnations, and how many the clock gave up.
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { markerOf } from '../../lib/drive/directory-marker.ts';
import { backupTo } from '../../lib/engine/backup/backup.ts';
import { restoreTo } from '../../lib/engine/backup/restore.ts';
import { changeDrive } from '../../lib/engine/drives/change-drive.ts';
import { createEmbedded, openEmbedded } from '../../lib/engine/wire/embedded.ts';
import { brakeKey, countLoss } from '../../lib/panda/rows/drives/brake-row.ts';
import { type DriveRow, driveAttributes, driveKey } from '../../lib/panda/rows/drives/drive-row.ts';
import { settingsOf } from '../../lib/settings/settings.ts';
import { repairStore } from '../../lib/volume/repair/repair-store.ts';
import { readDriveRows } from '../../lib/volume/rows/drive-states.ts';
import { listVolumes } from '../../lib/volume/rows/read-rows.ts';
import { temporaryFolder } from '../cli/temporary-folder.ts';
import { TINY, World } from '../store/harness.ts';
import { LOOKED_AT } from '../volume/planted.ts';
import { busyStore, expectFiles, rebuilt, rowsOf } from './rebuilding.ts';

describe('the rows of drives', () => {
  it('are as the backup has them; a retired drive is not looked for', async () => {
    const { world, p, files } = await busyStore(5, { ...TINY, zonesPerDrive: 100 });
    const told: DriveRow[] = [
      { drive: 1, state: 'draining', change: 3, sinceMs: 40, domain: 'shelf-a', incarnation: 'aa' },
      { drive: 2, state: 'active', change: 1, sinceMs: 9, domain: 'shelf-b', away: { sinceMs: 5, seenMs: 6 } },
      { drive: world.drives.length - 1, state: 'lost', change: 2, sinceMs: 50, domain: undefined, lostByClockMs: 50 },
    ];
    for (const { drive, ...row } of told)
      await world.panda.transact([{ kind: 'put', ...driveKey(drive), attributes: driveAttributes(row) }]);
    await world.panda.transact([countLoss(undefined)]);
    const { process, report } = await rebuilt(world, await rowsOf(p));
    expect(report.drivesAway).toEqual([]);
    const rows = await readDriveRows(process.components);
    for (const { away: _, ...row } of told) expect(rows.get(row.drive)).toMatchObject(row);
    expect(rows.get(2)?.away).toBeUndefined();
    expect(rows.size).toBe(told.length);
    expect(await process.components.panda.get(brakeKey)).toMatchObject({ attributes: { n: 1 } });
    // The next repair goes on with what was begun.
    expect(await repairStore(process.volumes)).toMatchObject({ lost: [], left: [] });
    await expectFiles(process, files);
    // Emptied and retired: its directory may be gone for good.
    const drive = world.drives.length - 1;
    await process.components.panda.transact([
      { kind: 'put', ...driveKey(drive), attributes: driveAttributes({ ...(told[2] as DriveRow), state: 'retired' }) },
    ]);
    const again = await rebuilt(world, await rowsOf(process), { away: [drive], allDrives: true });
    expect(again.report.drivesAway).toEqual([]);
    expect((await readDriveRows(again.process.components)).get(drive)).toMatchObject({ state: 'retired' });
    await expectFiles(again.process, files);
  });
});

describe('incarnations', () => {
  const root = temporaryFolder();

  it('are those of the markers: a disk that is wiped afterwards is no empty drive', async () => {
    const dir = join(root, 'store');
    const settings = settingsOf('demo', { ...LOOKED_AT, warmCodec: 'xor-2-1', hotCodec: 'xor-2-1' });
    const store = await createEmbedded(dir, { settings, drives: 5 });
    await store.frontend.put({ namespace: 'default', key: 'a', body: new Uint8Array(9000).fill(3) });
    await changeDrive(store.volumes, 0, { domain: 'one' });
    await backupTo(store, join(root, 'backup'));
    const [first] = store.components.drives;
    await store.close();
    for (const name of ['panda.sqlite', 'panda.sqlite-wal', 'panda.sqlite-shm', 'panda.reserve'])
      rmSync(join(dir, name), { force: true });
    await restoreTo(dir, join(root, 'backup'), { rebuild: true });
    const label = first?.label ?? '';
    const { incarnation } = await markerOf(label);
    const back = await openEmbedded(dir);
    const row = (await readDriveRows(back.components)).get(0);
    expect(row).toMatchObject({ domain: 'one', state: 'active', incarnation });
    expect(incarnation).toMatch(/^[0-9a-f]{16}$/);
    await back.close();
    renameSync(label, `${label}.old`);
    mkdirSync(label);
    writeFileSync(
      join(label, 'pocketful-drive'),
      JSON.stringify({ format: 1, store: back.components.storeId, drive: 0, incarnation: 'ff' }),
    );
    const wiped = await openEmbedded(dir);
    await expect(wiped.components.drives[0]?.probe()).rejects.toMatchObject({ code: 'DRIVE_UNAVAILABLE' });
    await wiped.close();
  });
});

describe('a rebuild without any row of a drive', () => {
  it('makes none', async () => {
    const world = new World(8, TINY);
    const p = world.start();
    await p.frontend.put({ namespace: 'default', key: 'a', body: new Uint8Array(900) });
    const { process } = await rebuilt(world, await rowsOf(p));
    expect((await readDriveRows(process.components)).size).toBe(0);
  });
});

describe('an extent', () => {
  it('has no more used than it holds, whatever writers who were refused have left in its zone', async () => {
    const world = new World(11, TINY);
    const p = world.start();
    await p.frontend.put({ namespace: 'default', key: 'a', body: new Uint8Array(900) });
    const before = await listVolumes(world.panda, TINY.cell);
    for (const { extents } of before)
      for (const { drive, zone, zoneGeneration } of extents)
        await world.drives[drive]?.append({ zone, generation: zoneGeneration }, 'left', [
          new Uint8Array(TINY.extentBytes),
        ]);
    const { process } = await rebuilt(world, await rowsOf(p));
    const found = await listVolumes(process.components.panda, TINY.cell);
    const used = found.flatMap(({ extentUsedBytes }) => extentUsedBytes);
    expect(Math.max(...used)).toBe(TINY.extentBytes);
  });
});
