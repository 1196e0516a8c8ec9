// Segments written and read: rows in the order of their keys, cut into objects that fit memory.
import { isPocketfulError } from '../foundation/errors.ts';
import type { StoreId } from '../foundation/ids.ts';
import { hexOf } from '../foundation/ids.ts';
import { nextOf } from '../foundation/next-of.ts';
import type { Randomness } from '../foundation/randomness.ts';
import type { Kek } from '../keys/envelope.ts';
import { FRAME_BYTES_MIN, MERGED_ROWS, SEGMENT_PART_BYTES_MAX, SEGMENT_PART_BYTES_MIN } from '../limits/journal.ts';
import { compareKeys } from '../panda/sort-order.ts';
import { FrameBytes, type RowImage, segmentCorrupt } from './frame.ts';
import { buildPart, openPart, parsePartHeader } from './part.ts';
import { partNameOf, type SegmentHead, stemOf } from './points.ts';
import type { Shelves } from './shelves.ts';
import type { Segment } from './way.ts';

export interface SegmentPorts {
  readonly storeId: StoreId;
  readonly randomness: Randomness;
  readonly shelves: Shelves;
  /** Of a version; throws `denied` KEK_DESTROYED, KEK_MISSING. */
  kekOf(version: number): Promise<Uint8Array>;
}

const ID_BYTES = 2;

const isForRoom = (error: unknown): boolean =>
  isPocketfulError(error) && isPocketfulError(error.cause) && error.cause.code === 'DRIVE_FULL';

/** Throws `retry` JOURNAL_UNSHIPPED; what was written by then is loose, or gone if the drives are full. */
export async function writeSegment(
  { storeId, randomness, shelves }: SegmentPorts,
  epoch: number,
  what: Omit<SegmentHead, 'id'>,
  rows: Iterable<RowImage> | AsyncIterable<readonly RowImage[]>,
  kek: Kek,
): Promise<Segment> {
  const head: SegmentHead = { ...what, id: hexOf(randomness.bytes(ID_BYTES)) };
  const parts: { name: string; drives: number[] }[] = [];
  let bytes = 0;
  let frames: Uint8Array[] = [];
  const frame = new FrameBytes();
  let partBytes = 0;
  let count = 0;
  const endFrame = (): void => {
    partBytes += frame.byteLength;
    if (frame.byteLength > 0) frames.push(frame.take());
  };
  const endPart = async (isLast: boolean): Promise<void> => {
    endFrame();
    const name = partNameOf(head, parts.length, isLast);
    const built = buildPart({ ...head, storeId, epoch, part: parts.length, isLast }, frames, count, kek, randomness);
    const drives = await shelves.put(epoch, name, built, head.to.sequence + parts.length).catch(async (error) => {
      // Where the drives are full, what cannot be whole must not take room.
      if (isForRoom(error))
        await shelves.remove(parts.flatMap((part) => part.drives.map((drive) => ({ epoch, name: part.name, drive }))));
      throw error;
    });
    parts.push({ name, drives });
    bytes += built.reduce((sum, { byteLength }) => sum + byteLength, 0);
    frames = [];
    partBytes = 0;
    count = 0;
  };
  const add = (row: RowImage): void => {
    frame.add(row);
    count += 1;
    if (frame.byteLength >= FRAME_BYTES_MIN) endFrame();
  };
  const addAll = async (some: Iterable<RowImage>): Promise<void> => {
    for (const row of some) {
      if (partBytes >= SEGMENT_PART_BYTES_MIN) await endPart(false);
      add(row);
    }
  };
  if (Symbol.iterator in rows) await addAll(rows);
  else for await (const some of rows) await addAll(some);
  await endPart(true);
  return { ...head, epoch, bytes, parts };
}

/**
 * The rows of a segment in order, those of an object at a time: it is in memory as a whole. Throws `corrupt`
 * SEGMENT_CORRUPT, `denied` of keys.
 */
