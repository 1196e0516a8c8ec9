// Which records a read would not bring back now, told without reading all of them: of every chunk that holds some of
// them one record is looked at, the last; only where that one is not sound do the other columns of its group matter,
// and of each of these one byte. So the work is bounded by the chunks touched, at most one small read for each record
// asked about. Nothing is remembered between two calls.

import { CELL_BYTES } from '../../codec/codec.ts';
import { codecOf } from '../../codec/codecs.ts';
import { parseRecordHeader, RECORD_HEADER_BYTES } from '../../format/record.ts';
import { mapLimit } from '../../foundation/concurrency.ts';
import type { ErrorCode } from '../../foundation/error-codes.ts';
import { isKind } from '../../foundation/errors.ts';
import type { BucketId, VolumeId } from '../../foundation/ids.ts';
import { CHECKED_CHUNKS_AT_ONCE, WHOLE_RECORD_BYTES_MAX } from '../../limits/reads.ts';
import type { Key, Panda, Row } from '../../panda/panda.ts';
import type { BlockRow } from '../../panda/rows/block-row.ts';
import { type BucketRow, bucketFromRow, bucketKey } from '../../panda/rows/bucket-row.ts';
import { damagePartition } from '../../panda/rows/damage-row.ts';
import { type VolumeRow, volumeFromRow, volumeKey } from '../../panda/rows/volume-row.ts';
import { readDamage } from '../rows/damage.ts';
import { rowsAt } from '../rows/read-rows.ts';
import type { VolumeStore } from '../volume-store.ts';
import { columnFault } from './column-faults.ts';
import type { FoundSlot } from './directories.ts';
import { extentOf, type GroupPlace, readPayload } from './read-column.ts';
import { recordFault } from './read-record.ts';

/** The whole drive cannot be reached: its other objects need not be asked for. */
const AWAY = new Set<ErrorCode>(['DRIVE_UNAVAILABLE', 'DRIVE_DENIED']);

/** A record and where it is. */
interface Placed {
  readonly block: BlockRow;
  readonly place: GroupPlace;
  readonly slot: Pick<FoundSlot, 'column' | 'offset' | 'length'>;
}

/**
 * Those of the blocks whose record cannot be read now: too many columns away, gone or damaged, or no row or directory
 * leads to it.
 */
export async function unreadableRecords(store: VolumeStore, blocks: readonly BlockRow[]): Promise<BlockRow[]> {
  return blocks.length === 0 ? [] : new Look(store).unreadable(blocks);
}

class Look {
  readonly #store: VolumeStore;
  readonly #away = new Set<number>();
  /** Keys of chunks that a damage row names. */
  readonly #damaged = new Set<string>();
  readonly #groups = new Map<string, Promise<GroupState>>();

  constructor(store: VolumeStore) {
    this.#store = store;
  }

  async unreadable(blocks: readonly BlockRow[]): Promise<BlockRow[]> {
    const { placed, lost } = await this.#placed(blocks);
    const chunks = Map.groupBy(placed, ({ place, slot }) => chunkKeyOf(place, slot.column));
    const found = await mapLimit([...chunks.values()], CHECKED_CHUNKS_AT_ONCE, (records) => this.#inChunk(records));
    return [...lost, ...found.flat()];
  }

  async #placed(blocks: readonly BlockRow[]): Promise<{ placed: Placed[]; lost: BlockRow[] }> {
    const { buckets, volumes } = await this.#rows(blocks);
    await this.#readDamage([...volumes.keys()]);
    const reading = buckets.size > 1 ? 'many buckets' : 'one bucket';
    const placed: Placed[] = [];
    const lost: BlockRow[] = [];
    for (const block of blocks) {
      const bucket = buckets.get(block.bucket);
      const volume = bucket === undefined ? undefined : volumes.get(bucket.volume);
      const at =
        bucket === undefined || volume === undefined ? undefined : await this.#place(block, bucket, volume, reading);
      if (at === undefined) lost.push(block);
      else placed.push(at);
    }
    return { placed, lost };
  }

