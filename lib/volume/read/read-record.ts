// GET of one record: from its hint or its bucket's directory, by one ranged read; rebuilt from other columns where that
// fails. Rows are cached and may be stale: a record names itself, so a wrong place is noticed, and the rows are read
// again.
import { parseRecord, type RecordHeader } from '../../format/record.ts';
import { corrupt, isPocketfulError, missing, type PocketfulError, retryLater } from '../../foundation/errors.ts';
import type { BucketId, RecordId, VolumeId } from '../../foundation/ids.ts';
import { LruCache } from '../../foundation/lru.ts';
import {
  CACHED_BUCKET_ROWS_MAX,
  CACHED_VOLUME_ROWS_BYTES_MAX,
  NOTED_LOSSES_MAX,
  RESOLVES_MAX,
} from '../../limits/reads.ts';
import type { BlockRow } from '../../panda/rows/block-row.ts';
import type { BucketRow } from '../../panda/rows/bucket-row.ts';
import type { VolumeRow } from '../../panda/rows/volume-row.ts';
import type { Components } from '../rows/components.ts';
import type { DriveHealth } from '../rows/drive-health.ts';
import { readBucket, readVolume } from '../rows/read-rows.ts';
import { ColumnFaults, columnFault } from './column-faults.ts';
import type { Directories } from './directories.ts';
import { noteBroken } from './note-broken.ts';
import { extentOf, type GroupPlace, isReadable, readPayload } from './read-column.ts';
import { type RebuildTask, rebuildRange } from './reconstruct.ts';
import { type BrokenColumn, RecordLost } from './record-lost.ts';

export type RecordName = Pick<BlockRow, 'bucket' | 'slot' | 'recordId' | 'recordBytes' | 'hint' | 'cell'>;

/** What was done so far, for figures and the demonstration. */
export interface ReadStats {
  reads: number;
  /** Records that came from other columns than their own. */
  degradedReads: number;
  columnsReadForRepair: number;
}

/** One record that was put together from other columns. */
export interface RepairEvent {
  readonly volume: VolumeRow;
  readonly column: number;
  readonly columnsRead: readonly number[];
}

interface Rows {
  readonly bucket: BucketRow;
  readonly volume: VolumeRow;
}

export interface RecordPlace extends GroupPlace {
  readonly column: number;
  readonly offset: number;
  readonly length: number;
}

