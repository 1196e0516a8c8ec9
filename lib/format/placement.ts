// Where the records of a group go: whole records into k columns of nearly the same length, and the columns onto the
// extents of the volume. Parity is as long as the longest column, so what the longest has over the mean is lost m
// times. Pure and deterministic: the same records and extents give the same layout.
import { assert, assertCount } from '../foundation/assert.ts';
import { PLACEMENT_EXCHANGES_MAX } from '../limits/bytes.ts';

export interface Layout {
  /** Per record. */
  readonly column: readonly number[];
  /** Per record, from the start of its column. */
  readonly offset: readonly number[];
  /** Per data column; 0 for an empty one. */
  readonly columnBytes: readonly number[];
}

/** The longest column of a group is at most this times the mean wherever its records allow it. */
export const IMBALANCE_AIM = 1.05;

// Exchanges cost a tenth of a millisecond and save stored bytes for good, so they go on well below the aim.
const IMPROVE_ABOVE = 1.003;
/** Of the bytes, the last ones, which level the columns. */
const LEVELLING_FRACTION = 1 / 12;
/** Neighbours in one column are worth that much of the longest one. */
const IN_ORDER_WORTH = 1.002;

interface Draft {
  readonly lengths: readonly number[];
  /** Indexes of records per column. */
  readonly columns: number[][];
  readonly bytes: number[];
}

/**
 * In the order they come in, column after column, and the last of them where they level the columns: so a bucket lies
 * in few columns, and a mover reads it in few requests. Where that leaves the columns uneven, longest record first onto
 * the shortest column. What is too long then is moved to or swapped with shorter records of other columns; the longest
 * column goes onto the emptiest extent. `extentUsedBytes[c]` is what extent c holds already.
 */
export function layOut(
  records: readonly { readonly length: number }[],
  dataColumns: number,
  extentUsedBytes: readonly number[],
): Layout {
  assert(dataColumns >= 1 && extentUsedBytes.length === dataColumns, 'as many extents as data columns');
  const lengths = records.map(({ length }) => length);
  for (const length of lengths) assertCount(length, 'length');
  return onExtents(levelled(lengths, dataColumns), extentUsedBytes);
}

function levelled(lengths: readonly number[], dataColumns: number): Draft {
  const ordered = improved(inOrder(lengths, dataColumns));
  if (imbalanceOf(ordered.bytes) <= IMPROVE_ABOVE) return ordered;
  const draft = improved(longestFirst(emptyDraft(lengths, dataColumns), lengths.keys()));
  return imbalanceOf(ordered.bytes) <= imbalanceOf(draft.bytes) * IN_ORDER_WORTH ? ordered : draft;
}

function improved(draft: Draft): Draft {
  for (let i = 0; i < PLACEMENT_EXCHANGES_MAX && imbalanceOf(draft.bytes) > IMPROVE_ABOVE; i++)
    if (!improve(draft)) break;
  return draft;
}

/** Longest column / mean column; 1 is perfect, and so is a group without bytes. */
export const imbalance = (layout: Pick<Layout, 'columnBytes'>): number => imbalanceOf(layout.columnBytes);

function imbalanceOf(columnBytes: readonly number[]): number {
  const total = columnBytes.reduce((sum, bytes) => sum + bytes, 0);
  return total === 0 ? 1 : (Math.max(...columnBytes) * columnBytes.length) / total;
}

const emptyDraft = (lengths: readonly number[], dataColumns: number): Draft => ({
  lengths,
  columns: Array.from({ length: dataColumns }, () => []),
  bytes: new Array<number>(dataColumns).fill(0),
});

