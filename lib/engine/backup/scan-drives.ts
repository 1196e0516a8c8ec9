// Reads from the drives alone what is stored where: every group with its records, from the headers and directories of its chunks.
// Payloads are not read; whether a group can be decoded follows from the columns that are there.

import type { CodecName } from '../../codec/codec.ts';
import { codecOf } from '../../codec/codecs.ts';
import type { Drive, ZoneRef } from '../../drive/drive.ts';
import { CHUNK_HEADER_BYTES, type ChunkHeader, chunkBytes, parseChunkHeader } from '../../format/chunk.ts';
import { PACK_HEADER_BYTES, parsePackHeader, parsePackIndex } from '../../format/directory-pack.ts';
import { type GroupEntry, parseGroupDirectory } from '../../format/group-directory.ts';
import { DIRECTORY_PACK_NAME, parseBucketDirectoryName, parseChunkName } from '../../format/object-names.ts';
import { crcOf } from '../../format/wire.ts';
import { mapLimit } from '../../foundation/concurrency.ts';
import { isPocketfulError, retryLater } from '../../foundation/errors.ts';
import type { BucketId, StoreId, VolumeId } from '../../foundation/ids.ts';
import type { Extent } from '../../panda/rows/volume-row.ts';

const ZONES_AT_ONCE = 16;

export interface FoundGroup {
  readonly volume: VolumeId;
  readonly generation: number;
  readonly sequence: number;
  readonly token: number;
  readonly kind: ChunkHeader['kind'];
  readonly codec: CodecName;
  readonly columnBytes: readonly number[];
  /** By column; undefined where no sound chunk was found. */
  readonly extents: (Extent | undefined)[];
  /** Of every record of the group, as far as directories could be read. */
  readonly entries: Map<string, GroupEntry>;
}

export interface DriveScan {
  readonly groups: readonly FoundGroup[];
  /** Every zone generation with objects, and their bytes. */
  readonly zones: readonly { readonly drive: number; readonly at: ZoneRef; readonly bytes: number }[];
  /** Buckets whose directory was seen, in a pack or as an object of its own, by volume/generation. */
  readonly directories: ReadonlyMap<string, ReadonlySet<string>>;
  /** Chunks that are damaged or not of this store: what and where, a line each. */
  readonly damaged: readonly string[];
}

/** Throws `retry` DRIVES_MISSING if a drive cannot be listed: what it holds would be taken for lost. */
export async function scanDrives(
  drives: readonly Drive[],
  storeId: StoreId,
  onProgress?: (zones: number) => void,
): Promise<DriveScan> {
  const found: { drive: number; at: ZoneRef }[] = [];
  for (const [id, drive] of drives.entries()) {
    try {
      for (const at of await drive.zones()) found.push({ drive: id, at });
    } catch (error) {
      if (!isPocketfulError(error)) throw error;
      throw retryLater('DRIVES_MISSING', `${drive.label} cannot be read: all drives are needed to rebuild`, error);
    }
  }
  const groups = new Map<string, FoundGroup>();
  const directories = new Map<string, Set<string>>();
  const damaged: string[] = [];
  let done = 0;
  const zones = await mapLimit(found, ZONES_AT_ONCE, async ({ drive, at }) => {
    const listing = await (drives[drive] as Drive).list(at);
    const isDamaged = (name: string, why: string): void => {
      damaged.push(`${drives[drive]?.label} ${at.zone}/${at.generation}/${name}: ${why}`);
    };
    let volume: string | undefined;
    const buckets: string[] = [];
    for (const { name, bytes } of listing) {
      const bucket = parseBucketDirectoryName(name);
      if (bucket !== undefined) buckets.push(bucket);
      else if (name === DIRECTORY_PACK_NAME) {
        const pack = await readPackHead(drives[drive] as Drive, at, bytes, storeId).catch(asDamage);
        if (typeof pack === 'string') isDamaged(name, pack);
        else directories.set(pack.volume, new Set([...(directories.get(pack.volume) ?? []), ...pack.buckets]));
      } else if (parseChunkName(name) !== undefined) {
        const chunk = await readChunkHead(drives[drive] as Drive, at, name, bytes, storeId).catch(asDamage);
        if (typeof chunk === 'string') isDamaged(name, chunk);
        else {
          note(groups, chunk, drive, at);
          volume = `${chunk.header.volumeId}/${chunk.header.generation}`;
        }
      }
    }
    if (volume !== undefined) directories.set(volume, new Set([...(directories.get(volume) ?? []), ...buckets]));
    done += 1;
    onProgress?.(done);
    return { drive, at, bytes: listing.reduce((sum, { bytes }) => sum + bytes, 0) };
  });
  return { groups: [...groups.values()], zones, directories, damaged };
}

