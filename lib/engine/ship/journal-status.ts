// What `status` says of the journal: what is not on the drives yet, what the ladder weighs, how far back one can go.
import type { Shelves } from '../../journal/shelves.ts';
import { newestOf, type Segment, waysOf } from '../../journal/way.ts';
import type { JournalView } from '../../panda/journal-source.ts';
import { rowName } from '../../panda/rows/row-reader.ts';

export interface JournalStatus {
  /** How far the drives are; null: nothing was shipped yet. */
  readonly shipped: { readonly epoch: number; readonly sequence: number; readonly atMs: number } | null;
  /** Commits that are not on the drives, and how long ago the first of them was; null commits: not known. */
  readonly waiting: { readonly commits: number | null; readonly ageMs: number | null };
  /** On how many drives everything shipped is. */
  readonly copies: number;
  /** Segments that a restore reads. */
  readonly way: number;
  readonly snapshot: { readonly atMs: number; readonly bytes: number } | null;
  readonly levels: readonly LevelStatus[];
  /** Of all copies on all drives. */
  readonly bytes: number;
  /** Points in time that can be restored, and when the oldest was. */
  readonly points: number;
  readonly oldestAtMs: number | null;
  /** Rows that cannot be read, so that the drives have them as they were before, if at all. */
  readonly damagedRows: readonly string[];
  /** Drives that did not answer. */
  readonly silent: readonly string[];
}

export interface LevelStatus {
  readonly level: number | 'snapshot';
  readonly segments: number;
  /** Of one copy. */
  readonly bytes: number;
}

export async function journalStatusOf(view: JournalView, shelves: Shelves, nowMs: number): Promise<JournalStatus> {
  const ladder = await shelves.list();
  const reached = waysOf(ladder.segments);
  const way = newestOf(reached)?.way ?? [];
  const [snapshot] = way;
  const { commits, sinceMs } = view.waiting;
  const { cursor } = view;
  return {
    shipped: cursor === undefined ? null : { epoch: cursor.epoch, sequence: cursor.sequence, atMs: cursor.atMs },
    waiting: { commits: commits ?? null, ageMs: sinceMs === undefined ? null : Math.max(0, nowMs - sinceMs) },
    copies: shelves.copies,
    way: way.length,
    snapshot: snapshot === undefined ? null : { atMs: snapshot.atMs, bytes: snapshot.bytes },
    levels: levelsOf(ladder.segments),
    bytes: ladder.bytes,
    points: reached.length,
    oldestAtMs: reached.length === 0 ? null : Math.min(...reached.map(({ atMs }) => atMs)),
    damagedRows: view.passedOver().map(rowName),
    silent: ladder.silent.map(({ label }) => label),
  };
}

function levelsOf(segments: readonly Segment[]): LevelStatus[] {
  const levels = [...Map.groupBy(segments, ({ level }) => level)].map(([level, some]) => ({
    level,
    segments: some.length,
    bytes: some.reduce((sum, { bytes }) => sum + bytes, 0),
  }));
  return levels.sort((a, b) => weight(a) - weight(b));
}

const weight = ({ level }: LevelStatus): number => (level === 'snapshot' ? Number.POSITIVE_INFINITY : level);
