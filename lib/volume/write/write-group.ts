// PUT (protocol 2): lays records into columns, codes them, and stores every column on its drive before it answers. What
// is on the drives is a proposal until a group row names it. Records are written from where they lie: none is copied.

import { crc32 } from 'node:zlib';
import { CELL_BYTES } from '../../codec/codec.ts';
import { codecOf } from '../../codec/codecs.ts';
import { type ColumnPool, parityOf } from '../../codec/group-memory.ts';
import { type Column, columnBytesOf } from '../../codec/pieces.ts';
import { codecShape } from '../../codec/shape.ts';
import type { Drive } from '../../drive/drive.ts';
import {
  CHUNK_HEADER_BYTES,
  type ChunkHeader,
  chunkName,
  encodeChunkHeader,
  parseChunkHeader,
} from '../../format/chunk.ts';
import { crcOfJoined } from '../../format/crc-combine.ts';
import { encodeGroupDirectory, type GroupEntry, groupDirectoryBytes } from '../../format/group-directory.ts';
import { layOut } from '../../format/placement.ts';
import { recordCrc } from '../../format/record.ts';
import { assert } from '../../foundation/assert.ts';
import { conflict, isKind, isPocketfulError, retryLater } from '../../foundation/errors.ts';
import { type AppendId, type BucketId, newAppendId, type RecordId, type StoreId } from '../../foundation/ids.ts';
import { CHUNK_PUT_ATTEMPTS_MAX } from '../../limits/volume.ts';
import type { Extent } from '../../panda/rows/volume-row.ts';
import type { GroupPlace } from '../open/lease.ts';
import type { Components } from '../rows/components.ts';
import type { DriveHealth } from '../rows/drive-health.ts';
import { storageClassOf } from '../rows/storage-class.ts';
import { backOffMs } from '../rows/transact.ts';

/** A record and where it belongs, whoever it is written for; drives do not learn of blocks. */
export interface GroupRecord {
  readonly bucket: BucketId;
  /** Of the bucket in this group: 0 for an append, one more than before for a move. */
  readonly move: number;
  readonly slot: number;
  readonly recordId: RecordId;
  readonly record: Uint8Array;
}

export interface WrittenGroup {
  readonly columnBytes: readonly number[];
  /** Bytes of the object on each extent; 0 where a column is empty. */
  readonly objectBytes: readonly number[];
  /** In the order of the records. */
  readonly entries: readonly GroupEntry[];
}

interface Store {
  readonly components: Components;
  readonly health: DriveHealth;
}

/** A group, its parity in memory that is used again: none of it may be kept. */
interface Coded extends Disposable {
  readonly columns: readonly Column[];
  readonly columnBytes: readonly number[];
  readonly columnCrcs: readonly number[];
  readonly entries: readonly GroupEntry[];
}

/** Upper bound of what a group adds to its fullest extent besides the longest column. */
export const groupOverheadBytes = (records: number, buckets: number): number =>
  CHUNK_HEADER_BYTES + CELL_BYTES + groupDirectoryBytes(records, buckets);

/**
 * Stores a group as `seq-token` in the zones of the leased volume. Resolves when every column is durable. If one is
 * not, the sequence number is burnt, the lease given back, and `retry` GROUP_NOT_STORED thrown: take another volume.
 */
export async function writeGroup(
  store: Store,
  place: GroupPlace,
  kind: ChunkHeader['kind'],
  records: readonly GroupRecord[],
): Promise<WrittenGroup> {
  assert(records.length > 0, 'a group has records');
  using coded = code(store.components.columns, place, records);
  const id = newAppendId(store.components.randomness);
  const chunks = chunksOf(store.components.storeId, place, kind, coded, id);
  const objectBytes = chunks.map((c) => c?.bytes ?? 0);
  const outcomes = await Promise.allSettled(
    chunks.map((c, i) =>
      c === undefined ? undefined : putColumn(store, place.volume.extents[i] as Extent, place, c.parts, id),
    ),
  );
  await passOrAbandon(place, outcomes, objectBytes);
  return { columnBytes: coded.columnBytes, objectBytes, entries: coded.entries };
}

interface Chunk {
  readonly parts: readonly Uint8Array[];
  readonly bytes: number;
}

