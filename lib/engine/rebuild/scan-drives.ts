// Reads from the drives alone what is stored where: every group with its records, from the headers and directories of
// its chunks, into the sorter. Payloads are not read; whether a group can be decoded follows from the columns that are
// there.
import type { CodecName } from '../../codec/codec.ts';
import { codecOf } from '../../codec/codecs.ts';
import { codecShape } from '../../codec/shape.ts';
import type { ChunkListing, Drive, ZoneRef } from '../../drive/drive.ts';
import { CHUNK_HEADER_BYTES, type ChunkHeader, chunkBytes, parseChunkHeader } from '../../format/chunk.ts';
import { PACK_HEADER_BYTES, parsePackHeader, parsePackIndex } from '../../format/directory-pack.ts';
import { type GroupEntry, parseGroupDirectory } from '../../format/group-directory.ts';
import { DIRECTORY_PACK_NAME, parseBucketDirectoryName, parseChunkName } from '../../format/object-names.ts';
import { crcOf } from '../../format/wire.ts';
import { mapLimit } from '../../foundation/concurrency.ts';
import { isPocketfulError, type PocketfulError, retryLater } from '../../foundation/errors.ts';
import type { StoreId } from '../../foundation/ids.ts';
import { REBUILD_DAMAGE_LISTED_MAX, SCANNED_ZONES_AT_ONCE } from '../../limits/engine.ts';
import { type Extent, extentText } from '../../panda/rows/volume-row.ts';
import type { Sorter } from './sorter.ts';

export interface AwayDrive {
  readonly drive: number;
  readonly label: string;
  readonly reason: string;
}

export interface ScanReport {
  /** Drives that could not be listed to their end; what they hold beyond that is not known. */
  readonly away: readonly AwayDrive[];
  /** Chunks that are damaged or not of this store: what and where, a line each. */
  readonly damaged: readonly string[];
}

export interface ScanOptions {
  /** Throws `retry` DRIVES_MISSING if a drive is away. */
  readonly allDrives?: boolean | undefined;
  /** Drives that hold nothing of the store. */
  readonly leaveOut?: ReadonlySet<number> | undefined;
  readonly onProgress?: ((zones: number) => void) | undefined;
}

export async function scanDrives(
  sorter: Sorter,
  drives: readonly Drive[],
  storeId: StoreId,
  options: ScanOptions = {},
): Promise<ScanReport> {
  const scan = new Scan(sorter, drives, storeId, options);
  const zones: { drive: number; at: ZoneRef }[] = [];
  for (const [drive, found] of drives.entries()) {
    if (options.leaveOut?.has(drive)) continue;
    for (const at of (await scan.asked(drive, () => found.zones())) ?? []) zones.push({ drive, at });
  }
  await mapLimit(zones, SCANNED_ZONES_AT_ONCE, ({ drive, at }) => scan.zone(drive, at));
  judgeGroups(sorter);
  return { away: [...scan.away.values()], damaged: scan.damaged };
}

class Scan {
  readonly away = new Map<number, AwayDrive>();
  readonly damaged: string[] = [];
  readonly #sorter: Sorter;
  readonly #drives: readonly Drive[];
  readonly #storeId: StoreId;
  readonly #options: ScanOptions;
  #zones = 0;

  constructor(sorter: Sorter, drives: readonly Drive[], storeId: StoreId, options: ScanOptions) {
    this.#sorter = sorter;
    this.#drives = drives;
    this.#storeId = storeId;
    this.#options = options;
  }

  /** The answer of a drive, or undefined if it is away. */
  async asked<T>(drive: number, call: () => Promise<T>): Promise<T | undefined> {
    try {
      return await call();
    } catch (error) {
      if (!isPocketfulError(error) || (error.kind !== 'retry' && error.kind !== 'denied')) throw error;
      this.#isAway(drive, error);
      return undefined;
    }
  }

  async zone(drive: number, at: ZoneRef): Promise<void> {
    if (this.away.has(drive)) return;
    const listing = await this.asked(drive, () => this.#drive(drive).list(at));
    if (listing === undefined) return;
    let volume: string | undefined;
    let generation = 0;
    const buckets: string[] = [];
    for (const object of listing) {
      const bucket = parseBucketDirectoryName(object.name);
      if (bucket !== undefined) buckets.push(bucket);
      const header = bucket === undefined ? await this.#object(drive, at, object) : undefined;
      if (header !== undefined) {
        volume = header.volumeId;
        generation = header.generation;
      }
    }
    if (volume !== undefined) this.#seen(volume, generation, buckets, drive, at);
    const bytes = listing.reduce((sum, object) => sum + object.bytes, 0);
    this.#sorter.run('INSERT OR REPLACE INTO zones VALUES (?, ?, ?, ?)', drive, at.zone, at.generation, bytes);
    this.#zones += 1;
    this.#options.onProgress?.(this.#zones);
  }

  /** Takes in a chunk or a pack; the header of a sound chunk. */
  async #object(drive: number, at: ZoneRef, { name, bytes }: ChunkListing): Promise<ChunkHeader | undefined> {
    const isPack = name === DIRECTORY_PACK_NAME;
    if (!isPack && parseChunkName(name) === undefined) return undefined;
    try {
      if (isPack) await this.#pack(drive, at, bytes);
      else return await this.#chunk(drive, at, name, bytes);
    } catch (error) {
      if (!isPocketfulError(error) || error.kind === 'invalid') throw error; // an unknown version is not damage
      if (error.code === 'DRIVE_UNAVAILABLE') this.#isAway(drive, error);
      else this.#isDamaged(drive, at, name, error.message);
    }
    return undefined;
  }

