// Segments written and read: rows in the order of their keys, cut into objects that fit memory.
import { isPocketfulError } from '../foundation/errors.ts';
import type { StoreId } from '../foundation/ids.ts';
import { hexOf } from '../foundation/ids.ts';
import { nextOf } from '../foundation/next-of.ts';
import type { Randomness } from '../foundation/randomness.ts';
import type { Kek } from '../keys/envelope.ts';
import { FRAME_BYTES_MIN, SEGMENT_PART_BYTES_MAX, SEGMENT_PART_BYTES_MIN } from '../limits/journal.ts';
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
  rows: Iterable<RowImage> | AsyncIterable<RowImage>,
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
  // Rows that are at hand are not waited for one by one.
  if (Symbol.iterator in rows)
    for (const row of rows) {
      if (partBytes >= SEGMENT_PART_BYTES_MIN) await endPart(false);
      add(row);
    }
  else
    for await (const row of rows) {
      if (partBytes >= SEGMENT_PART_BYTES_MIN) await endPart(false);
      add(row);
    }
  await endPart(true);
  return { ...head, epoch, bytes, parts };
}

/**
 * The rows of a segment in order, an object in memory at a time. Throws `corrupt` SEGMENT_CORRUPT, `denied` of keys.
 */
export async function* readSegment(ports: SegmentPorts, segment: Segment): AsyncGenerator<RowImage> {
  let before: RowImage | undefined;
  for (const [part, { name, drives }] of segment.parts.entries()) {
    // All of an object is checked before any row of it is used.
    const rows = await readPart(ports, segment, part, name, drives);
    for (const row of rows) {
      if (before !== undefined && compareKeys(before, row) >= 0) throw segmentCorrupt('its rows are not in order');
      before = row;
      yield row;
    }
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

/** Several segments as one, each key once with its last image. `sources`: the earliest first. */
export async function* mergedRows(sources: readonly AsyncIterable<RowImage>[]): AsyncGenerator<RowImage> {
  const heads = sources.map((source) => source[Symbol.asyncIterator]());
  const rows = await Promise.all(heads.map((head) => nextOf(head)));
  for (;;) {
    let least: RowImage | undefined;
    for (const row of rows) if (row !== undefined && (least === undefined || compareKeys(row, least) < 0)) least = row;
    if (least === undefined) return;
    let newest = least;
    for (const [i, row] of rows.entries()) {
      if (row === undefined || compareKeys(row, least) !== 0) continue;
      newest = row;
      rows[i] = await nextOf(heads[i] as AsyncIterator<RowImage>);
    }
    yield newest;
  }
}
