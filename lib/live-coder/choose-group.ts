// Which waiting buckets make the next group, and so how volumes fill: pure. Large, level groups keep parity small; the
// last group of a volume is the choice of buckets that fills it best, so that sealed volumes are full although no
// bucket is ever cut.
import { codecShape } from '../codec/shape.ts';
import { IMBALANCE_AIM, imbalance, layOut } from '../format/placement.ts';
import {
  CLOSINGS_TRIED_MAX,
  GROUP_SIZES_TRIED_MAX,
  KEPT_BACK_BYTES_MAX,
  PROPORTIONAL_TRIES_MAX,
} from '../limits/compaction.ts';
import { capacityBytes, type Settings } from '../settings/settings.ts';
import { directoryBytesOf } from '../volume/rows/directory-room.ts';
import { groupOverheadBytes } from '../volume/write/write-group.ts';
import { bestSubset } from './best-subset.ts';

export interface WaitingBucket {
  readonly recordBytes: readonly number[];
  /** Slots from the first to the last that is live, if more than there are records. */
  readonly span?: number;
}

/** What a volume can still take. */
export interface Room {
  readonly extentFreeBytes: number;
  readonly buckets: number;
}

export interface GroupChoice {
  /** Indexes of waiting buckets, ascending. */
  readonly chosen: readonly number[];
  readonly reason: 'full' | 'fills the volume' | 'last';
}

/** A group may be this much larger than asked for, if that makes it level; so much is kept waiting at the most. */
const STRETCH = 1.25;
/** So much of an even share of the volume a group has at least. */
const SHARE_MIN = 0.75;
/** A volume with less of its extents free than this is not worth another group. */
const WORTH_MIN = 0.05;
/** A last group that would leave more than this of the room empty is left to other buckets. */
const CLOSES_FROM = 0.5;

interface Sized extends WaitingBucket {
  readonly bytes: number;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, n) => total + n, 0);

/** Record bytes below which a group is worth waiting for, whatever volume it goes to. */
export const groupTargetBytes = (settings: Settings): number =>
  shareOf(capacityBytes(settings, settings.warmCodec) * (1 - WORTH_MIN), settings);

/** So much is kept back until more comes or all is flushed: what is written last is then a group, not a splinter. */
export const keptBackBytes = ({ groupBytesMin }: Settings): number => Math.min(groupBytesMin / 2, KEPT_BACK_BYTES_MAX);

/** More than that may wait before something has to be written. */
export const waitingBytesMax = ({ groupBytesMin }: Settings): number => groupBytesMin * STRETCH;

/** Evenly many groups of about the minimum to what a volume can still take. */
function shareOf(roomBytes: number, { groupBytesMin }: Settings): number {
  return roomBytes / Math.max(1, Math.ceil(roomBytes / (groupBytesMin * 1.1)));
}

/**
 * The next group out of `waiting`, or undefined when it is better to wait for more. `rooms` are the open volumes, the
 * fullest first, and a new one. With `flush` everything must go out, in groups as large and level as can be.
 */
export function chooseGroup(
  waiting: readonly WaitingBucket[],
  settings: Settings,
  rooms: readonly Room[],
  flush: boolean,
): GroupChoice | undefined {
  if (waiting.length === 0) return undefined;
  const sized = waiting.map((bucket) => ({ ...bucket, bytes: sum(bucket.recordBytes) }));
  const waitingBytes = sum(sized.map(({ bytes }) => bytes));
  const mustGo = flush || waitingBytes >= waitingBytesMax(settings);
  const { dataColumns } = codecShape(settings.warmCodec);
  let passed: GroupChoice | undefined;
  for (const room of rooms) {
    if (room.buckets < 1 || room.extentFreeBytes < settings.extentBytes * WORTH_MIN) continue;
    const roomBytes = room.extentFreeBytes * dataColumns;
    const share = shareOf(roomBytes, settings);
    if (share < roomBytes) {
      if (waitingBytes < share && !mustGo) return undefined;
      const choice = levelGroup(sized, settings, aimOf(share, waitingBytes, flush), room, mustGo, flush);
      if (choice !== undefined || !mustGo) return choice;
      continue;
    }
    // Something to choose from fills a volume better than what happens to come first.
    if (waitingBytes < roomBytes + largest(sized) && !mustGo) return undefined;
    const closing = closingGroup(sized, dataColumns, room);
    const isAll = closing.chosen.length === sized.length;
    if (closing.bytes < roomBytes * CLOSES_FROM && !(flush && isAll)) continue;
    const choice: GroupChoice = { chosen: closing.chosen, reason: isAll ? 'last' : 'fills the volume' };
    // What would be left is a splinter: all of it goes into a volume with more room, and this one waits for others.
    const leftBytes = waitingBytes - closing.bytes;
    if (!flush || leftBytes === 0 || leftBytes >= keptBackBytes(settings) || waitingBytes > waitingBytesMax(settings))
      return choice;
    passed ??= choice;
  }
  if (passed !== undefined) return passed;
  return { chosen: [0], reason: 'full' };
}

