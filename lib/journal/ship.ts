// Shipping: what changed since the cursor goes onto the drives, and the cursor moves on. docs/decisions/0025 has the
// steps and what a crash after each leaves.
import { inTurn } from '../foundation/chained.ts';
import { isKind, retryLater } from '../foundation/errors.ts';
import { nextOf } from '../foundation/next-of.ts';
import type { Kek } from '../keys/envelope.ts';
import { MERGED_ROWS, SHIP_ATTEMPTS_MAX } from '../limits/journal.ts';
import {
  type DamagedRow,
  type ImageRow,
  isDamaged,
  type JournalSource,
  type JournalView,
  type ShippedTo,
} from '../panda/journal-source.ts';
import type { Key } from '../panda/panda.ts';
import { lineageFromRow } from '../panda/rows/lineage.ts';
import { storeKey } from '../panda/rows/store-row.ts';
import { compareKeys } from '../panda/sort-order.ts';
import type { RowImage } from './frame.ts';
import { NOTHING, samePoint } from './points.ts';
import { mergedRows, readSegment, type SegmentPorts, writeSegment } from './segments.ts';
import { reachedAt, type Segment, waysOf } from './way.ts';

export interface ShipPorts extends Omit<SegmentPorts, 'shelves'> {
  readonly source: JournalSource;
  /** The drives as of the rows of that moment. */
  shelvesOf(view: JournalView): SegmentPorts['shelves'];
  /** The current key, read when asked. */
  currentKek(): Promise<Kek>;
}

export interface Shipped {
  /** Where the drives are now; undefined: there is nothing to ship. */
  readonly cursor: ShippedTo | undefined;
  /** What was written for it, if anything was. */
  readonly segment: Segment | undefined;
}

const epochOf = (view: JournalView): number | undefined => {
  const row = view.row(storeKey);
  return row === undefined ? undefined : lineageFromRow(row).epoch;
};

/** Of the epoch of its rows. */
const cursorOf = (view: JournalView, epoch: number): ShippedTo | undefined =>
  view.cursor?.epoch === epoch ? view.cursor : undefined;

/** Everything committed before the call. Throws `retry` JOURNAL_UNSHIPPED, JOURNAL_BUSY. */
export async function ship(ports: ShipPorts): Promise<Shipped> {
  for (let attempt = 0; attempt < SHIP_ATTEMPTS_MAX; attempt++) {
    const view = await ports.source.look();
    try {
      const shipped = await shipView(ports, view);
      if (shipped !== undefined) return shipped;
    } finally {
      view.close();
    }
  }
  throw busy();
}

/**
 * A snapshot at the cursor, so that all that is shipped later leads on from it. Read back before it counts where
 * `isVerified`. Throws as `ship`.
 */
export async function shipSnapshot(ports: ShipPorts, isVerified = false): Promise<Segment | undefined> {
  for (let attempt = 0; attempt < SHIP_ATTEMPTS_MAX; attempt++) {
    const view = await ports.source.look();
    try {
      const shipped = await shipView(ports, view);
      if (shipped === undefined) continue;
      const { cursor, segment } = shipped;
      if (cursor === undefined) return undefined;
      const snapshot = segment?.level === 'snapshot' ? segment : await writeSnapshot(ports, view, cursor);
      if (!isVerified) return snapshot;
      const isThere = await isReadable({ ...ports, shelves: ports.shelvesOf(view) }, snapshot);
      if (isThere && (await leadsOn(ports, snapshot))) return snapshot;
    } finally {
      view.close();
    }
  }
  throw busy();
}

/** Read whole. False: whoever tends has found a newer one meanwhile, and deleted this. Throws what is wrong with it. */
async function isReadable(ports: SegmentPorts, snapshot: Segment): Promise<boolean> {
  try {
    for await (const _ of readSegment(ports, snapshot));
    return true;
  } catch (error) {
    if (isKind(error, 'missing')) return false;
    throw error;
  }
}

/**
 * From it alone to where the cursor is now. False: whoever tends went by a list from before it, has merged what follows
 * with what is before it, and deleted what follows.
 */
async function leadsOn(ports: ShipPorts, { epoch, to, id }: Segment): Promise<boolean> {
  const view = await ports.source.look();
  try {
    const { cursor } = view;
    if (cursor === undefined) return false;
    const { segments } = await ports.shelvesOf(view).list();
    const after = segments.filter(({ level, ...one }) =>
      level === 'snapshot' ? one.epoch === epoch && one.id === id : one.from.sequence >= to.sequence,
    );
    return reachedAt(waysOf(after), cursor.epoch, cursor) !== undefined;
  } finally {
    view.close();
  }
}

/** Undefined: another process moved the cursor meanwhile. */
async function shipView(ports: ShipPorts, view: JournalView): Promise<Shipped | undefined> {
  const { tip } = view;
  const epoch = epochOf(view);
  if (tip === undefined || epoch === undefined) return { cursor: undefined, segment: undefined };
  const before = cursorOf(view, epoch);
  if (before !== undefined && samePoint(before, tip)) return { cursor: before, segment: undefined };
  const next: ShippedTo = { epoch, ...tip };
  if (!(await ports.source.claim(before, next))) return undefined;
  const segment = await written(ports, view, before, next);
  return (await ports.source.advance(before, next)) ? { cursor: next, segment } : undefined;
}