/** By column; undefined for those that are empty, which are not stored. */
function chunksOf(
  storeId: StoreId,
  { volume, seq, token }: GroupPlace,
  kind: ChunkHeader['kind'],
  { columns, columnBytes, columnCrcs, entries }: Coded,
  appendId: AppendId,
): (Chunk | undefined)[] {
  const { dataColumns } = codecShape(volume.codec);
  const whole = encodeGroupDirectory(entries);
  const wholeCrc = crc32(whole);
  return columns.map((payload, column) => {
    const payloadBytes = columnBytes[column] as number;
    if (payloadBytes === 0) return undefined;
    const listsOwn = column < dataColumns && dataColumns > 1;
    const directory = listsOwn ? encodeGroupDirectory(entries.filter((entry) => entry.column === column)) : whole;
    const header = encodeChunkHeader({
      storeId,
      volumeId: volume.id,
      generation: volume.generation,
      sequence: seq,
      token,
      appendId,
      kind,
      codec: volume.codec,
      column,
      columnBytes,
      columnCrcs,
      directoryBytes: directory.length,
      directoryCrc: listsOwn ? crc32(directory) : wholeCrc,
    });
    return { parts: [header, ...payload, directory], bytes: header.length + payloadBytes + directory.length };
  });
}

function code(pool: ColumnPool | undefined, place: GroupPlace, records: readonly GroupRecord[]): Coded {
  const codec = codecOf(place.volume.codec);
  const used = place.volume.extentUsedBytes.slice(0, codec.dataColumns);
  const layout = layOut(
    records.map(({ record }) => ({ length: record.length })),
    codec.dataColumns,
    used,
  );
  const data = layout.columnBytes.map((): Uint8Array[] => []);
  const dataCrcs = layout.columnBytes.map(() => 0);
  const entries = records.map(({ bucket, move, slot, recordId, record }, i) => {
    const column = layout.column[i] as number;
    // Within a column, records lie one after the other in the order they came in.
    data[column]?.push(record);
    dataCrcs[column] = crcOfJoined(dataCrcs[column] as number, recordCrc(record), record.length);
    return { bucket, move, slot, recordId, column, offset: layout.offset[i] as number, length: record.length };
  });
  const coded = parityOf(codec, data, pool);
  const parityBytes = coded.parity.map(columnBytesOf);
  return {
    columns: [...data, ...coded.parity],
    columnBytes: [...layout.columnBytes, ...parityBytes],
    columnCrcs: [...dataCrcs, ...parityCrcs(data, dataCrcs, coded.parity)],
    entries,
    [Symbol.dispose]: () => coded.release(),
  };
}

/** Copies of the one data column are its bytes and zeros: their checksum goes on from its own. */
function parityCrcs(data: readonly Column[], dataCrcs: readonly number[], parity: readonly Column[]): number[] {
  const isCopy = data.length === 1;
  return parity.map((column) => {
    const own = isCopy ? column.slice(data[0]?.length) : column;
    return own.reduce((crc, piece) => crc32(piece, crc), isCopy ? (dataCrcs[0] as number) : 0);
  });
}

async function putColumn(
  store: Store,
  extent: Extent,
  place: GroupPlace,
  parts: readonly Uint8Array[],
  id: AppendId,
): Promise<void> {
  const drive = store.components.drives[extent.drive] as Drive;
  const at = { zone: extent.zone, generation: extent.zoneGeneration };
  const name = chunkName(place.seq, place.token);
  for (let attempt = 0; ; attempt++) {
    try {
      await drive.append(at, name, parts, undefined, storageClassOf(store.components, place.volume));
      store.health.worked(extent.drive);
      return;
    } catch (error) {
      // Taken: by a retry of this very put, whose first try was stored although it failed, or by nobody else.
      if (isKind(error, 'conflict')) {
        const head = await drive.read(at, name, { offset: 0, length: CHUNK_HEADER_BYTES });
        if (parseChunkHeader(head).appendId === id) return;
        throw conflict('CHUNK_TAKEN', `${drive.label}: ${name} was written by another append`, error);
      }
      if (!isPocketfulError(error) || error.code !== 'DRIVE_BUSY' || attempt >= CHUNK_PUT_ATTEMPTS_MAX) {
        store.health.failed(extent.drive, error);
        throw error;
      }
      await store.components.clock.sleep(backOffMs(attempt, store.components.randomness));
    }
  }
}

async function passOrAbandon(
  place: GroupPlace,
  outcomes: readonly PromiseSettledResult<unknown>[],
  objectBytes: readonly number[],
): Promise<void> {
  const failures = outcomes.flatMap((o) => (o.status === 'rejected' ? [o.reason] : []));
  if (failures.length === 0) return;
  const fatal = failures.find((error) => !isPocketfulError(error));
  if (fatal !== undefined) throw fatal;
  // The strays lie in the zones until these are reset, so the extents count them.
  await place.burn(objectBytes.map((bytes, i) => (outcomes[i]?.status === 'fulfilled' ? bytes : 0)));
  const first = failures[0] as Error;
  throw retryLater(
    'GROUP_NOT_STORED',
    `${failures.length} of ${outcomes.length} columns could not be stored: ${first.message}`,
    first,
  );
}
