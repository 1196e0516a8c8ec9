// Everything of one bucket that is not dead, as it lies on the drives: what a mover copies. Few large reads: ranges of
// a column that are near each other are one request, and a column that is mostly wanted is read whole. Every record is
// verified, every chunk's header says whose it is, and what fails is rebuilt.
import { CHUNK_HEADER_BYTES, parseChunkHeader } from '../../format/chunk.ts';
import { parseRecordHeader } from '../../format/record.ts';
import { mapLimit } from '../../foundation/concurrency.ts';
import type { PocketfulError } from '../../foundation/errors.ts';
import type { RecordId } from '../../foundation/ids.ts';
import { COLLECTED_COLUMNS_AT_ONCE, REBUILD_GAP_BYTES_MAX } from '../../limits/reads.ts';
import { type BucketRow, type DeadRow, deadFromRow, deadKey, isDead } from '../../panda/rows/bucket-row.ts';
import type { VolumeRow } from '../../panda/rows/volume-row.ts';
import type { Settings } from '../../settings/settings.ts';
import { coalesce, type Span } from './coalesce.ts';
import { ColumnFaults } from './column-faults.ts';
import type { FoundSlot } from './directories.ts';
import { extentOf, type GroupPlace, isReadable, ownHeader, readExactly } from './read-column.ts';
import { recordFault } from './read-record.ts';
import { type RebuildStore, rebuildRange } from './reconstruct.ts';
import { RecordLost } from './record-lost.ts';

/** A chunk of which at least half is wanted is read whole. */
const WHOLE_FROM_FRACTION = 0.5;
const MIB = 1024 * 1024;

/**
 * Ranges nearer than this are one request. A GET costs as much as the time in which a function moves 2.6 MB (bench
 * cost: 0.4 dollars a million, 150 MB/s); where buckets are small, so are the distances.
 */
const gapBytesMax = ({ bucketBytes }: Settings): number => Math.min(2 * MIB, bucketBytes / 8);

interface CollectedRecord {
  readonly slot: number;
  readonly recordId: RecordId;
  readonly record: Uint8Array;
}

export interface BucketContent {
  readonly source: VolumeRow;
  readonly bucket: BucketRow;
  /** By slot. */
  readonly records: readonly CollectedRecord[];
}

interface Wanted {
  readonly slot: number;
  readonly place: FoundSlot;
}

/** What is wanted of one chunk, by offset. */
interface ColumnTask {
  readonly place: GroupPlace;
  readonly column: number;
  readonly wanted: readonly Wanted[];
}

/** Throws RecordLost if a single slot that is not dead cannot be had. */
export async function collectBucket(
  store: RebuildStore,
  source: VolumeRow,
  bucket: BucketRow,
  dead: DeadRow,
): Promise<BucketContent> {
  const wanted = await wantedSlots(store, source, bucket, dead);
  const tasks = byColumn(source, wanted);
  const parts = await mapLimit(tasks, COLLECTED_COLUMNS_AT_ONCE, (task) => collectColumn(store, task));
  const records = parts.flat().sort((a, b) => a.slot - b.slot);
  return { source, bucket, records };
}

async function wantedSlots(
  store: RebuildStore,
  source: VolumeRow,
  bucket: BucketRow,
  dead: DeadRow,
): Promise<Wanted[]> {
  const slots = await store.directories.bucketPart(source, bucket, 'many buckets');
  const wanted: Wanted[] = [];
  const unlisted: number[] = [];
  for (let slot = 0; slot < bucket.slots; slot++) {
    if (isDead(dead, slot)) continue;
    const place = slots.find(slot);
    if (place === undefined) unlisted.push(slot);
    else wanted.push({ slot, place });
  }
  const lost = unlisted.length === 0 ? undefined : await stillLive(store, bucket, unlisted);
  if (lost === undefined) return wanted;
  const what = `slot ${lost} of bucket ${bucket.id} in volume ${source.id}`;
  if (slots.lost !== undefined) throw slots.lost.lost(what);
  throw new RecordLost('corrupt', `${what} is live, but no directory lists it`, { drives: [] });
}

/** Slots that died after the dead row was read may be left out of a directory written since. */
async function stillLive(
  { components }: RebuildStore,
  bucket: BucketRow,
  slots: readonly number[],
): Promise<number | undefined> {
  const dead = deadFromRow(await components.panda.get(deadKey(components.settings.cell, bucket.id)));
  return slots.find((slot) => !isDead(dead, slot));
}

