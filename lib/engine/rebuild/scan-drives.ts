// Reads from the drives alone what is stored where: every group with its records, from the headers and directories of
// its chunks, into the sorter. Payloads are not read; whether a group can be decoded follows from the columns that are
// there.
import type { CodecName } from '../../codec/codec.ts';
import { codecOf } from '../../codec/codecs.ts';
import { codecShape } from '../../codec/shape.ts';
import type { Drive, ZoneRef } from '../../drive/drive.ts';
import { CHUNK_HEADER_BYTES, type ChunkHeader, chunkBytes, parseChunkHeader } from '../../format/chunk.ts';
import { type GroupEntry, parseGroupDirectory } from '../../format/group-directory.ts';
import { DIRECTORY_PACK_NAME, parseChunkName } from '../../format/object-names.ts';
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
    for (const { name, bytes } of listing)
      if (parseChunkName(name) !== undefined) await this.#object(drive, at, name, bytes);
    const bytes = listing.reduce((sum, object) => sum + object.bytes, 0);
    const packBytes = listing.find(({ name }) => name === DIRECTORY_PACK_NAME)?.bytes ?? 0;
    const { zone, generation: zoneGeneration } = at;
    this.#sorter.run(
      'INSERT OR REPLACE INTO zones VALUES (?, ?, ?, ?, ?)',
      drive,
      zone,
      zoneGeneration,
      bytes,
      packBytes,
    );
    this.#zones += 1;
    this.#options.onProgress?.(this.#zones);
  }

  async #object(drive: number, at: ZoneRef, name: string, bytes: number): Promise<void> {
    try {
      await this.#chunk(drive, at, name, bytes);
    } catch (error) {
      if (!isPocketfulError(error) || error.kind === 'invalid') throw error; // an unknown version is not damage
      if (error.code === 'DRIVE_UNAVAILABLE') this.#isAway(drive, error);
      else this.#isDamaged(drive, at, name, error.message);
    }
  }

  async #chunk(drive: number, at: ZoneRef, name: string, bytes: number): Promise<void> {
    const read = (offset: number, length: number) => this.#drive(drive).read(at, name, { offset, length });
    const header = parseChunkHeader(await read(0, CHUNK_HEADER_BYTES));
    const why = (text: string): void => this.#isDamaged(drive, at, name, text);
    if (header.storeId !== this.#storeId) return why('it is of another store');
    if (bytes !== chunkBytes(header)) return why(`${bytes} bytes instead of ${chunkBytes(header)}`);
    const directory = await read(bytes - header.directoryBytes, header.directoryBytes);
    if (crcOf(directory) !== header.directoryCrc) return why('its directory is damaged');
    const extent = { drive, zone: at.zone, zoneGeneration: at.generation };
    noteChunk(this.#sorter, header, parseGroupDirectory(directory, header), extent);
  }

  #isAway(drive: number, error: PocketfulError): void {
    const { label } = this.#drive(drive);
    if (this.#options.allDrives)
      throw retryLater('DRIVES_MISSING', `${label} cannot be read, and --all-drives was said: ${error.message}`, error);
    this.away.set(drive, { drive, label, reason: error.message });
  }

  #isDamaged(drive: number, at: ZoneRef, name: string, why: string): void {
    if (this.damaged.length < REBUILD_DAMAGE_LISTED_MAX)
      this.damaged.push(`${this.#drive(drive).label} ${at.zone}/${at.generation}/${name}: ${why}`);
  }

  #drive(drive: number): Drive {
    return this.#drives[drive] as Drive;
  }
}

type GroupState = { id: number; isWhole: number };

function noteChunk(sorter: Sorter, header: ChunkHeader, entries: readonly GroupEntry[], extent: Extent): void {
  const name = [header.volumeId, header.generation, header.sequence, header.token, header.appendId] as const;
  const find = (): GroupState | undefined =>
    sorter.get<GroupState>(
      'SELECT id, isWhole FROM groups WHERE volume = ? AND generation = ? AND sequence = ? AND token = ? AND append = ?',
      ...name,
    );
  if (find() === undefined)
    sorter.run(
      'INSERT INTO groups VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0)',
      ...name,
      header.kind,
      header.codec,
      JSON.stringify(header.columnBytes),
      entries[0]?.bucket ?? '',
    );
  const group = find() as GroupState;
  sorter.run('INSERT OR IGNORE INTO chunks VALUES (?, ?, ?)', group.id, header.column, extentText(extent));
  if (group.isWhole) return;
  const { dataColumns } = codecShape(header.codec);
  const listsAll = header.column >= dataColumns || dataColumns === 1;
  if (listsAll) sorter.run('UPDATE groups SET isWhole = 1 WHERE id = ?', group.id);
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
    const group = sorter.get<{ codec: CodecName; columnBytes: string }>(
      'SELECT codec, columnBytes FROM groups WHERE id = ?',
      id,
    );
    if (group === undefined) continue;
    const seen = sorter.all<{ column: number }>('SELECT DISTINCT column FROM chunks WHERE groupId = ?', id);
    const there = new Set(seen.map(({ column }) => column));
    const lost = (JSON.parse(group.columnBytes) as number[]).flatMap((bytes, i) =>
      bytes > 0 && !there.has(i) ? [i] : [],
    );
    const isDecodable = lost.length === 0 || codecOf(group.codec).canReconstruct(lost);
    if (isDecodable) sorter.run('UPDATE groups SET isDecodable = 1 WHERE id = ?', id);
  }
}
