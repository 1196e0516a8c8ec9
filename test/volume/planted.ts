// Damage planted into the drives of a small store: every part of a chunk and of a pack, one object at a time.
import { CHUNK_HEADER_BYTES, parseChunkHeader } from '../../lib/format/chunk.ts';
import { PACK_HEADER_BYTES, parsePackHeader } from '../../lib/format/directory-pack.ts';
import { DIRECTORY_PACK_NAME, parseBucketDirectoryName, parseChunkName } from '../../lib/format/object-names.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { encodeHot } from '../../lib/live-coder/encode-hot.ts';
import type { DamagedPart } from '../../lib/panda/rows/damage-row.ts';
import type { VolumeRow } from '../../lib/panda/rows/volume-row.ts';
import { type Settings, settingsOf } from '../../lib/settings/settings.ts';
import { listVolumes } from '../../lib/volume/rows/read-rows.ts';
import { type Process, World } from '../store/harness.ts';

const KIB = 1024;
/** Small volumes, one open at a time: every object of a world can be looked at. */
export const LOOKED_AT: Partial<Settings> = {
  preset: 'custom',
  blockBytesMax: KIB,
  extentBytes: 64 * KIB,
  bucketBytes: 4 * KIB,
  slotsPerBucketMax: 256,
  groupBytesMin: 48 * KIB,
  openVolumes: 8,
};

export const SMALL_RS: Settings = settingsOf('demo', { ...LOOKED_AT, groupBytesMin: 24 * KIB, warmCodec: 'rs-6-3' });

export interface PlantedPlace {
  readonly volume: VolumeRow;
  readonly column: number;
  readonly name: string;
  readonly part: DamagedPart;
  readonly bytes: Uint8Array;
}

async function putSome(p: Process, seed: number, count: number, bytesMax: number): Promise<void> {
  const random = new SeededRandomness(seed);
  const items = Array.from({ length: count }, (_, i) => ({
    namespace: 'default',
    key: `f/${seed}-${i}`,
    body: random.bytes(random.below(bytesMax) + 1),
  }));
  for await (const outcome of p.frontend.putAll(items)) if (!outcome.ok) throw outcome.error;
}

/** A sealed volume of the warm codec, and an open one that puts have just written to. */
export async function plantedWorld(
  seed: number,
  settings: Settings,
  drives: number,
  { files = 40, bytesMax = 1800 } = {},
): Promise<World> {
  const world = new World(seed, settings, drives);
  const p = world.start();
  await putSome(p, seed, files, bytesMax);
  await p.volumes.open.sealAll('hot');
  await encodeHot(p.volumes, { force: true, flush: true });
  await p.volumes.open.sealAll('warm');
  await putSome(p, seed + 1, Math.min(files, 6), bytesMax);
  return world;
}

/** Every object of the volumes that hold data. */
export async function placesIn(world: World): Promise<PlantedPlace[]> {
  const places: PlantedPlace[] = [];
  for (const volume of await listVolumes(world.panda, world.settings.cell)) {
    if (volume.state === 'trash' || volume.buckets.size === 0) continue;
    for (const [column, { drive, zone, zoneGeneration }] of volume.extents.entries()) {
      const at = { zone, generation: zoneGeneration };
      for (const { name } of (await world.drives[drive]?.list(at)) ?? []) {
        const bytes = (await world.drives[drive]?.read(at, name)) as Uint8Array;
        const part =
          parseChunkName(name)?.sequence ?? (name === DIRECTORY_PACK_NAME ? 'pack' : (name as `dir-${string}`));
        places.push({ volume, column, name, part, bytes });
      }
    }
  }
  return places;
}

/** The object with other bytes, or without any (undefined). Zones cannot be changed, so they are written anew. */
export async function replace(world: World, place: PlantedPlace, bytes: Uint8Array | undefined): Promise<void> {
  const { drive: id, zone, zoneGeneration } = place.volume.extents[place.column] as VolumeRow['extents'][number];
  const drive = world.drives[id] as World['drives'][number];
  const at = { zone, generation: zoneGeneration };
  const objects = new Map<string, Uint8Array>();
  for (const { name } of await drive.list(at)) objects.set(name, await drive.read(at, name));
  objects.delete(place.name);
  if (bytes !== undefined) objects.set(place.name, bytes);
  await drive.erase(at);
  for (const [name, content] of objects) await drive.append(at, name, [content]);
}

/** Where parts of an object begin: one byte in each of them is enough for each to be tried. */
export function boundsOf({ name, bytes }: PlantedPlace): number[] {
  if (name === DIRECTORY_PACK_NAME) {
    const { headBytes } = parsePackHeader(bytes);
    return [0, 4, 8, 24, 32, 40, 44, 48, 52, 60, PACK_HEADER_BYTES, headBytes, headBytes + 64, bytes.length];
  }
  if (parseBucketDirectoryName(name) !== undefined) return [0, 4, 8, 24, 32, 40, 48, 64, bytes.length];
  const { columnBytes, column, directoryBytes } = parseChunkHeader(bytes);
  const directoryAt = CHUNK_HEADER_BYTES + (columnBytes[column] as number);
  const header = [0, 4, 5, 6, 7, 8, 24, 32, 48, 56, 64, 68, 72, 76, 77, 80, 144, 208, 252];
  return [...header, CHUNK_HEADER_BYTES, directoryAt, directoryAt + Math.floor(directoryBytes / 2), bytes.length];
}

export function flipped(bytes: Uint8Array, at: number, bit: number): Uint8Array {
  const changed = bytes.slice();
  changed[at] = (changed[at] as number) ^ (1 << bit);
  return changed;
}