  /** Rows as they are now: what a process remembers may be the place that was right before the drives went. */
  async #rows(
    blocks: readonly BlockRow[],
  ): Promise<{ buckets: Map<BucketId, BucketRow>; volumes: Map<VolumeId, VolumeRow> }> {
    const { panda, settings } = this.#store.components;
    const { cell } = settings;
    let buckets = new Map<BucketId, BucketRow>();
    let volumes = new Map<VolumeId, VolumeRow>();
    // A bucket may leave its volume, and that be freed, between the two reads: once more, then.
    for (let tries = 0; tries < 2; tries++) {
      buckets = await rowsBy(
        panda,
        [...new Set(blocks.map(({ bucket }) => bucket))],
        (id) => bucketKey(cell, id),
        bucketFromRow,
      );
      const ids = [...new Set([...buckets.values()].map(({ volume }) => volume))];
      volumes = await rowsBy(panda, ids, (id) => volumeKey(cell, id), volumeFromRow);
      if (volumes.size === ids.length) break;
    }
    return { buckets, volumes };
  }

  /** One small query while nothing is damaged. */
  async #readDamage(volumes: readonly VolumeId[]): Promise<void> {
    const { components } = this.#store;
    const any = await components.panda.query(damagePartition(components.settings.cell), {}, { limit: 1 });
    if (any.rows.length === 0 && any.next === undefined) return;
    for (const row of (
      await mapLimit(volumes, CHECKED_CHUNKS_AT_ONCE, (volume) => readDamage(components, volume))
    ).flat())
      if (typeof row.part === 'number')
        this.#damaged.add(damageKeyOf(row.volume, row.generation, row.part, row.column));
  }

  async #place(
    block: BlockRow,
    bucket: BucketRow,
    volume: VolumeRow,
    reading: 'one bucket' | 'many buckets',
  ): Promise<Placed | undefined> {
    const { hint } = block;
    if (bucket.move === 0 && hint.volume === volume.id && hint.generation === volume.generation) {
      const place = { volume, sequence: hint.seq, token: hint.token };
      return { block, place, slot: { column: hint.column, offset: hint.offset, length: block.recordBytes } };
    }
    const slot = (await this.#store.directories.bucketPart(volume, bucket, reading)).find(block.slot);
    if (slot === undefined) return undefined;
    return { block, place: { volume, sequence: slot.sequence, token: slot.token }, slot };
  }

  /** Of the records in one chunk. */
  async #inChunk(records: readonly Placed[]): Promise<BlockRow[]> {
    const last = records.reduce((a, b) => (b.slot.offset > a.slot.offset ? b : a));
    const isDamaged = this.#isDamaged(last.place, last.slot.column);
    if (!isDamaged && (await this.#isThere(last.place, last.slot.column, () => this.#isSound(last)))) return [];
    const lost: BlockRow[] = [];
    for (const record of records) {
      // What a damage row says of the chunk need not be so of each record in it, and may be more than its columns show.
      const isReadable = (await this.#canRebuild(record)) && (!isDamaged || (await this.#reads(record.block)));
      if (!isReadable) lost.push(record.block);
    }
    return lost;
  }

  async #isSound({ block, place, slot: { column, offset, length } }: Placed): Promise<boolean> {
    if (length <= WHOLE_RECORD_BYTES_MAX) {
      const bytes = await readPayload(this.#store, place, column, offset, length);
      return recordFault(bytes, block.recordId) === undefined;
    }
    const head = await readPayload(this.#store, place, column, offset, RECORD_HEADER_BYTES);
    if (parseRecordHeader(head).recordId !== block.recordId) return false;
    return (await readPayload(this.#store, place, column, offset + length - 1, 1)).length === 1;
  }

  /** From the other columns of its group, by the code's arithmetic alone. */
  async #canRebuild({ place, slot: { column, offset } }: Placed): Promise<boolean> {
    const key = groupKeyOf(place);
    const known = this.#groups.get(key) ?? this.#groupState(place);
    this.#groups.set(key, known);
    const { columnBytes, bad } = await known;
    if (columnBytes === undefined) return false;
    // Behind the end of a column there are zeros, whether it is there or not.
    const from = Math.floor(offset / CELL_BYTES) * CELL_BYTES;
    const lost = bad.filter((other) => other !== column && (columnBytes[other] as number) > from);
    return codecOf(place.volume.codec).repairPlan([column, ...lost], [column]).ok;
  }

  async #groupState(place: GroupPlace): Promise<GroupState> {
    const columnBytes = await this.#store.directories.columnBytes(place);
    if (columnBytes === undefined) return { columnBytes, bad: [] };
    const columns = [...columnBytes.keys()].filter((column) => (columnBytes[column] as number) > 0);
    const isGood = await mapLimit(columns, CHECKED_CHUNKS_AT_ONCE, async (column) => {
      if (this.#isDamaged(place, column)) return false;
      const end = (columnBytes[column] as number) - 1;
      return this.#isThere(
        place,
        column,
        async () => (await readPayload(this.#store, place, column, end, 1)).length === 1,
      );
    });
    return { columnBytes, bad: columns.filter((_, i) => !isGood[i]) };
  }

  /** False for a drive that is away, and for whatever else one column can answer that is no yes. */
  async #isThere({ volume }: GroupPlace, column: number, look: () => Promise<boolean>): Promise<boolean> {
    const { drive } = extentOf(volume, column);
    if (this.#away.has(drive)) return false;
    try {
      return await look();
    } catch (error) {
      if (AWAY.has(columnFault(error).code)) this.#away.add(drive);
      return false;
    }
  }

  async #reads(block: BlockRow): Promise<boolean> {
    try {
      await this.#store.records.read(block);
      return true;
    } catch (error) {
      if (isKind(error, 'corrupt', 'missing', 'retry')) return false;
      throw error;
    }
  }

  #isDamaged({ volume, sequence }: GroupPlace, column: number): boolean {
    return this.#damaged.has(damageKeyOf(volume.id, volume.generation, sequence, column));
  }
}

async function rowsBy<Id, T>(
  panda: Panda,
  ids: readonly Id[],
  keyOf: (id: Id) => Key,
  parse: (row: Row) => T,
): Promise<Map<Id, T>> {
  const found = new Map<Id, T>();
  for (const [i, row] of (await rowsAt(panda, ids.map(keyOf))).entries())
    if (row !== undefined) found.set(ids[i] as Id, parse(row));
  return found;
}

interface GroupState {
  /** undefined if neither a header nor a row tells. */
  readonly columnBytes: readonly number[] | undefined;
  readonly bad: readonly number[];
}

const groupKeyOf = ({ volume, sequence, token }: GroupPlace): string =>
  `${volume.id}/${volume.generation}/${sequence}-${token}`;
const chunkKeyOf = (place: GroupPlace, column: number): string => `${groupKeyOf(place)}/${column}`;
const damageKeyOf = (volume: VolumeId, generation: number, sequence: number, column: number): string =>
  `${volume}/${generation}/${sequence}/${column}`;
