// Is Panda older than its drives? Whoever writes takes a zone in its row, and a token in the row of its volume, before
// the first object is stored under them, and both only grow. So an object of a zone generation that no row has reached,
// or of a token that the volume's row has not, can come from no process that goes by this Panda, however dead or late
// it is: Panda was put back to an earlier state (docs/decisions/0015). Listings are read before rows, so nothing that
// happens meanwhile looks like that.
import type { Drive, ZoneRef } from '../../drive/drive.ts';
import { CHUNK_HEADER_BYTES, type ChunkHeader, parseChunkHeader, parseChunkName } from '../../format/chunk.ts';
import { mapLimit } from '../../foundation/concurrency.ts';
import { corrupt, isKind, isPocketfulError, type PocketfulError } from '../../foundation/errors.ts';
import { CHUNKS_LOOKED_INTO_MAX, LOOKED_AT_DRIVES_AT_ONCE, ZONES_LOOKED_INTO_MAX } from '../../limits/volume.ts';
import type { Extent, VolumeRow } from '../../panda/rows/volume-row.ts';
import { isGivenUp, writtenUpTo, type ZoneRow, zoneFromRow, zonePartition } from '../../panda/rows/zone-row.ts';
import type { Components } from '../rows/components.ts';
import { listVolumes, readVolume, rowsOf } from '../rows/read-rows.ts';

export interface DriveLook {
  readonly drive: number;
  /** False: it could not be listed, and nothing is known of it. */
  readonly isListed: boolean;
  /** What only a newer Panda can know, a phrase each; the first few. */
  readonly newer: readonly string[];
  /**
   * Zone generations that belong to nothing, newer or not: late puts of dead processes, what a restore gave up, foreign
   * files.
   */
  readonly strays: readonly ZoneRef[];
}

type Ports = Pick<Components, 'panda' | 'drives' | 'settings' | 'storeId' | 'badRow'>;

/** One listing of each drive's zones, and one of every extent of the open volumes. */
export async function lookAtDrives(components: Ports): Promise<DriveLook[]> {
  const zones = await mapLimit([...components.drives.keys()], LOOKED_AT_DRIVES_AT_ONCE, (id) =>
    lookAtZones(components, id),
  );
  const open = (await listVolumes(components.panda, components.settings.cell, components.badRow)).filter(
    ({ state }) => state === 'open',
  );
  const later = await mapLimit(open, LOOKED_AT_DRIVES_AT_ONCE, (volume) => laterTokens(components, volume));
  return zones.map((look) => ({
    ...look,
    newer: [...look.newer, ...later.flatMap((found) => found.get(look.drive) ?? [])],
  }));
}

/** Throws `corrupt` PANDA_BEHIND. */
export async function refuseIfBehind(components: Ports): Promise<void> {
  const error = behindError(components, await lookAtDrives(components));
  if (error !== undefined) throw error;
}

export function behindError(
  components: Pick<Components, 'drives'>,
  looks: readonly DriveLook[],
): PocketfulError | undefined {
  const shown = looks.filter(({ newer }) => newer.length > 0);
  const first = shown[0];
  if (first === undefined) return undefined;
  const drives = shown.length === 1 ? '' : `, and ${shown.length - 1} more drives likewise`;
  return pandaBehind(`${components.drives[first.drive]?.label} holds ${first.newer[0]}${drives}`);
}

export const pandaBehind = (why: string): PocketfulError =>
  corrupt(
    'PANDA_BEHIND',
    `the metadata is older than the drives (${why}): nothing is written or erased until the newest backup is back: pocketful restore FILE --rebuild (without any: pocketful adopt gives up what is newer)`,
  );

async function lookAtZones(components: Ports, id: number): Promise<DriveLook> {
  const drive = components.drives[id] as Drive;
  try {
    const found = await drive.zones();
    // Rows are read after the listing: a zone taken since then holds nothing that was listed.
    const rows = await zoneRowsOf(components, id);
    const strays = found.filter(({ zone, generation }) => isGivenUp(rows.get(zone), generation));
    const unknown = found.filter(({ zone, generation }) => generation > writtenUpTo(rows.get(zone)));
    const newer: string[] = [];
    for (const at of unknown.slice(0, ZONES_LOOKED_INTO_MAX)) {
      if (await holdsNewer(components, id, at))
        newer.push(`chunks in zone ${at.zone}/${at.generation} that it does not know`);
      else strays.push(at);
    }
    return { drive: id, isListed: true, newer, strays };
  } catch (error) {
    if (!isPocketfulError(error)) throw error;
    return { drive: id, isListed: false, newer: [], strays: [] };
  }
}