async function written(
  ports: ShipPorts,
  view: JournalView,
  before: ShippedTo | undefined,
  next: ShippedTo,
): Promise<Segment> {
  try {
    return before === undefined ? await writeSnapshot(ports, view, next) : await writeTail(ports, view, before, next);
  } catch (error) {
    await ports.source.letGo();
    throw error;
  }
}

async function writeSnapshot(ports: ShipPorts, view: JournalView, { epoch, ...to }: ShippedTo): Promise<Segment> {
  const head = { level: 'snapshot', from: NOTHING, to, atMs: to.atMs } as const;
  const all = { ...ports, shelves: ports.shelvesOf(view) };
  if (view.isScanned) {
    const merged = await mergedSnapshot(all, epoch, head, await ports.currentKek());
    if (merged !== undefined) return merged;
  }
  const damaged: Key[] = [];
  const rows = soundOrShipped(view.all(), () => shippedRows(all, view.cursor), damaged);
  const segment = await writeSegment(all, epoch, head, rows, await ports.currentKek());
  if (damaged.length > 0) await ports.source.passOver(damaged);
  return segment;
}

/** Out of what was shipped, an object of each segment in memory; undefined: that does not lead there. */
async function mergedSnapshot(
  ports: SegmentPorts,
  epoch: number,
  head: Parameters<typeof writeSegment>[2],
  kek: Kek,
): Promise<Segment | undefined> {
  const way = await wayTo(ports, { epoch, ...head.to });
  if (way.length === 0) return undefined;
  try {
    return await writeSegment(ports, epoch, head, present(mergedRows(way.map((one) => readSegment(ports, one)))), kek);
  } catch (error) {
    if (!isKind(error, 'corrupt', 'missing', 'denied')) throw error;
    return undefined;
  }
}

async function* present(rows: AsyncIterable<readonly RowImage[]>): AsyncGenerator<readonly RowImage[]> {
  for await (const some of rows) yield some.filter(({ image }) => image !== undefined);
}

async function wayTo({ shelves }: SegmentPorts, cursor: Omit<ShippedTo, 'atMs'>): Promise<readonly Segment[]> {
  const { segments } = await shelves.list();
  return reachedAt(waysOf(segments), cursor.epoch, cursor)?.way ?? [];
}

/** What the drives have of the rows as of the cursor; nothing if they lead to no such point. */
async function* shippedRows(ports: SegmentPorts, cursor: ShippedTo | undefined): AsyncGenerator<RowImage> {
  if (cursor === undefined) return;
  const way = await wayTo(ports, cursor);
  yield* inTurn(mergedRows(way.map((segment) => readSegment(ports, segment))));
}

/**
 * Some rows at a time. A damaged one as it was shipped last, if it ever was: `shipped` is in the order of keys too, and
 * read only then.
 */
async function* soundOrShipped(
  rows: Iterable<ImageRow | DamagedRow> | AsyncIterable<ImageRow | DamagedRow>,
  shipped: () => AsyncGenerator<RowImage>,
  damaged: Key[],
): AsyncGenerator<readonly RowImage[]> {
  let before: AsyncGenerator<RowImage> | undefined;
  let next: RowImage | undefined;
  for await (const some of together(rows)) {
    const sound: RowImage[] = [];
    for (const row of some) {
      if (!isDamaged(row)) {
        sound.push(row);
        continue;
      }
      damaged.push(row);
      if (before === undefined) {
        before = shipped();
        next = await nextOf(before);
      }
      while (next !== undefined && compareKeys(next, row) < 0) next = await nextOf(before);
      if (next !== undefined && compareKeys(next, row) === 0) sound.push(next);
    }
    yield sound;
  }
  await before?.return(undefined);
}

async function* together<T>(rows: Iterable<T> | AsyncIterable<T>): AsyncGenerator<readonly T[]> {
  if (Symbol.asyncIterator in rows) {
    for await (const row of rows) yield [row];
    return;
  }
  let some: T[] = [];
  for (const row of rows) {
    if (some.push(row) < MERGED_ROWS) continue;
    yield some;
    some = [];
  }
  yield some;
}

/** What is damaged stays as it was shipped before: a segment says nothing of it. */
function* soundOnly(rows: Iterable<ImageRow | DamagedRow>, damaged: Key[]): Generator<RowImage> {
  for (const row of rows)
    if (isDamaged(row)) damaged.push(row);
    else yield row;
}

async function writeTail(ports: ShipPorts, view: JournalView, from: ShippedTo, to: ShippedTo): Promise<Segment> {
  const shelves = ports.shelvesOf(view);
  const head = { level: 0, from, to, atMs: to.atMs };
  // The key after the view: a key that is destroyed later is not the current one of a view after its last snapshot.
  const damaged: Key[] = view.passedOver();
  const rows = soundOnly(view.changes(), damaged);
  const segment = await writeSegment({ ...ports, shelves }, to.epoch, head, rows, await ports.currentKek());
  if (damaged.length > 0) await ports.source.passOver(damaged);
  return segment;
}

const busy = (): Error =>
  retryLater('JOURNAL_BUSY', 'other processes ship what changes in the metadata, and were quicker each time');