const asDamage = (error: unknown): string => {
  if (!isPocketfulError(error) || error.kind === 'invalid') throw error; // an unknown version is not damage
  return error.message;
};

interface ChunkHead {
  readonly header: ChunkHeader;
  readonly entries: readonly GroupEntry[];
}

async function readChunkHead(
  drive: Drive,
  at: ZoneRef,
  name: string,
  bytes: number,
  storeId: StoreId,
): Promise<ChunkHead | string> {
  const header = parseChunkHeader(await drive.read(at, name, { offset: 0, length: CHUNK_HEADER_BYTES }));
  if (header.storeId !== storeId) return 'it is of another store';
  if (bytes !== chunkBytes(header)) return `${bytes} bytes instead of ${chunkBytes(header)}`;
  const offset = bytes - header.directoryBytes;
  const directory = await drive.read(at, name, { offset, length: header.directoryBytes });
  if (crcOf(directory) !== header.directoryCrc) return 'its directory is damaged';
  return { header, entries: parseGroupDirectory(directory, header) };
}

/** Whose pack it is and the buckets it lists; the directories themselves say nothing that the chunks do not. */
async function readPackHead(
  drive: Drive,
  at: ZoneRef,
  bytes: number,
  storeId: StoreId,
): Promise<{ readonly volume: string; readonly buckets: readonly BucketId[] } | string> {
  const read = (length: number) => drive.read(at, DIRECTORY_PACK_NAME, { offset: 0, length });
  const header = parsePackHeader(await read(PACK_HEADER_BYTES));
  if (header.storeId !== storeId) return 'it is of another store';
  if (bytes !== header.totalBytes) return `${bytes} bytes instead of ${header.totalBytes}`;
  const index = parsePackIndex(header, await read(header.headBytes));
  return { volume: `${header.volumeId}/${header.generation}`, buckets: index.map(({ bucket }) => bucket) };
}

function note(groups: Map<string, FoundGroup>, chunk: ChunkHead, drive: number, at: ZoneRef): void {
  const { header } = chunk;
  const key = `${header.volumeId}/${header.generation}/${header.sequence}/${header.token}/${header.appendId}`;
  const group: FoundGroup = groups.get(key) ?? {
    volume: header.volumeId,
    generation: header.generation,
    sequence: header.sequence,
    token: header.token,
    kind: header.kind,
    codec: header.codec,
    columnBytes: header.columnBytes,
    extents: header.columnBytes.map(() => undefined),
    entries: new Map(),
  };
  group.extents[header.column] = { drive, zone: at.zone, zoneGeneration: at.generation };
  for (const entry of chunk.entries) group.entries.set(entry.recordId, entry);
  groups.set(key, group);
}

/** True if every column with bytes is there or can be rebuilt. */
export function isDecodable(group: FoundGroup): boolean {
  const lost = group.columnBytes.flatMap((bytes, i) => (bytes > 0 && group.extents[i] === undefined ? [i] : []));
  return lost.length === 0 || codecOf(group.codec).canReconstruct(lost);
}
