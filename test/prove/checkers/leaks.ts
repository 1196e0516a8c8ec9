// What must not be left over once all is still: rows of unfinished work, volumes between two states, trash beyond its grace, and bytes on
// drives that belong to no volume.
import { volumeFromRow } from '../../../lib/panda/rows/volume-row.ts';
import { zoneFromRow } from '../../../lib/panda/rows/zone-row.ts';
import type { SimWorld } from '../actors/sim-world.ts';
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
    if (table === 'volume') {
      const { id, state, pendingSeq, owner, run, next } = volumeFromRow(row);
      if (world.mayHaveLost) continue;
      if (!AT_REST.has(state)) left(`volume ${id} is ${state}`);
      if (pendingSeq !== undefined) left(`volume ${id} has group ${pendingSeq} pending`);
      if (owner !== undefined) left(`volume ${id} is leased by ${owner}`);
      if (run !== undefined || next !== undefined) left(`volume ${id} belongs to run ${run}`);
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
