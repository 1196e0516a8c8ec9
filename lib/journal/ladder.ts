// What is to be done with a ladder: which segments to merge, whether a snapshot is due, which of them nobody needs any
// more. Pure.
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../foundation/durations.ts';
import {
  LADDER_FAN_MAX,
  LADDER_TOP_LEVEL_MAX,
  POINTS_KEPT_MS,
  SNAPSHOT_AGE_MS,
  SNAPSHOT_BURST_WEIGHT,
  SNAPSHOT_LADDER_BYTES_MIN,
  SNAPSHOTS_APART_MS,
  WAY_SEGMENTS_MAX,
} from '../limits/journal.ts';
import { copiesOf, newestOf, type Reached, reachedAt, type Segment } from './way.ts';

export interface Merge {
  /** Neighbours, the first one first. */
  readonly segments: readonly Segment[];
  readonly level: number;
}

const levelOf = ({ level }: Segment): number => (level === 'snapshot' ? 0 : level);

/** The next merge on a way; undefined: there is none. Its first segment is the snapshot, which is not merged. */
export function nextMerge(way: readonly Segment[]): Merge | undefined {
  const steps = way.slice(1);
  for (let level = 0; level < LADDER_TOP_LEVEL_MAX; level++) {
    const tail = steps.slice(steps.findLastIndex((segment) => levelOf(segment) > level) + 1);
    const first = tail.findIndex((segment) => levelOf(segment) === level);
    const last = tail.findLastIndex((segment) => levelOf(segment) === level);
    const count = tail.filter((segment) => levelOf(segment) === level).length;
    if (count >= LADDER_FAN_MAX) return { segments: tail.slice(first, last + 1), level: level + 1 };
  }
  const top = steps.slice(0, steps.findLastIndex((segment) => levelOf(segment) >= LADDER_TOP_LEVEL_MAX) + 1);
  for (let i = top.length - 1; i > 0; i--) {
    const [earlier, later] = [top[i - 1] as Segment, top[i] as Segment];
    if (2 * later.bytes >= earlier.bytes) return { segments: [earlier, later], level: LADDER_TOP_LEVEL_MAX };
  }
  if (steps.length > WAY_SEGMENTS_MAX) return { segments: steps.slice(-LADDER_FAN_MAX), level: LADDER_TOP_LEVEL_MAX };
  return undefined;
}

export type SnapshotReason = 'none' | 'broken' | 'weight' | 'copies' | 'age';

export interface SnapshotFacts {
  /** The way to the cursor; undefined: there is none. */
  readonly way: readonly Segment[] | undefined;
  readonly nowMs: number;
  readonly copies: number;
  /** Every drive that counts has answered. */
  readonly isListedWhole: boolean;
}

/** Why a snapshot is due; `none`: it is not. */
export function snapshotReason({ way, nowMs, copies, isListedWhole }: SnapshotFacts): SnapshotReason {
  const [snapshot, ...steps] = way ?? [];
  if (snapshot === undefined) return isListedWhole ? 'broken' : 'none';
  const bytes = steps.reduce((sum, segment) => sum + segment.bytes, 0);
  const isApart = nowMs - snapshot.atMs >= SNAPSHOTS_APART_MS || bytes >= SNAPSHOT_BURST_WEIGHT * snapshot.bytes;
  if (isApart && bytes >= Math.max(SNAPSHOT_LADDER_BYTES_MIN, snapshot.bytes / 2)) return 'weight';
  if (isListedWhole && (way ?? []).some((segment) => copiesOf(segment) < copies)) return 'copies';
  if (steps.length > 0 && nowMs - snapshot.atMs >= SNAPSHOT_AGE_MS) return 'age';
  return 'none';
}

/** Points in time that are kept: the last one in each `every`, up to an age. */
export const KEPT_POINTS: readonly { readonly untilMs: number; readonly everyMs: number }[] = [
  { untilMs: 5 * MINUTE_MS, everyMs: SECOND_MS },
  { untilMs: HOUR_MS, everyMs: 30 * SECOND_MS },
  { untilMs: 6 * HOUR_MS, everyMs: 5 * MINUTE_MS },
  { untilMs: DAY_MS, everyMs: HOUR_MS },
  { untilMs: POINTS_KEPT_MS, everyMs: DAY_MS },
];

/** The points that are to stay: what is too old for the last band goes, the newest one never. */
export function wantedPoints(reached: readonly Reached[], nowMs: number): Reached[] {
  const kept = new Map<string, Reached>();
  const newest = newestOf(reached);
  for (const one of reached) {
    const ageMs = Math.max(0, nowMs - one.atMs);
    const band = KEPT_POINTS.findIndex(({ untilMs }) => ageMs <= untilMs);
    const { everyMs } = KEPT_POINTS[band] ?? { everyMs: 0 };
    if (band < 0) continue;
    const key = `${one.epoch}/${band}/${Math.floor(one.atMs / everyMs)}`;
    const known = kept.get(key);
    if (known === undefined || one.point.sequence > known.point.sequence) kept.set(key, one);
  }
  return newest === undefined ? [...kept.values()] : [...new Set([...kept.values(), newest])];
}

/**
 * Segments that may be deleted. Nothing, unless the way to the cursor is whole: `cursor` as reached by these segments.
 * Those of later epochs belong to another store that has these drives, and are not looked at.
 */
export function unneeded(
  segments: readonly Segment[],
  reached: readonly Reached[],
  cursor: Parameters<typeof reachedAt>[2] & { readonly epoch: number },
  nowMs: number,
): Segment[] {
  const own = reached.filter(({ epoch }) => epoch <= cursor.epoch);
  const current = reachedAt(own, cursor.epoch, cursor);
  if (current === undefined) return [];
  const needed = new Set<Segment>(current.way);
  for (const { way } of wantedPoints(own, nowMs)) for (const segment of way) needed.add(segment);
  return segments.filter((segment) => segment.epoch <= cursor.epoch && !needed.has(segment));
}