function byColumn(volume: VolumeRow, wanted: readonly Wanted[]): ColumnTask[] {
  const tasks = new Map<string, { place: GroupPlace; column: number; wanted: Wanted[] }>();
  for (const item of wanted) {
    const { sequence, token, column } = item.place;
    const key = `${sequence}-${token}/${column}`;
    const task = tasks.get(key) ?? { place: { volume, sequence, token }, column, wanted: [] };
    task.wanted.push(item);
    tasks.set(key, task);
  }
  for (const task of tasks.values()) task.wanted.sort((a, b) => a.place.offset - b.place.offset);
  return [...tasks.values()];
}

async function collectColumn(store: RebuildStore, task: ColumnTask): Promise<CollectedRecord[]> {
  const faults = new ColumnFaults(task.place.volume, store.components.drives);
  const found = new Map<Wanted, Uint8Array>();
  if (isReadable(store.health, extentOf(task.place.volume, task.column).drive)) {
    try {
      const wrong = await readWanted(store, task, found);
      if (wrong !== undefined) faults.add(task.column, wrong);
    } catch (error) {
      faults.add(task.column, error);
    }
  }
  const failed = task.wanted.filter((item) => !found.has(item));
  for (const span of coalesce(failed.map(spanOf), REBUILD_GAP_BYTES_MAX))
    await rebuildSpan(store, task, span, faults, found);
  return task.wanted.map((item) => {
    const record = found.get(item) as Uint8Array;
    return { slot: item.slot, recordId: parseRecordHeader(record).recordId, record };
  });
}

const spanOf = (item: Wanted): Span<Wanted> => ({
  offset: item.place.offset,
  length: item.place.length,
  items: [item],
});

/**
 * Fills in what verifies, by ranged reads; answers why something does not. Throws if the chunk is not the one meant.
 */
async function readWanted(
  store: RebuildStore,
  task: ColumnTask,
  found: Map<Wanted, Uint8Array>,
): Promise<PocketfulError | undefined> {
  const { place, column } = task;
  const lengths = await store.directories.columnBytes(place);
  const chunkBytes = CHUNK_HEADER_BYTES + (lengths?.[column] ?? Number.POSITIVE_INFINITY);
  const header: Span<Wanted> = { offset: 0, length: CHUNK_HEADER_BYTES, items: [] };
  const records = task.wanted.map((item) => ({ ...spanOf(item), offset: CHUNK_HEADER_BYTES + item.place.offset }));
  const isProven = store.directories.isProven(place, column);
  const wanted = isProven ? records : [header, ...records];
  let spans = coalesce(wanted, gapBytesMax(store.components.settings));
  const spanBytes = spans.reduce((sum, { length }) => sum + length, 0);
  if (spanBytes >= chunkBytes * WHOLE_FROM_FRACTION) spans = coalesce(wanted, Number.POSITIVE_INFINITY);
  let wrong: PocketfulError | undefined;
  for (const [i, span] of spans.entries()) {
    const bytes = await readExactly(store, place, column, span);
    if (i === 0 && !isProven) {
      ownHeader(store, place, column, parseChunkHeader(bytes));
      store.directories.prove(place, column);
    }
    for (const item of span.items) {
      const at = CHUNK_HEADER_BYTES + item.place.offset - span.offset;
      const record = bytes.subarray(at, at + item.place.length);
      const fault = recordFault(record, item.place.recordId);
      if (fault === undefined) found.set(item, record);
      else wrong = fault;
    }
  }
  return wrong;
}

async function rebuildSpan(
  store: RebuildStore,
  task: ColumnTask,
  span: Span<Wanted>,
  faults: ColumnFaults,
  found: Map<Wanted, Uint8Array>,
): Promise<void> {
  const { place, column } = task;
  const cut = (bytes: Uint8Array, item: Wanted): Uint8Array => {
    const at = item.place.offset - span.offset;
    return bytes.subarray(at, at + item.place.length);
  };
  const rebuilt = await rebuildRange(
    store,
    {
      place,
      column,
      offset: span.offset,
      length: span.length,
      what: `column ${column} of group ${place.sequence}-${place.token} of volume ${place.volume.id}`,
      check: (bytes) => {
        for (const item of span.items) {
          const fault = recordFault(cut(bytes, item), item.place.recordId);
          if (fault !== undefined) return fault;
        }
        return undefined;
      },
    },
    faults,
  );
  for (const item of span.items) found.set(item, cut(rebuilt.bytes, item));
}