export async function* readSegment(ports: SegmentPorts, segment: Segment): AsyncGenerator<readonly RowImage[]> {
  let before: RowImage | undefined;
  for (const [part, { name, drives }] of segment.parts.entries()) {
    // All of an object is checked before any row of it is used.
    const rows = await readPart(ports, segment, part, name, drives);
    for (const row of rows) {
      if (before !== undefined && compareKeys(before, row) >= 0) throw segmentCorrupt('its rows are not in order');
      before = row;
    }
    yield rows;
  }
}

async function readPart(
  ports: SegmentPorts,
  segment: Segment,
  part: number,
  name: string,
  drives: readonly number[],
): Promise<RowImage[]> {
  return ports.shelves.read(segment.epoch, name, drives, (bytes) => checkPart(ports, segment, part, bytes));
}

/** The rows of an object of a segment. Throws `corrupt` SEGMENT_CORRUPT unless all of it is sound; `denied` of keys. */
export async function checkPart(
  ports: Pick<SegmentPorts, 'storeId' | 'kekOf'>,
  segment: Segment,
  part: number,
  bytes: Uint8Array,
): Promise<RowImage[]> {
  const kek = await ports.kekOf(ownHeader(ports, segment, part, bytes));
  return [...openPart(bytes, kek)];
}

/** The version of its key. Throws unless it is what its name says. */
function ownHeader(
  { storeId }: Pick<SegmentPorts, 'storeId'>,
  segment: Segment,
  part: number,
  bytes: Uint8Array,
): number {
  if (bytes.byteLength > SEGMENT_PART_BYTES_MAX) throw segmentCorrupt('it is too long');
  const header = parsePartHeader(bytes);
  const isOwn =
    header.storeId === storeId &&
    header.epoch === segment.epoch &&
    stemOf(header) === stemOf(segment) &&
    header.part === part &&
    header.isLast === (part === segment.parts.length - 1);
  if (!isOwn) throw segmentCorrupt('it is another one than its name says');
  return header.kekVersion;
}

/** Several segments as one, each key once with its last image, some rows at a time. `sources`: the earliest first. */
export async function* mergedRows(
  sources: readonly AsyncIterable<readonly RowImage[]>[],
): AsyncGenerator<readonly RowImage[]> {
  const heads = sources.map((source) => new Head(source));
  for (const head of heads) await head.fill();
  for (;;) {
    const merged: RowImage[] = [];
    // Rows that are at hand are not waited for one by one.
    while (merged.length < MERGED_ROWS && heads.every(({ isEmpty }) => !isEmpty)) {
      const row = nextMerged(heads);
      if (row === undefined) break;
      merged.push(row);
    }
    if (merged.length > 0) yield merged;
    let isOver = true;
    for (const head of heads) isOver = (await head.fill()) === undefined && isOver;
    if (isOver) return;
  }
}

/** The newest image of the least key, which is taken from all that have it. */
function nextMerged(heads: readonly Head[]): RowImage | undefined {
  let least: RowImage | undefined;
  for (const { row } of heads)
    if (row !== undefined && (least === undefined || compareKeys(row, least) < 0)) least = row;
  if (least === undefined) return undefined;
  let newest = least;
  for (const head of heads) {
    if (head.row === undefined || compareKeys(head.row, least) !== 0) continue;
    newest = head.row;
    head.pass();
  }
  return newest;
}

/** Where one of several sources is. */
class Head {
  readonly #source: AsyncIterator<readonly RowImage[]>;
  #rows: readonly RowImage[] = [];
  #at = 0;
  #isOver = false;

  constructor(source: AsyncIterable<readonly RowImage[]>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** The next one at hand; undefined at the end, or if more must be waited for. */
  get row(): RowImage | undefined {
    return this.#rows[this.#at];
  }

  get isEmpty(): boolean {
    return !this.#isOver && this.#at >= this.#rows.length;
  }

  pass(): void {
    this.#at += 1;
  }

  async fill(): Promise<RowImage | undefined> {
    while (this.isEmpty) {
      const some = await nextOf(this.#source);
      this.#isOver = some === undefined;
      this.#rows = some ?? [];
      this.#at = 0;
    }
    return this.row;
  }
}
