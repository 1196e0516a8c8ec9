// Many records at once: neighbours in a column come with one read. What is read is not proven here to be the records:
// whoever opens them checks each, and asks RecordReader.read for one that is not what it should be. A column on a drive
// that is away is rebuilt once for all the records of a span.
import type { PocketfulError } from '../../foundation/errors.ts';
import { TOGETHER_GAP_BYTES_MAX, TOGETHER_SPAN_BYTES_MAX } from '../../limits/reads.ts';
import { ColumnFaults, columnFault } from './column-faults.ts';
import { chunkNameOf, extentOf, isReadable, readPayload } from './read-column.ts';
import { type RecordPlace, recordFault } from './read-record.ts';
import { type RebuildStore, rebuildRange } from './reconstruct.ts';

export interface Placed<T> {
  readonly item: T;
  readonly place: RecordPlace;
}

/** A range of one column of one group, and the records in it, by offset. */
export interface RecordSpan<T> {
  readonly place: RecordPlace;
  readonly records: readonly Placed<T>[];
}

/** Spans in the order in which they lie: group by group, column by column. */
export function spansOf<T>(placed: readonly Placed<T>[]): RecordSpan<T>[] {
  const spans: { place: RecordPlace; records: Placed<T>[] }[] = [];
  const columns = Map.groupBy(placed, ({ place }) => columnKey(place));
  for (const key of [...columns.keys()].sort()) {
    let last: (typeof spans)[number] | undefined;
    for (const one of (columns.get(key) ?? []).sort((a, b) => a.place.offset - b.place.offset)) {
      const { offset, length } = one.place;
      const from = last?.place.offset ?? 0;
      const end = from + (last?.place.length ?? 0);
      const joined = Math.max(end, offset + length) - from;
      if (last !== undefined && offset - end <= TOGETHER_GAP_BYTES_MAX && joined <= TOGETHER_SPAN_BYTES_MAX) {
        last.place = { ...last.place, length: joined };
        last.records.push(one);
      } else {
        last = { place: one.place, records: [one] };
        spans.push(last);
      }
    }
  }
  return spans;
}

/** The bytes of a span, in memory of its own; undefined if they cannot be had so. */
export async function readSpan<T>(store: RebuildStore, span: RecordSpan<T>): Promise<Uint8Array | undefined> {
  const { volume, column, offset, length } = span.place;
  const isThere = (): boolean => isReadable(store.health, extentOf(volume, column).drive);
  try {
    if (isThere()) {
      const bytes = await readPayload(store, span.place, column, offset, length);
      return bytes.length === length ? bytes : undefined;
    }
  } catch (error) {
    columnFault(error);
    if (isThere()) return undefined;
  }
  return rebuilt(store, span);
}

async function rebuilt<T>(store: RebuildStore, { place, records }: RecordSpan<T>): Promise<Uint8Array | undefined> {
  const { volume, column, offset, length } = place;
  const check = (bytes: Uint8Array): PocketfulError | undefined => {
    for (const { place: one } of records) {
      const from = one.offset - offset;
      const fault = recordFault(bytes.subarray(from, from + one.length), undefined);
      if (fault !== undefined) return fault;
    }
    return undefined;
  };
  const what = `${records.length} records of volume ${volume.id}`;
  const faults = new ColumnFaults(volume, store.components.drives);
  try {
    return (await rebuildRange(store, { place, column, offset, length, what, check }, faults)).bytes;
  } catch (error) {
    columnFault(error);
    return undefined;
  }
}

/** Sorts as the place does: numbers are as wide as the largest of them. */
const columnKey = (place: RecordPlace): string =>
  `${place.volume.id}/${String(place.volume.generation).padStart(16, '0')}/${String(place.sequence).padStart(16, '0')}/${chunkNameOf(place)}/${String(place.column).padStart(2, '0')}`;