/** At the end two halves are better than a whole group and a splinter, whose columns are never level. */
const aimOf = (share: number, waitingBytes: number, flush: boolean): number =>
  flush && waitingBytes > share && waitingBytes < 2 * share ? waitingBytes / 2 : Math.min(share, waitingBytes);

const largest = (buckets: readonly Sized[]): number => Math.max(...buckets.map(({ bytes }) => bytes));

/** The first so many buckets, about `aimBytes`, level if there is such a number. */
function levelGroup(
  waiting: readonly Sized[],
  settings: Settings,
  aimBytes: number,
  room: Room,
  mustGo: boolean,
  flush: boolean,
): GroupChoice | undefined {
  const { dataColumns } = codecShape(settings.warmCodec);
  const most = settings.groupBytesMin * STRETCH;
  const candidates = prefixesThatFit(waiting, dataColumns, room);
  const all = candidates.at(-1);
  if (all === undefined) return undefined;
  const aim = Math.min(aimBytes, all.bytes);
  const inReach = candidates.filter((c) => c.count === 1 || (c.bytes >= aim * SHARE_MIN && c.bytes <= most));
  const fits = (c: Prefix): boolean =>
    c.count === 1 || groupNeedBytes(waiting.slice(0, c.count), dataColumns) <= room.extentFreeBytes;
  // What is left over fits one group: no small one is left for later.
  if (flush && all.count === waiting.length && all.bytes <= most && fits(all)) return prefix(all.count, 'last');
  const byMiss = inReach.sort((a, b) => Math.abs(a.bytes - aim) - Math.abs(b.bytes - aim) || b.count - a.count);
  let best: { count: number; level: number } | undefined;
  for (const candidate of byMiss.slice(0, GROUP_SIZES_TRIED_MAX)) {
    if (!fits(candidate)) continue;
    const { count } = candidate;
    const level = imbalance(layoutOf(waiting.slice(0, count), dataColumns));
    if (level <= IMBALANCE_AIM) return prefix(count, 'full');
    if (best === undefined || level < best.level) best = { count, level };
  }
  return mustGo && best !== undefined ? prefix(best.count, 'full') : undefined;
}

interface Prefix {
  readonly count: number;
  readonly bytes: number;
}

/**
 * Of the first so many buckets, those for which there is room: the directories of short records may take more of it
 * than the records.
 */
function prefixesThatFit(waiting: readonly Sized[], dataColumns: number, room: Room): Prefix[] {
  let bytes = 0;
  let besides = 0;
  return waiting.slice(0, room.buckets).flatMap((bucket, i) => {
    bytes += bucket.bytes;
    besides += besidesBytes([bucket]);
    return i > 0 && bytes / dataColumns + besides > room.extentFreeBytes ? [] : [{ count: i + 1, bytes }];
  });
}

const prefix = (count: number, reason: GroupChoice['reason']): GroupChoice => ({
  chosen: Array.from({ length: count }, (_, i) => i),
  reason,
});

/** The buckets that fill the room best; perhaps none. */
function closingGroup(
  waiting: readonly Sized[],
  dataColumns: number,
  room: Room,
): { readonly chosen: readonly number[]; readonly bytes: number } {
  const sizes = waiting.map(({ bytes }) => bytes);
  let limit = room.extentFreeBytes * dataColumns;
  for (let attempt = 0; attempt < CLOSINGS_TRIED_MAX; attempt++) {
    const chosen = bestSubset(sizes, limit, room.buckets);
    const buckets = chosen.map((i) => waiting[i] as Sized);
    const bytes = sum(buckets.map((bucket) => bucket.bytes));
    const needBytes = groupNeedBytes(buckets, dataColumns);
    const over = needBytes - room.extentFreeBytes;
    if (over <= 0 || chosen.length === 0) return { chosen, bytes };
    // Directories of short records shrink with what is left out; what is over after that is of columns that are not
    // level.
    const less =
      attempt < PROPORTIONAL_TRIES_MAX ? (bytes * room.extentFreeBytes) / needBytes : limit - over * dataColumns;
    limit = Math.min(bytes - 1, Math.floor(less));
  }
  return { chosen: [], bytes: 0 };
}

const layoutOf = (buckets: readonly WaitingBucket[], dataColumns: number) =>
  layOut(
    buckets.flatMap(({ recordBytes }) => recordBytes.map((length) => ({ length }))),
    dataColumns,
    new Array<number>(dataColumns).fill(0),
  );

function groupNeedBytes(buckets: readonly WaitingBucket[], dataColumns: number): number {
  return Math.max(0, ...layoutOf(buckets, dataColumns).columnBytes) + besidesBytes(buckets);
}

/** What a group takes of every extent besides its columns: headers, its directory, and those of its buckets at seal. */
function besidesBytes(buckets: readonly WaitingBucket[]): number {
  const records = sum(buckets.map(({ recordBytes }) => recordBytes.length));
  const spans = buckets.map(({ recordBytes, span }) => span ?? recordBytes.length);
  return groupOverheadBytes(records, buckets.length) + directoryBytesOf(spans);
}