  async #chunk(drive: number, at: ZoneRef, name: string, bytes: number): Promise<ChunkHeader | undefined> {
    const read = (offset: number, length: number) => this.#drive(drive).read(at, name, { offset, length });
    const header = parseChunkHeader(await read(0, CHUNK_HEADER_BYTES));
    const why = (text: string): undefined => this.#isDamaged(drive, at, name, text);
    if (header.storeId !== this.#storeId) return why('it is of another store');
    if (bytes !== chunkBytes(header)) return why(`${bytes} bytes instead of ${chunkBytes(header)}`);
    const directory = await read(bytes - header.directoryBytes, header.directoryBytes);
    if (crcOf(directory) !== header.directoryCrc) return why('its directory is damaged');
    const extent = { drive, zone: at.zone, zoneGeneration: at.generation };
    noteChunk(this.#sorter, header, parseGroupDirectory(directory, header), extent);
    return header;
  }

  /** Which buckets a pack lists; the directories themselves say nothing that the chunks do not. */
  async #pack(drive: number, at: ZoneRef, bytes: number): Promise<void> {
    const read = (length: number) => this.#drive(drive).read(at, DIRECTORY_PACK_NAME, { offset: 0, length });
    const header = parsePackHeader(await read(PACK_HEADER_BYTES));
    const why = (text: string): undefined => this.#isDamaged(drive, at, DIRECTORY_PACK_NAME, text);
    if (header.storeId !== this.#storeId) return why('it is of another store');
    if (bytes !== header.totalBytes) return why(`${bytes} bytes instead of ${header.totalBytes}`);
    const index = parsePackIndex(header, await read(header.headBytes));
    const buckets = index.map(({ bucket }) => bucket);
    this.#seen(header.volumeId, header.generation, buckets, drive, at);
  }

  #seen(volume: string, generation: number, buckets: readonly string[], drive: number, at: ZoneRef): void {
    const extent = extentText({ drive, zone: at.zone, zoneGeneration: at.generation });
    for (const bucket of buckets)
      this.#sorter.run('INSERT OR IGNORE INTO directories VALUES (?, ?, ?, ?)', volume, generation, bucket, extent);
  }

  #isAway(drive: number, error: PocketfulError): void {
    const { label } = this.#drive(drive);
    if (this.#options.allDrives)
      throw retryLater('DRIVES_MISSING', `${label} cannot be read, and --all-drives was said: ${error.message}`, error);
    this.away.set(drive, { drive, label, reason: error.message });
  }

  #isDamaged(drive: number, at: ZoneRef, name: string, why: string): undefined {
    if (this.damaged.length < REBUILD_DAMAGE_LISTED_MAX)
      this.damaged.push(`${this.#drive(drive).label} ${at.zone}/${at.generation}/${name}: ${why}`);
  }

  #drive(drive: number): Drive {
    return this.#drives[drive] as Drive;
  }
}

type GroupState = { id: number; extents: string; isWhole: number };

function noteChunk(sorter: Sorter, header: ChunkHeader, entries: readonly GroupEntry[], extent: Extent): void {
  const name = [header.volumeId, header.generation, header.sequence, header.token, header.appendId] as const;
  const find = (): GroupState | undefined =>
    sorter.get<GroupState>(
      'SELECT id, extents, isWhole FROM groups WHERE volume = ? AND generation = ? AND sequence = ? AND token = ? AND append = ?',
      ...name,
    );
  if (find() === undefined)
    sorter.run(
      'INSERT INTO groups VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0)',
      ...name,
      header.kind,
      header.codec,
      JSON.stringify(header.columnBytes),
      JSON.stringify(header.columnBytes.map(() => null)),
      entries[0]?.bucket ?? '',
    );
  const group = find() as GroupState;
  const extents = JSON.parse(group.extents) as (string | null)[];
  extents[header.column] = extentText(extent);
  const { dataColumns } = codecShape(header.codec);
  const listsAll = header.column >= dataColumns || dataColumns === 1;
  sorter.run(
    'UPDATE groups SET extents = ?, isWhole = ? WHERE id = ?',
    JSON.stringify(extents),
    group.isWhole || listsAll ? 1 : 0,
    group.id,
  );
  if (group.isWhole) return;
  for (const { bucket, move, slot, recordId, column, offset, length } of entries)
    sorter.run(
      'INSERT OR IGNORE INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
      ...[bucket, move, group.id, slot, recordId, column, offset, length],
    );
}

/** A group can be decoded if every column with bytes is there or can be rebuilt. */
function judgeGroups(sorter: Sorter): void {
  const last = sorter.count('SELECT max(id) AS n FROM groups');
  for (let id = 1; id <= last; id++) {
    const group = sorter.get<{ codec: CodecName; columnBytes: string; extents: string }>(
      'SELECT codec, columnBytes, extents FROM groups WHERE id = ?',
      id,
    );
    if (group === undefined) continue;
    const extents = JSON.parse(group.extents) as (string | null)[];
    const lost = (JSON.parse(group.columnBytes) as number[]).flatMap((bytes, i) =>
      bytes > 0 && extents[i] === null ? [i] : [],
    );
    const isDecodable = lost.length === 0 || codecOf(group.codec).canReconstruct(lost);
    if (isDecodable) sorter.run('UPDATE groups SET isDecodable = 1 WHERE id = ?', id);
  }
}
