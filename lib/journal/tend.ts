// Tending the ladder: merges, a snapshot when one is due, and deleting what nobody needs. One process at a time.
import type { Clock } from '../foundation/clock.ts';
import { isKind } from '../foundation/errors.ts';
import { SEGMENT_UNFINISHED_MS } from '../limits/journal.ts';
import type { ShippedTo } from '../panda/journal-source.ts';
import { nextMerge, type SnapshotReason, snapshotReason, unneeded } from './ladder.ts';
import { mergedRows, readSegment, type SegmentPorts, writeSegment } from './segments.ts';
import type { Ladder } from './shelves.ts';
import { type ShipPorts, shipSnapshot } from './ship.ts';
import { copiesOf, reachedAt, type Segment, waysOf } from './way.ts';

export interface TendPorts extends ShipPorts {
  readonly clock: Clock;
  readonly owner: string;
  isOwnerGone(owner: string): boolean;
}

export interface Tended {
  readonly merges: number;
  readonly mergedBytes: number;
  readonly snapshot: SnapshotReason;
  readonly snapshotBytes: number;
  readonly removed: number;
}

/** Undefined: another process is at it, or nothing was shipped yet. */
export async function tendLadder(ports: TendPorts): Promise<Tended | undefined> {
  if (!(await ports.source.beginTending(ports.owner, (owner) => ports.isOwnerGone(owner)))) return undefined;
  try {
    return await tendNow(ports);
  } finally {
    await ports.source.endTending(ports.owner);
  }
}

/** A writer that died leaves segments with too few copies: nothing is merged, or deleted, on the word of those. */
const isFull =
  ({ copies }: Pick<SegmentPorts['shelves'], 'copies'>) =>
  (segment: Segment): boolean =>
    copiesOf(segment) >= copies;

async function tendNow(ports: TendPorts): Promise<Tended | undefined> {
  const view = await ports.source.look();
  const { cursor } = view;
  const shelves = ports.shelvesOf(view);
  view.close();
  if (cursor === undefined) return undefined;
  const all = { ...ports, shelves };
  const ladder = await shelves.list();
  const segments = [...ladder.segments];
  const nowMs = Math.max(0, ports.clock.nowMs());
  const wayOf = (some: readonly Segment[]): readonly Segment[] | undefined =>
    reachedAt(waysOf(some), cursor.epoch, cursor)?.way;
  const way = (): readonly Segment[] | undefined => wayOf(segments.filter(isFull(shelves)));
  const reason = snapshotReason({
    way: way() ?? wayOf(segments),
    nowMs,
    copies: shelves.copies,
    isListedWhole: ladder.silent.length === 0,
  });
  if (reason !== 'none') {
    const snapshot = await shipSnapshot(ports);
    const bytes = snapshot?.bytes ?? 0;
    // What it made unneeded is seen, and deleted, by the next one: the cursor may have moved meanwhile.
    return { merges: 0, mergedBytes: 0, snapshot: reason, snapshotBytes: bytes, removed: 0 };
  }
  const { merges, mergedBytes, isBroken } = await mergeAll(all, cursor, segments, way);
  if (isBroken) {
    const snapshot = await shipSnapshot(ports);
    return { merges, mergedBytes, snapshot: 'broken', snapshotBytes: snapshot?.bytes ?? 0, removed: 0 };
  }
  const removed = await removeUnneeded(all, { ...ladder, segments }, cursor, nowMs);
  return { merges, mergedBytes, snapshot: 'none', snapshotBytes: 0, removed };
}

/** Adds what it writes to `segments`. */
async function mergeAll(
  ports: SegmentPorts & Pick<ShipPorts, 'currentKek'>,
  { epoch }: ShippedTo,
  segments: Segment[],
  way: () => readonly Segment[] | undefined,
): Promise<Pick<Tended, 'merges' | 'mergedBytes'> & { readonly isBroken: boolean }> {
  let merges = 0;
  let mergedBytes = 0;
  for (let merge = nextMerge(way() ?? []); merge !== undefined; merge = nextMerge(way() ?? [])) {
    const [first, last] = [merge.segments[0] as Segment, merge.segments.at(-1) as Segment];
    const head = { level: merge.level, from: first.from, to: last.to, atMs: last.atMs };
    const rows = mergedRows(merge.segments.map((segment) => readSegment(ports, segment)));
    try {
      const merged = await writeSegment(ports, epoch, head, rows, await ports.currentKek());
      segments.push(merged);
      merges += 1;
      mergedBytes += merged.bytes;
    } catch (error) {
      // One of them cannot be read on any drive: the way over it leads nowhere.
      if (!isKind(error, 'corrupt', 'missing', 'denied')) throw error;
      return { merges, mergedBytes, isBroken: true };
    }
  }
  return { merges, mergedBytes, isBroken: false };
}

async function removeUnneeded(
  { shelves }: SegmentPorts,
  { segments, loose }: Pick<Ladder, 'segments' | 'loose'>,
  cursor: ShippedTo,
  nowMs: number,
): Promise<number> {
  const old = loose.filter(({ epoch, atMs }) => epoch <= cursor.epoch && nowMs - atMs >= SEGMENT_UNFINISHED_MS);
  const gone = unneeded(segments, waysOf(segments.filter(isFull(shelves))), cursor, nowMs).filter(
    // One with too few copies may be being written.
    (segment) => isFull(shelves)(segment) || nowMs - segment.atMs >= SEGMENT_UNFINISHED_MS,
  );
  const objects = gone.flatMap(({ epoch, parts }) =>
    parts.flatMap(({ name, drives }) => drives.map((drive) => ({ epoch, name, drive }))),
  );
  await shelves.remove([...objects, ...old]);
  return objects.length + old.length;
}
