// Writes of directory packs, at seal and before a flip: one object on each of m+1 columns, written once. Where one is
// there already nothing is taken on trust: it is read whole, and must lead to all that this one would.
import type { Drive } from '../../drive/drive.ts';
import { type BucketDirectory, parseBucketDirectory, type SlotLocation } from '../../format/bucket-directory.ts';
import { encodeDirectoryPack } from '../../format/directory-pack.ts';
import { DIRECTORY_PACK_NAME } from '../../format/object-names.ts';
import { assert } from '../../foundation/assert.ts';
import {
  corrupt,
  isKind,
  isPocketfulError,
  missing,
  type PocketfulError,
  retryLater,
} from '../../foundation/errors.ts';
import type { BucketId } from '../../foundation/ids.ts';
import type { VolumeRow } from '../../panda/rows/volume-row.ts';
import { checkPack } from '../check/check-object.ts';
import { extentOf, type ReadPorts } from '../read/read-column.ts';
import { directoryColumns, packRoomBytes } from '../rows/directory-room.ts';
import { storageClassOf } from '../rows/storage-class.ts';
import { raiseStoreFormat } from '../rows/store-format.ts';

type Directories = ReadonlyMap<BucketId, Uint8Array>;

/**
 * What one that is there already must be. `as much`: an earlier attempt's of the same sealed volume, which may list
 * slots and buckets that have died or left since. `the same`: extents in the making, where only the very same is right.
 */
export type PackThere = 'as much' | 'the same';

export interface PutPacks {
  /** By column: what it takes of each extent; 0 where it is not to be, or is not yet. */
  readonly bytes: readonly number[];
  readonly failures: ReadonlyMap<number, PocketfulError>;
}

/** Stores the pack of these encoded directories on all of its columns; it is as safe as it must be if none failed. */
export async function putPacks(
  ports: ReadPorts,
  volume: VolumeRow,
  directories: Directories,
  there: PackThere,
): Promise<PutPacks> {
  const owner = { storeId: ports.components.storeId, volumeId: volume.id, generation: volume.generation };
  const pack = encodeDirectoryPack(owner, directories);
  const packBytes = pack.reduce((sum, part) => sum + part.length, 0);
  // What was kept free for it sufficed.
  const room = packRoomBytes(volume);
  assert(
    room === undefined || packBytes <= room,
    `a directory pack of ${packBytes} bytes fits the ${room} kept for it`,
  );
  await raiseStoreFormat(ports.components);
  const bytes = volume.extents.map(() => 0);
  const failures = new Map<number, PocketfulError>();
  const bugs: unknown[] = [];
  const puts = directoryColumns(volume).map(async (column) => {
    try {
      const isNew = await putPack(ports, volume, column, pack);
      bytes[column] = isNew ? packBytes : await soundPackBytes(ports, volume, column, directories, there);
    } catch (error) {
      if (isPocketfulError(error)) failures.set(column, error);
      else bugs.push(error);
    }
  });
  await Promise.all(puts);
  if (bugs.length > 0) throw bugs[0];
  return { bytes, failures };
}

export function notStored({ id }: VolumeRow, { failures }: PutPacks): PocketfulError {
  const [[column, first] = []] = failures;
  return retryLater(
    'DIRECTORY_NOT_STORED',
    `the directories of volume ${id} are not stored on all of their columns yet: column ${column}: ${first?.message}`,
    first,
  );
}

/** False if there is one already. */
async function putPack(
  { components, health }: ReadPorts,
  volume: VolumeRow,
  column: number,
  pack: readonly Uint8Array[],
): Promise<boolean> {
  const { drive: id, zone, zoneGeneration } = extentOf(volume, column);
  try {
    const drive = components.drives[id] as Drive;
    const at = { zone, generation: zoneGeneration };
    await drive.append(at, DIRECTORY_PACK_NAME, pack, undefined, storageClassOf(components, volume));
    return true;
  } catch (error) {
    if (isKind(error, 'conflict')) return false;
    health.failed(id, error);
    throw error;
  }
}

/** Of the one that is there. Throws `corrupt` if it is not sound, or does not lead to all that it must. */
async function soundPackBytes(
  ports: ReadPorts,
  volume: VolumeRow,
  column: number,
  directories: Directories,
  there: PackThere,
): Promise<number> {
  const bytes = await storedPackBytes(ports, volume, column);
  if (bytes === undefined)
    throw missing(
      'CHUNK_MISSING',
      `the directory pack of column ${column} in volume ${volume.id} was there, and is not`,
    );
  let found = 0;
  let more = 0;
  await checkPack(ports, volume, column, bytes, (bucket, its, encoded) => {
    const mine = directories.get(bucket);
    if (mine === undefined) more += 1;
    else if (Buffer.compare(mine, encoded) === 0) found += 1;
    else if (there === 'as much' && leadsToAll(its, parseBucketDirectory(mine))) found += 1;
  });
  if (found < directories.size || (there === 'the same' && more > 0))
    throw corrupt(
      'DIRECTORY_FOREIGN',
      `the directory pack of column ${column} in volume ${volume.id} is sound, but not one of what the volume holds`,
    );
  return bytes;
}

/** As the drive lists it; undefined if there is none. */
export async function storedPackBytes(
  { components, health }: ReadPorts,
  volume: VolumeRow,
  column: number,
): Promise<number | undefined> {
  const { drive: id, zone, zoneGeneration } = extentOf(volume, column);
  try {
    const listed = await (components.drives[id] as Drive).list({ zone, generation: zoneGeneration });
    return listed.find(({ name }) => name === DIRECTORY_PACK_NAME)?.bytes;
  } catch (error) {
    health.failed(id, error);
    throw error;
  }
}

/** Every slot of `mine` is where `its` says. */
export function leadsToAll(its: BucketDirectory, mine: BucketDirectory): boolean {
  for (const [slot, place] of mine.entries) if (!isSamePlace(its.find(slot), place)) return false;
  return true;
}

const isSamePlace = (a: SlotLocation | undefined, b: SlotLocation): boolean =>
  a?.sequence === b.sequence &&
  a.token === b.token &&
  a.column === b.column &&
  a.offset === b.offset &&
  a.length === b.length;
