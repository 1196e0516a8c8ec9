// What on the drives only a newer Panda can know: a sound chunk in a zone generation that no row has reached, or under a token that the row of its
// open volume has not. All there is is gone through, where the store looks at a few.
import { parseChunkHeader } from '../../../lib/format/chunk.ts';
import { parseChunkName } from '../../../lib/format/object-names.ts';
import type { Row } from '../../../lib/panda/panda.ts';
import { volumeFromRow } from '../../../lib/panda/rows/volume-row.ts';
import { zoneFromRow } from '../../../lib/panda/rows/zone-row.ts';
import type { SimWorld } from '../actors/sim-world.ts';
import type { Disk } from '../ports/disk.ts';

/** Where a chunk may be, as far as rows know: `drive/zone/generation`, and under which token at the most. */
function knownTo(rows: readonly Row[]): (drive: number, zone: number, generation: number) => number {
  const tokens = new Map<string, number>();
  const reached = new Map<string, number>();
  for (const row of rows) {
    if (row.partition.startsWith('zone/')) {
      const { zone, generation, state } = zoneFromRow(row);
      reached.set(`${row.partition.slice('zone/'.length)}/${zone}`, state === 'used' ? generation : generation - 1);
    }
    if (!row.partition.startsWith('volume/')) continue;
    const { state, token, extents } = volumeFromRow(row);
    if (state !== 'open') continue;
    for (const { drive, zone, zoneGeneration } of extents) tokens.set(`${drive}/${zone}/${zoneGeneration}`, token);
  }
  return (drive, zone, generation) => {
    if (generation > (reached.get(`${drive}/${zone}`) ?? 0)) return -1;
    return tokens.get(`${drive}/${zone}/${generation}`) ?? Number.POSITIVE_INFINITY;
  };
}

/** In words, or undefined. Drives that were damaged or put back say nothing. */
export async function newerThan(rows: readonly Row[], world: SimWorld): Promise<string | undefined> {
  const tokenIn = knownTo(rows);
  for (const [drive, disk] of world.disks.entries()) {
    if (world.lossyDrives.has(drive)) continue;
    for (const { at, names } of disk.held())
      for (const name of names) {
        const token = parseChunkName(name)?.token ?? -1;
        if (token <= tokenIn(drive, at.zone, at.generation) || !(await isSound(disk, at, name))) continue;
        return `chunk ${name} in zone ${at.zone}/${at.generation} of ${disk.label}`;
      }
  }
  return undefined;
}

async function isSound(disk: Disk, at: Parameters<Disk['read']>[0], name: string): Promise<boolean> {
  try {
    const { token, sequence } = parseChunkHeader(await disk.read(at, name));
    const named = parseChunkName(name);
    return named?.token === token && named.sequence === sequence;
  } catch {
    return false; // torn, or somebody's stray
  }
}