/** Equal shares of all but the last records, cut at the nearest record. */
function inOrder(lengths: readonly number[], dataColumns: number): Draft {
  const draft = emptyDraft(lengths, dataColumns);
  const total = lengths.reduce((sum, length) => sum + length, 0);
  const shareBytes = (total * (1 - LEVELLING_FRACTION)) / dataColumns;
  let placedBytes = 0;
  let record = 0;
  for (; record < lengths.length; record++) {
    const middle = placedBytes + at(lengths, record) / 2;
    const column = Math.floor(middle / shareBytes);
    if (column >= dataColumns) break;
    append(draft, column, record);
    placedBytes += at(lengths, record);
  }
  return longestFirst(
    draft,
    Array.from({ length: lengths.length - record }, (_, i) => record + i),
  );
}

function longestFirst(draft: Draft, records: Iterable<number>): Draft {
  const { lengths, bytes } = draft;
  for (const record of [...records].sort((a, b) => at(lengths, b) - at(lengths, a) || a - b))
    append(draft, bytes.indexOf(Math.min(...bytes)), record);
  return draft;
}

function append({ lengths, columns, bytes }: Draft, column: number, record: number): void {
  columns[column]?.push(record);
  bytes[column] = at(bytes, column) + at(lengths, record);
}

/**
 * Shortens the longest column by one move or swap, with the shortest column for which there is one. False: none helps.
 */
function improve(draft: Draft): boolean {
  const order = draft.bytes.map((_, c) => c).sort((a, b) => at(draft.bytes, a) - at(draft.bytes, b) || a - b);
  const longest = order.pop() as number;
  for (const shorter of order) {
    const exchange = bestExchange(draft, longest, shorter);
    if (exchange === undefined) continue;
    const { out, back } = exchange;
    replace(draft, longest, out, back);
    replace(draft, shorter, back, out);
    return true;
  }
  return false;
}

/** The record to take `out` of the longer column and the one to bring `back` (none: a move) that level the two best. */
function bestExchange(
  { lengths, columns, bytes }: Draft,
  longer: number,
  shorter: number,
): { out: number; back: number | undefined } | undefined {
  const difference = at(bytes, longer) - at(bytes, shorter);
  let best: { out: number; back: number | undefined } | undefined;
  let bestMiss = difference;
  for (const out of columns[longer] as number[]) {
    for (const back of [undefined, ...(columns[shorter] as number[])]) {
      const shift = at(lengths, out) - (back === undefined ? 0 : at(lengths, back));
      // After the exchange the two differ by |difference - 2 shift|: smaller than before for 0 < shift < difference.
      const miss = Math.abs(difference - 2 * shift);
      if (shift > 0 && miss < bestMiss) {
        best = { out, back };
        bestMiss = miss;
      }
    }
  }
  return best;
}

function replace(draft: Draft, column: number, gone: number | undefined, come: number | undefined): void {
  const kept = (draft.columns[column] as number[]).filter((record) => record !== gone);
  if (come !== undefined) kept.push(come);
  draft.columns[column] = kept;
  draft.bytes[column] = kept.reduce((sum, record) => sum + at(draft.lengths, record), 0);
}

/**
 * The longest column onto the emptiest extent; within a column records keep the order they came in, so that neighbours
 * stay neighbours.
 */
function onExtents({ lengths, columns, bytes }: Draft, extentUsedBytes: readonly number[]): Layout {
  const longestFirstColumns = bytes.map((_, c) => c).sort((a, b) => at(bytes, b) - at(bytes, a) || a - b);
  const emptiestFirst = extentUsedBytes
    .map((_, e) => e)
    .sort((a, b) => at(extentUsedBytes, a) - at(extentUsedBytes, b) || a - b);
  const column = lengths.map(() => 0);
  const offset = lengths.map(() => 0);
  const columnBytes = extentUsedBytes.map(() => 0);
  for (const [rank, draftColumn] of longestFirstColumns.entries()) {
    const extent = at(emptiestFirst, rank);
    for (const record of [...(columns[draftColumn] as number[])].sort((a, b) => a - b)) {
      column[record] = extent;
      offset[record] = at(columnBytes, extent);
      columnBytes[extent] = at(columnBytes, extent) + at(lengths, record);
    }
  }
  return { column, offset, columnBytes };
}

const at = (numbers: readonly number[], index: number): number => numbers[index] as number;
