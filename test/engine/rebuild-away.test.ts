// restore --rebuild while drives are away: it takes what is there, names per object what is missing, and takes no zone that it cannot
// see, so that a later rebuild with all drives has everything.
import { describe, expect, it } from 'vitest';
import { encodeHot } from '../../lib/live-coder/encode-hot.ts';
import type { VolumeRow } from '../../lib/panda/rows/volume-row.ts';
import { zoneFromRow, zonePartition } from '../../lib/panda/rows/zone-row.ts';
import { directoryColumns } from '../../lib/volume/rows/directory-room.ts';
import { listVolumes, rowsOf as rowsIn } from '../../lib/volume/rows/read-rows.ts';
import { freeTrash } from '../../lib/volume/runs/free.ts';
import { type Process, TINY } from '../store/harness.ts';
import { expectSound } from '../store/recount.ts';
import { busyStore, expectFiles, putFiles, rebuilt, rowsOf } from './rebuilding.ts';

let made: ReturnType<typeof busyStore> | undefined;

/** Made once: each test has a copy of its own. */
async function aBusyStore() {
  made ??= busyStore(3, { ...TINY, zonesPerDrive: 100 });
  const { world: first, files } = await made;
  const world = first.clone();
  return { world, p: world.start(), files: new Map(files) };
}

const MANY = [0, 1, 2, 3, 4, 5, 6, 7, 8];

const warmOf = async ({ components: { panda, settings } }: Process): Promise<VolumeRow[]> =>
  (await listVolumes(panda, settings.cell)).filter((one) => one.class === 'warm' && one.buckets.size > 0);
const driveOf = (volume: VolumeRow | undefined, column: number): number => volume?.extents[column]?.drive ?? -1;

describe('restore --rebuild with drives away', () => {
  it('brings everything back that the code can rebuild, and the drive is used as before when it returns', async () => {
    const { world, p, files } = await aBusyStore();
    const backup = await rowsOf(p);
    // One of them has a copy of directories, whichever drives the volumes came to lie on.
    const before = await warmOf(p);
    const copies =
      before[0] === undefined ? [] : directoryColumns(before[0]).map((column) => driveOf(before[0], column));
    const away = [copies[0] ?? 4, copies[0] === 11 ? 4 : 11];
    const { process, report } = await rebuilt(world, backup, { away });
    expect(report.lost).toEqual([]);
    expect(report.drivesAway.map(({ drive }) => drive)).toEqual([...away].sort((a, b) => a - b));
    await expectFiles(process, files);
    await expectSound(process, away);
    // Columns on them are known from the backup: none has to be taken for lost.
    const found = await process.components.drives[away[0] as number]?.zones();
    const rows = new Map<number, number>();
    for await (const row of rowsIn(process.components.panda, zonePartition(away[0] as number))) {
      const zone = zoneFromRow(row);
      if (zone.volume !== undefined) rows.set(zone.zone, zone.generation);
    }
    expect(found?.filter(({ zone, generation }) => rows.get(zone) === generation).length).toBeGreaterThan(0);
    // Directories of which a copy is not there are not at their end: whoever finishes seals will see to it.
    const warm = await warmOf(process);
    const lacks = (volume: VolumeRow): boolean =>
      directoryColumns(volume).some((column) => away.includes(driveOf(volume, column)));
    expect(warm.some(lacks)).toBe(true);
    for (const volume of warm.filter(lacks)) expect(volume.directoriesPending).toBe(true);
  });

  it('refuses if all drives were asked for', async () => {
    const { world, p } = await aBusyStore();
    const work = rebuilt(world, await rowsOf(p), { away: [4], allDrives: true });
    await expect(work).rejects.toMatchObject({ kind: 'retry', code: 'DRIVES_MISSING' });
  });

  it('names each object that is lost and why, keeps every other, and harms nothing that comes back', async () => {
    const { world, p, files } = await aBusyStore();
    const backup = await rowsOf(p);
    const { process, report } = await rebuilt(world, backup, { away: MANY });
    expect(report.lostObjects).toBe(report.lost.length);
    expect(report.lostObjects).toBeGreaterThan(0);
    expect(report.objects + report.lostObjects).toBe(files.size);
    for (const { key, reason } of report.lost) {
      expect(files.has(key)).toBe(true);
      expect(reason).toMatch(
        /^\d+ of \d+ blocks cannot be had: \d+ on (too few of the|no) drives? that (are|is) there/,
      );
    }
    const kept = new Map([...files].filter(([key]) => !report.lost.some((lost) => lost.key === key)));
    await expectFiles(process, kept);
    await expectSound(process, MANY);
    // The drives are back while that store goes on: it writes, moves and frees, and takes nothing that they hold.
    await putFiles(process, kept, 1000, 1060, 99);
    await process.volumes.open.sealAll('hot');
    await encodeHot(process.volumes, { force: true, flush: true });
    await freeTrash(process.volumes, { ignoreGrace: true });
    await expectFiles(process, kept);
    const again = await rebuilt(world, backup);
    expect(again.report.lost).toEqual([]);
    await expectFiles(again.process, files);
  });
});