export class RecordReader {
  readonly stats: ReadStats = { reads: 0, degradedReads: 0, columnsReadForRepair: 0 };
  /** Told of every record that was rebuilt. */
  onRepair: ((event: RepairEvent) => void) | undefined;
  readonly #components: Components;
  readonly #health: DriveHealth;
  readonly #directories: Directories;
  readonly #buckets = new LruCache<BucketId, BucketRow>(CACHED_BUCKET_ROWS_MAX);
  readonly #volumes = new LruCache<VolumeId, VolumeRow>(
    CACHED_VOLUME_ROWS_BYTES_MAX,
    (volume) => 2048 + 64 * (volume.buckets.size + volume.moved.size),
  );

  /** Chunks whose damage was noted. */
  readonly #noted = new LruCache<string, true>(NOTED_LOSSES_MAX);

  constructor(components: Components, health: DriveHealth, directories: Directories) {
    this.#components = components;
    this.#health = health;
    this.#directories = directories;
  }

  /**
   * The whole record, its checksum and id verified. Throws RecordLost (`corrupt` RECORD_LOST, `retry` RECORD_WAITS),
   * `missing` RECORD_GONE when no row leads to it any more (read the block row again: it is merged or shredded),
   * `retry` RECORD_MOVING, or `corrupt` CHUNK_VERSION and the like for bytes of a newer release.
   */
  async read(block: RecordName): Promise<Uint8Array> {
    this.stats.reads += 1;
    let rows = this.#cachedRows(block) ?? (await this.#freshRows(block));
    let missed: DirectMiss | undefined;
    for (let resolves = 0; resolves < RESOLVES_MAX; ) {
      try {
        return await this.#attempt(block, rows, missed);
      } catch (error) {
        if (!isMiss(error)) throw error;
        // Only a place that is still right now, after the miss, was right when it was missed.
        const fresh = await this.#freshRows(block);
        const isSame = isSamePlace(rows, fresh);
        if (isSame && !(error instanceof DirectMiss)) {
          if (error instanceof RecordLost && error.kind === 'corrupt') await this.#noteLost(block, fresh, error.broken);
          throw error;
        }
        rows = fresh;
        missed = isSame && error instanceof DirectMiss ? error : undefined;
        if (!isSame) resolves += 1;
      }
    }
    throw retryLater('RECORD_MOVING', `record ${block.recordId} was moved whenever it was looked for: try again`);
  }

  /** Where a record is by what the rows say, not proven by reading it; undefined where only `read` can tell. */
  async placeOf(block: RecordName): Promise<RecordPlace | undefined> {
    try {
      return await this.#resolve(block, this.#cachedRows(block) ?? (await this.#freshRows(block)));
    } catch (error) {
      columnFault(error);
      return undefined;
    }
  }

  /**
   * One try under given rows. Columns are reconstructed after a confirmed miss, or if the record's drive is away
   * anyway.
   */
  async #attempt(block: RecordName, rows: Rows, missed: DirectMiss | undefined): Promise<Uint8Array> {
    const at = await this.#resolve(block, rows);
    const faults = new ColumnFaults(rows.volume, this.#components.drives);
    if (missed !== undefined) faults.add(at.column, missed.fault);
    else if (isReadable(this.#health, extentOf(at.volume, at.column).drive)) return this.#direct(block, at);
    return this.#rebuild(block, at, faults);
  }

  async #noteLost(block: RecordName, rows: Rows, broken: readonly BrokenColumn[]): Promise<void> {
    const at = await this.#resolve(block, rows).catch((fault: unknown) => columnFault(fault));
    if ('column' in at) await this.#note(at, broken);
  }

  /** Once for each chunk: whoever reads many records of it meets the same columns. */
  async #note(at: RecordPlace, broken: readonly BrokenColumn[]): Promise<void> {
    const group = `${at.volume.id}/${at.volume.generation}/${at.sequence}-${at.token}`;
    const news = broken.filter(({ column }) => this.#noted.get(`${group}/${column}`) === undefined);
    for (const { column } of news) this.#noted.set(`${group}/${column}`, true);
    const store = { components: this.#components, health: this.#health, directories: this.#directories };
    if (news.length > 0) await noteBroken(store, at, at.column, news);
  }

  async #direct(block: RecordName, at: RecordPlace): Promise<Uint8Array> {
    const ports = { components: this.#components, health: this.#health };
    let fault: PocketfulError | undefined;
    try {
      const bytes = await readPayload(ports, at, at.column, at.offset, at.length);
      fault = recordFault(bytes, block.recordId);
      if (fault === undefined) return bytes;
    } catch (error) {
      fault = columnFault(error);
    }
    throw new DirectMiss(fault);
  }

  async #rebuild(block: RecordName, at: RecordPlace, faults: ColumnFaults): Promise<Uint8Array> {
    const task: RebuildTask = {
      place: at,
      column: at.column,
      offset: at.offset,
      length: at.length,
      what: `record ${block.recordId} of volume ${at.volume.id}`,
      check: (bytes) => recordFault(bytes, block.recordId),
    };
    const store = { components: this.#components, health: this.#health, directories: this.#directories };
    const { bytes, columnsRead, faults: met } = await rebuildRange(store, task, faults);
    this.stats.degradedReads += 1;
    this.stats.columnsReadForRepair += columnsRead.length;
    this.onRepair?.({ volume: at.volume, column: at.column, columnsRead });
    // Only a place that was seen to be right after it was missed says anything about the column.
    if (faults.size > 0) await this.#note(at, met.broken);
    return bytes;
  }

  async #resolve(block: RecordName, { bucket, volume }: Rows): Promise<RecordPlace> {
    const { hint } = block;
    if (bucket.move === 0 && hint.volume === volume.id && hint.generation === volume.generation)
      return { ...hint, volume, sequence: hint.seq, length: block.recordBytes };
    const slots = await this.#directories.bucketPart(volume, bucket);
    const found = slots.find(block.slot);
    if (found !== undefined) return { volume, ...found };
    if (slots.lost !== undefined) throw slots.lost.lost(`the place of record ${block.recordId} in volume ${volume.id}`);
    throw gone(block, `bucket ${bucket.id} has no slot ${block.slot} any more`);
  }

  #cachedRows(block: RecordName): Rows | undefined {
    const bucket = this.#buckets.get(block.bucket);
    const volume = bucket === undefined ? undefined : this.#volumes.get(bucket.volume);
    return bucket === undefined || volume === undefined ? undefined : { bucket, volume };
  }

  async #freshRows(block: RecordName): Promise<Rows> {
    let seen: BucketRow | undefined;
    for (;;) {
      const bucket = await readBucket(this.#components.panda, block.cell, block.bucket);
      const volume = bucket && (await readVolume(this.#components.panda, block.cell, bucket.volume));
      if (bucket !== undefined && volume !== undefined) {
        this.#buckets.set(block.bucket, bucket);
        this.#volumes.set(volume.id, volume);
        return { bucket, volume };
      }
      this.#buckets.delete(block.bucket);
      const why = bucket === undefined ? `bucket ${block.bucket} is no more` : `volume ${bucket.volume} is no more`;
      // A volume may be freed between the two reads once the bucket has left it: then the bucket row has changed.
      if (bucket === undefined || bucket.volume === seen?.volume) throw gone(block, why);
      seen = bucket;
    }
  }
}

/** The record was not where it was looked for by a ranged read; nothing else was tried yet. */
class DirectMiss extends Error {
  readonly fault: PocketfulError;

  constructor(fault: PocketfulError) {
    super(fault.message, { cause: fault });
    this.fault = fault;
  }
}

const isMiss = (error: unknown): boolean =>
  error instanceof DirectMiss ||
  error instanceof RecordLost ||
  (isPocketfulError(error) && error.code === 'RECORD_GONE');

const gone = (block: RecordName, why: string) =>
  missing('RECORD_GONE', `record ${block.recordId} is not in its place: ${why}`);

function isSamePlace(a: Rows, b: Rows): boolean {
  return (
    a.bucket.volume === b.bucket.volume &&
    a.bucket.move === b.bucket.move &&
    a.volume.id === b.volume.id &&
    a.volume.generation === b.volume.generation &&
    (a.volume.state === 'open') === (b.volume.state === 'open')
  );
}

/** Why these bytes are not the record of this id; undefined if they are. */
export function recordFault(bytes: Uint8Array, recordId: RecordId | undefined): PocketfulError | undefined {
  let header: RecordHeader;
  try {
    ({ header } = parseRecord(bytes));
  } catch (error) {
    return columnFault(error);
  }
  if (recordId === undefined || header.recordId === recordId) return undefined;
  return corrupt('RECORD_FOREIGN', `record ${header.recordId} where ${recordId} should be`);
}