export async function zoneRowsOf(components: Pick<Components, 'panda'>, drive: number): Promise<Map<number, ZoneRow>> {
  const rows = new Map<number, ZoneRow>();
  for await (const row of rowsOf(components.panda, zonePartition(drive))) {
    const zone = zoneFromRow(row);
    rows.set(zone.zone, zone);
  }
  return rows;
}

/**
 * Files that are no sound chunks of this store say nothing, and neither do chunks that somebody moved here from their
 * own zone.
 */
async function holdsNewer(components: Ports, id: number, at: ZoneRef): Promise<boolean> {
  const names = (await (components.drives[id] as Drive).list(at)).map(({ name }) => name);
  const chunks = names.filter((name) => parseChunkName(name) !== undefined);
  for (const name of chunks.slice(0, CHUNKS_LOOKED_INTO_MAX)) {
    const header = await ownHeader(components, id, at, name);
    if (header === undefined) continue;
    const volume = await readVolume(components.panda, components.settings.cell, header.volumeId);
    if (volume === undefined || header.generation > volume.generation || header.token > volume.token) return true;
    if (header.generation === volume.generation && !(await isInPlace(components, volume, header.column, name)))
      return true;
  }
  return false;
}

/**
 * What a newer Panda had repaired lies in zones that an older one does not know, and no longer where that one looks. A
 * copy of what is in its place is nothing new.
 */
async function isInPlace(components: Ports, volume: VolumeRow, column: number, name: string): Promise<boolean> {
  const extent = volume.extents[column];
  const drive = components.drives[extent?.drive ?? -1];
  if (extent === undefined || drive === undefined) return false;
  try {
    await drive.read({ zone: extent.zone, generation: extent.zoneGeneration }, name, { offset: 0, length: 1 });
    return true;
  } catch (error) {
    if (!isPocketfulError(error)) throw error;
    return false;
  }
}

/** Undefined if it is damaged, of another store, under another name than its own, or gone. */
async function ownHeader(components: Ports, id: number, at: ZoneRef, name: string): Promise<ChunkHeader | undefined> {
  try {
    const range = { offset: 0, length: CHUNK_HEADER_BYTES };
    const header = parseChunkHeader(await (components.drives[id] as Drive).read(at, name, range));
    const named = parseChunkName(name);
    const isOwn =
      header.storeId === components.storeId && named?.token === header.token && named.sequence === header.sequence;
    return isOwn ? header : undefined;
  } catch (error) {
    if (isKind(error, 'corrupt', 'missing', 'invalid')) return undefined;
    throw error;
  }
}

/**
 * By drive: chunks in the extents of an open volume under a token that its row has not reached. Volumes that are sealed
 * are not written.
 */
async function laterTokens(components: Ports, volume: VolumeRow): Promise<Map<number, string>> {
  const listed = await Promise.all(
    volume.extents.map(async (extent) => ({ extent, names: await namesIn(components, extent) })),
  );
  const now = await readVolume(components.panda, components.settings.cell, volume.id);
  const found = new Map<number, string>();
  if (now === undefined) return found;
  for (const { extent, names } of listed)
    for (const name of names) {
      const token = parseChunkName(name)?.token ?? 0;
      if (token <= now.token) continue;
      const at = { zone: extent.zone, generation: extent.zoneGeneration };
      const header = await ownHeader(components, extent.drive, at, name).catch(() => undefined);
      if (header?.volumeId !== volume.id || header.generation !== volume.generation) continue;
      found.set(extent.drive, `chunk ${name} in zone ${extent.zone}, of a later append to volume ${volume.id}`);
      break;
    }
  return found;
}

async function namesIn(components: Ports, { drive, zone, zoneGeneration }: Extent): Promise<string[]> {
  try {
    const found = await (components.drives[drive] as Drive).list({ zone, generation: zoneGeneration });
    return found.map(({ name }) => name);
  } catch (error) {
    if (!isPocketfulError(error)) throw error;
    return [];
  }
}

/**
 * The highest token in the extents of an open volume, and whether any object there is of an append that its row does
 * not know.
 */
export async function appendsIn(
  components: Ports,
  volume: VolumeRow,
): Promise<{ readonly token: number; readonly hasUnknown: boolean }> {
  const names = await Promise.all(volume.extents.map((extent) => namesIn(components, extent)));
  const chunks = names.flat().flatMap((name) => parseChunkName(name) ?? []);
  return {
    token: Math.max(volume.token, ...chunks.map(({ token }) => token)),
    hasUnknown: chunks.some(({ token, sequence }) => token > volume.token || sequence >= volume.nextSeq),
  };
}
