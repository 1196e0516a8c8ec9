// What on the drives only a newer Panda can know: a sound chunk in a zone generation that no row has reached, or under a token that the row of its
// open volume has not. All there is is gone through, where the store looks at a few. A copy of what still lies where those rows look for it is none, as
// 0015 has it: what a newer Panda moved, and has not erased in its old place yet, is all there for the older one.
import { type ChunkHeader, parseChunkHeader } from '../../../lib/format/chunk.ts';
import { parseChunkName } from '../../../lib/format/object-names.ts';
import type { Row } from '../../../lib/panda/panda.ts';
import { volumeFromRow } from '../../../lib/panda/rows/volume-row.ts';
import { zoneFromRow } from '../../../lib/panda/rows/zone-row.ts';
import type { SimWorld } from '../actors/sim-world.ts';
import type { Disk } from '../ports/disk.ts';

/** No token is as low. */
const UNKNOWN_ZONE = -1;

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
    if (generation > (reached.get(`${drive}/${zone}`) ?? 0)) return UNKNOWN_ZONE;
    return tokens.get(`${drive}/${zone}/${generation}`) ?? Number.POSITIVE_INFINITY;
  };
}

/** Whether rows find the same chunk of the same column in its own place. */
function inPlace(rows: readonly Row[], world: SimWorld): (header: ChunkHeader, name: string) => boolean {
  const volumes = new Map(
    rows.filter(({ partition }) => partition.startsWith('volume/')).map((row) => [row.sort, volumeFromRow(row)]),
  );
  return ({ volumeId, generation, token, column }, name) => {
    const volume = volumes.get(volumeId);
    const extent = volume?.extents[column];
    if (volume === undefined || extent === undefined || volume.generation !== generation || token > volume.token)
      return false;
    const held = world.disks[extent.drive]?.held() ?? [];
    return held.some(
      ({ at, names }) => at.zone === extent.zone && at.generation === extent.zoneGeneration && names.includes(name),
    );
  };
}

/** In words, or undefined. Drives that were damaged or put back say nothing. */
export async function newerThan(rows: readonly Row[], world: SimWorld): Promise<string | undefined> {
  const tokenIn = knownTo(rows);
  const isInPlace = inPlace(rows, world);
  for (const [drive, disk] of world.disks.entries()) {
    if (world.lossyDrives.has(drive)) continue;
    for (const { at, names } of disk.held())
      for (const name of names) {
        const token = parseChunkName(name)?.token ?? -1;
        const known = tokenIn(drive, at.zone, at.generation);
        if (token <= known) continue;
        const header = await soundHeader(disk, at, name);
        if (header === undefined || (known === UNKNOWN_ZONE && isInPlace(header, name))) continue;
        return `chunk ${name} in zone ${at.zone}/${at.generation} of ${disk.label}`;
      }
  }
  return undefined;
}

async function soundHeader(
  disk: Disk,
  at: Parameters<Disk['read']>[0],
  name: string,
): Promise<ChunkHeader | undefined> {
  try {
    const header = parseChunkHeader(await disk.read(at, name));
    const named = parseChunkName(name);
    return named?.token === header.token && named.sequence === header.sequence ? header : undefined;
  } catch {
    return undefined; // torn, or somebody's stray
  }
}
