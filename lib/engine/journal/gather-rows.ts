// The rows of a point in time out of the segments on the drives, into a fresh Panda. A segment that no drive has sound
// is left out, and another way is sought.
import { inTurn } from '../../foundation/chained.ts';
import { isKind, missing } from '../../foundation/errors.ts';
import type { RowImage } from '../../journal/frame.ts';
import { mergedRows, readSegment, type SegmentPorts } from '../../journal/segments.ts';
import type { Ladder, Shelves } from '../../journal/shelves.ts';
import { newestOf, type Reached, type Segment, waysOf } from '../../journal/way.ts';
import type { Row } from '../../panda/panda.ts';
import { attributesOfBytes } from '../../panda/sqlite/read-row-bytes.ts';

export type GatherPorts = Omit<SegmentPorts, 'shelves'>;

/** A point, and what leads there. */
export interface Gathered {
  readonly reached: Reached;
  readonly damaged: number;
  /** The highest epoch on any drive. */
  readonly epochSeen: number;
  readonly rows: number;
}

export interface Gathering {
  readonly atMs: number | undefined;
  /** Puts the rows into a Panda that is empty each time; their number. */
  fill(rows: AsyncIterable<Row>): Promise<number>;
}

/** Throws `missing` JOURNAL_MISSING, JOURNAL_TOO_YOUNG; `denied` of keys if they are why nothing can be read. */
export async function gatherRows(ports: GatherPorts, shelves: Shelves, gathering: Gathering): Promise<Gathered> {
  const ladder = await shelves.list();
  const damaged = new Map<Segment, Error>();
  for (;;) {
    const reached = newest(ladder, damaged, gathering.atMs);
    try {
      const sources = reached.way.map((segment) => guarded({ ...ports, shelves }, segment));
      const rows = await gathering.fill(rowsOfImages(inTurn(mergedRows(sources))));
      return { reached, damaged: damaged.size, epochSeen: ladder.epoch, rows };
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      damaged.set(error.segment, error.reason);
    }
  }
}

function newest({ segments }: Ladder, damaged: ReadonlyMap<Segment, Error>, atMs: number | undefined): Reached {
  const reached = waysOf(segments.filter((segment) => !damaged.has(segment)));
  const found = newestOf(reached, atMs);
  if (found !== undefined) return found;
  const denied = [...damaged.values()].find((error) => isKind(error, 'denied'));
  if (denied !== undefined) throw denied;
  const oldest = Math.min(...reached.map((one) => one.atMs));
  if (Number.isFinite(oldest))
    throw missing('JOURNAL_TOO_YOUNG', `the journal on the drives goes back to ${new Date(oldest).toISOString()} only`);
  throw missing(
    'JOURNAL_MISSING',
    `the drives that were found hold no whole snapshot of the metadata${damaged.size > 0 ? ` (${damaged.size} damaged segments)` : ''}`,
  );
}

class Unreadable extends Error {
  readonly segment: Segment;
  readonly reason: Error;

  constructor(segment: Segment, reason: Error) {
    super(reason.message);
    this.segment = segment;
    this.reason = reason;
  }
}

async function* guarded(ports: SegmentPorts, segment: Segment): AsyncGenerator<readonly RowImage[]> {
  try {
    yield* readSegment(ports, segment);
  } catch (error) {
    if (!isKind(error, 'corrupt', 'missing', 'denied', 'retry')) throw error;
    throw new Unreadable(segment, error as Error);
  }
}

async function* rowsOfImages(images: AsyncIterable<RowImage>): AsyncGenerator<Row> {
  for await (const { partition, sort, image } of images)
    if (image !== undefined) yield { partition, sort, attributes: attributesOfBytes({ partition, sort }, image) };
}
