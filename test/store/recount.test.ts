// The recount itself: what it passes over, and what it does not.
import { describe, expect, it } from 'vitest';
import { driveUnavailable } from '../../lib/drive/errors.ts';
import { changeDrive } from '../../lib/engine/drives/change-drive.ts';
import { driveAttributes, driveKey } from '../../lib/panda/rows/drives/drive-row.ts';
import { repairStore } from '../../lib/volume/repair/repair-store.ts';
import { hasUnfinishedReturn } from '../../lib/volume/repair/returned.ts';
import { readDriveRows } from '../../lib/volume/rows/drive-states.ts';
import { listVolumes } from '../../lib/volume/rows/read-rows.ts';
import { TINY, World } from './harness.ts';
import { expectSound } from './recount.ts';

/** A volume had a column there, which a repair has given up. */
async function withLostDrive() {
  const world = new World(12, { ...TINY, trashGraceMs: 0 });
  const p = world.start();
  await p.frontend.put({ namespace: 'n', key: 'a', body: Buffer.alloc(900, 'a') });
  const drive = (await listVolumes(world.panda, TINY.cell))[0]?.extents[0]?.drive ?? -1;
  await changeDrive(p.volumes, drive, { state: 'lost' });
  await repairStore(p.volumes);
  return { world, p, drive };
}

describe('the recount', () => {
  it('is of a drive that is back and then emptied, too: what was given up there is erased by the next repair', async () => {
    const { world, p, drive } = await withLostDrive();
    const row = (await readDriveRows(p.components)).get(drive) ?? expect.fail('no row of the drive');
    // Whoever said that it is back died before that; somebody else empties it.
    const emptied = driveAttributes({ ...row, state: 'draining', change: row.change + 2 });
    await world.panda.transact([{ kind: 'put', ...driveKey(drive), attributes: emptied }]);
    await expectSound(p, [], { awaitsRepair: true });
    await expect(expectSound(p)).rejects.toThrow(`zone zone/${drive} 0 is erasing`);
    await repairStore(p.volumes);
    await expectSound(p);
    await changeDrive(p.volumes, drive, { state: 'retired' });
  });

  it('passes over what was given up on a drive that is back until a repair was there, and no longer', async () => {
    const { world, p, drive } = await withLostDrive();
    await expectSound(p);
    // Whoever says that it is back dies before it erases what was given up there.
    const row = (await readDriveRows(p.components)).get(drive) ?? expect.fail('no row of the drive');
    const back = driveAttributes({ ...row, state: 'active', change: row.change + 1 });
    await world.panda.transact([{ kind: 'put', ...driveKey(drive), attributes: back }]);
    expect(await hasUnfinishedReturn(p.volumes)).toBe(true);
    await expectSound(p, [], { awaitsRepair: true });
    await expect(expectSound(p)).rejects.toThrow(`zone zone/${drive} 0 is erasing`);
    // A repair that cannot erase it leaves it; the next one does.
    const [held] = world.drives.slice(drive);
    const erase = held?.erase.bind(held);
    if (held === undefined || erase === undefined) expect.fail('no such drive');
    held.erase = () => Promise.reject(driveUnavailable(held.label, 'away'));
    await repairStore(p.volumes);
    await expect(expectSound(p)).rejects.toThrow(`zone zone/${drive} 0 is erasing`);
    held.erase = erase;
    await repairStore(p.volumes);
    await expectSound(p);
  });
});
