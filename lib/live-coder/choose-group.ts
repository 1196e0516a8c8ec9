// Which waiting buckets make the next group: pure. Large, even groups keep parity small; a group that would leave a useless
// rest in the volume takes the rest as well.
import { codecShape } from '../codec/shape.ts';
import { IMBALANCE_AIM, imbalance, layOut } from '../format/placement.ts';
import type { Settings } from '../settings/settings.ts';

export interface WaitingBucket {
  readonly recordBytes: readonly number[];
}

export interface GroupChoice {
  /** How many of the waiting buckets, from the front. */
  readonly count: number;
  readonly reason: 'full' | 'fills the volume' | 'last';
}

const total = (bucket: WaitingBucket): number => bucket.recordBytes.reduce((sum, bytes) => sum + bytes, 0);

/** Record bytes a group should hold: evenly many groups of at least the minimum to a volume. */
export function groupTargetBytes(settings: Settings): number {
  const capacity = codecShape(settings.warmCodec).dataColumns * settings.extentBytes;
  const groups = Math.max(1, Math.floor(capacity / settings.groupBytesMin));
  // A little below an even share: headers and directories need room, and the columns are never quite level.
  return Math.floor((capacity / groups) * 0.955);
}

/**
 * The next group out of `waiting`, or undefined when it is better to wait for more. `roomBytes` is what the open volume can take. With
 * `flush` everything must go out, in groups as large and even as can be.
 */
export function chooseGroup(
  waiting: readonly WaitingBucket[],
  settings: Settings,
  roomBytes: number,
  flush: boolean,
): GroupChoice | undefined {
  const { dataColumns } = codecShape(settings.warmCodec);
  const target = Math.min(groupTargetBytes(settings), Math.max(roomBytes, settings.groupBytesMin));
  const sizes = waiting.map(total);
  let bytes = 0;
  let count = 0;
  while (count < waiting.length && (count === 0 || bytes + (sizes[count] as number) <= target)) {
    bytes += sizes[count] as number;
    count += 1;
  }
  if (count === 0) return undefined;
  const isLast = count === waiting.length;
  const enough = bytes >= settings.groupBytesMin || (!isLast && bytes >= roomBytes * 0.9);
  if (isLast && !enough && !flush) return undefined;
  if (isLast && bytes < target * 0.9 && !flush) return undefined;
  const even = mostEven(waiting, count, dataColumns, settings.groupBytesMin, sizes);
  if (even === undefined) return flush || !isLast ? { count, reason: isLast ? 'last' : 'full' } : undefined;
  return { count: even, reason: isLast && flush ? 'last' : 'full' };
}

/** The largest count at or a little below `count` whose columns are level; undefined if none is. */
function mostEven(
  waiting: readonly WaitingBucket[],
  count: number,
  dataColumns: number,
  bytesMin: number,
  sizes: readonly number[],
): number | undefined {
  for (let n = count; n >= 1; n--) {
    const chosen = waiting.slice(0, n);
    const bytes = sizes.slice(0, n).reduce((sum, size) => sum + size, 0);
    if (n < count && bytes < bytesMin) return undefined;
    const records = chosen.flatMap((bucket) => bucket.recordBytes.map((length) => ({ length })));
    const layout = layOut(records, dataColumns, new Array<number>(dataColumns).fill(0));
    if (imbalance(layout) <= IMBALANCE_AIM) return n;
  }
  return undefined;
}
