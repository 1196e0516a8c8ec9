// What must not be left over once all is still: rows of unfinished work, volumes between two states, trash beyond its grace, and bytes on
// drives that belong to no volume.
import { DIRECTORY_PACK_NAME } from '../../../lib/format/object-names.ts';
import { type Extent, type VolumeRow, volumeFromRow } from '../../../lib/panda/rows/volume-row.ts';
import { zoneFromRow } from '../../../lib/panda/rows/zone-row.ts';
import { directoryColumns } from '../../../lib/volume/rows/directory-room.ts';
import type { SimWorld } from '../actors/sim-world.ts';
import type { Disk } from '../ports/disk.ts';
import { Violation } from './violation.ts';

/** Work that somebody has to finish. What else lies under `work` is about the store as a whole and stays. */
const UNFINISHED = /^work\/(upload|release|run|merge)/;
const AT_REST = new Set(['open', 'sealed']);

export async function expectNothingLeft(world: SimWorld): Promise<void> {
  const rows = world.server.rows.snapshot();
  const left = (what: string): never => {
    throw new Violation('leak', what);
  };
  const used = new Set<string>();
  for (const row of rows) {
    const table = row.partition.split('/', 1)[0];
    if (UNFINISHED.test(row.partition)) left(`a row of work: ${row.partition}|${row.sort}`);
    if (table === 'trash' && !world.mayHaveLost) left(`a block in trash: ${row.partition}|${row.sort}`);
    if (table === 'removed' && !world.mayHaveLost) left(`what was deleted, still listed: ${row.partition}|${row.sort}`);
    if (table === 'volume') {
      const volume = volumeFromRow(row);
      const { id, state, pendingSeq, owner, run, next } = volume;
      if (world.mayHaveLost) continue;
      if (!AT_REST.has(state)) left(`volume ${id} is ${state}`);
      if (pendingSeq !== undefined) left(`volume ${id} has group ${pendingSeq} pending`);
      if (owner !== undefined) left(`volume ${id} is leased by ${owner}`);
      if (run !== undefined || next !== undefined) left(`volume ${id} belongs to run ${run}`);
      if (volume.directoriesPending && !mayStayPending(world, volume)) left(`volume ${id} has not all its directories`);
    }
    if (table === 'zone') {
      const { zone, generation, state } = zoneFromRow(row);
      if (state !== 'free') used.add(`${row.partition.slice('zone/'.length)}/${zone}/${generation}`);
    }
  }
  for (const [drive, disk] of world.disks.entries())
    for (const { at, bytes } of disk.held())
      if (!used.has(`${drive}/${at.zone}/${at.generation}`))
        left(`${bytes} bytes in zone ${at.zone}, generation ${at.generation} of drive ${drive} belong to nothing`);
}

/** Half an object has the name of the pack: it cannot be written. */
export const isPackTorn = (world: SimWorld, { drive, zone, zoneGeneration }: Extent): boolean =>
  (world.disks[drive] as Disk).wasTorn({ zone, generation: zoneGeneration }, DIRECTORY_PACK_NAME);

/** Something is in the way of its directories that only a repair takes away. */
const mayStayPending = (world: SimWorld, volume: VolumeRow): boolean =>
  directoryColumns(volume).some((column) => {
    const extent = volume.extents[column] as Extent;
    return world.lossyDrives.has(extent.drive) || isPackTorn(world, extent);
  });
