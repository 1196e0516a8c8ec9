// Every column of every group is on its drive, as long as its volume still lists its groups; drives that lost something left aside.
import { chunkName } from '../../../lib/format/chunk.ts';
import { groupFromRow, groupPartition } from '../../../lib/panda/rows/group-row.ts';
import { type VolumeRow, volumeFromRow } from '../../../lib/panda/rows/volume-row.ts';
import type { SimWorld } from '../actors/sim-world.ts';
import type { Disk } from '../ports/disk.ts';
import { Violation } from './violation.ts';

export async function expectRedundant(world: SimWorld): Promise<void> {
  // Of what a backup names, columns may be gone since, as few as are done without.
  if (world.mayHaveLost || world.wasPutBack) return;
  for (const row of world.server.rows.snapshot())
    if (row.partition.startsWith('volume/')) await expectWhole(world, volumeFromRow(row));
}

async function expectWhole(world: SimWorld, volume: VolumeRow): Promise<void> {
  const drives = new Set(volume.extents.map(({ drive }) => drive));
  if (drives.size < volume.extents.length)
    throw new Violation('wrong', `two columns of volume ${volume.id} are on one drive`);
  const { rows } = await world.server.rows.query(groupPartition(volume.id, volume.generation));
  for (const { seq, token, columnBytes } of rows.map(groupFromRow))
    for (const [column, { drive, zone, zoneGeneration }] of volume.extents.entries()) {
      if (columnBytes[column] === 0 || world.lossyDrives.has(drive)) continue;
      const listed = await (world.disks[drive] as Disk).list({ zone, generation: zoneGeneration });
      const name = chunkName(seq, token);
      if (!listed.some((object) => object.name === name))
        throw new Violation(
          'wrong',
          `column ${column} of group ${seq} of volume ${volume.id} is not on drive ${drive}`,
        );
    }
}
