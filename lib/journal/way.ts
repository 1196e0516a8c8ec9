// Ways through a ladder: which segments, one after the other, lead from nothing to a point. Pure.
import { type Level, type Point, pointText, type SegmentHead, samePoint } from './points.ts';

/** A segment of which every part is on some drive. */
export interface Segment extends SegmentHead {
  readonly epoch: number;
  /** Of one copy. */
  readonly bytes: number;
  /** Names of its objects, in order, and the drives each was found on. */
  readonly parts: readonly { readonly name: string; readonly drives: readonly number[] }[];
}

export interface Reached {
  readonly epoch: number;
  readonly point: Point;
  readonly atMs: number;
  readonly way: readonly Segment[];
}

/** The fewest copies of any part. */
export const copiesOf = ({ parts }: Segment): number => Math.min(...parts.map(({ drives }) => drives.length));

interface Step {
  readonly segments: number;
  readonly bytes: number;
  readonly last: Segment;
  readonly before: Step | undefined;
}

const weightOf = (level: Level): number => (level === 'snapshot' ? -1 : level);

/** Fewest segments first, then fewest bytes. Of equals the one that is looked at first stays, so that all agree. */
const isBetter = (a: Step, b: Step): boolean =>
  a.segments !== b.segments ? a.segments < b.segments : a.bytes < b.bytes;

/** By epoch and point, the best way to each point that any way leads to. */
export function waysOf(segments: readonly Segment[]): Reached[] {
  const best = new Map<string, Step>();
  const keyOf = (epoch: number, point: Point): string => `${epoch}/${pointText(point)}`;
  const ordered = [...segments].sort((a, b) => a.to.sequence - b.to.sequence || (stem(a) < stem(b) ? -1 : 1));
  for (const segment of ordered) {
    const before = segment.level === 'snapshot' ? undefined : best.get(keyOf(segment.epoch, segment.from));
    if (before === undefined && segment.level !== 'snapshot') continue;
    const step: Step = {
      segments: (before?.segments ?? 0) + 1,
      bytes: (before?.bytes ?? 0) + segment.bytes,
      last: segment,
      before,
    };
    const key = keyOf(segment.epoch, segment.to);
    const known = best.get(key);
    if (known === undefined || isBetter(step, known)) best.set(key, step);
  }
  return [...best.values()].map(({ last, ...step }) => ({
    epoch: last.epoch,
    point: last.to,
    atMs: last.atMs,
    way: segmentsOf({ last, ...step }),
  }));
}

function segmentsOf(step: Step): Segment[] {
  const way: Segment[] = [];
  for (let at: Step | undefined = step; at !== undefined; at = at.before) way.unshift(at.last);
  return way;
}

const stem = ({ epoch, from, to, level, id }: Segment): string =>
  `${epoch} ${pointText(from)} ${pointText(to)} ${weightOf(level)} ${id}`;

/** The newest point, or the newest that is not younger than `atMs`; of the newest epoch that has one. */
export function newestOf(reached: readonly Reached[], atMs = Number.POSITIVE_INFINITY): Reached | undefined {
  let newest: Reached | undefined;
  for (const one of reached) {
    if (one.atMs > atMs) continue;
    if (newest === undefined || isLater(one, newest)) newest = one;
  }
  return newest;
}

const isLater = (a: Reached, b: Reached): boolean =>
  a.epoch - b.epoch > 0 ||
  (a.epoch === b.epoch &&
    (a.point.sequence > b.point.sequence || (a.point.sequence === b.point.sequence && a.atMs > b.atMs)));

export const reachedAt = (reached: readonly Reached[], epoch: number, point: Point): Reached | undefined =>
  reached.find((one) => one.epoch === epoch && samePoint(one.point, point));
