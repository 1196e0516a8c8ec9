// References of objects that are gone (protocol 8): given back a few at a time, with the cursor in the condition, by
// any worker.

import type { BlockId, ObjectVersion } from '../foundation/ids.ts';
import { UPLOAD_ABANDONED_MS } from '../limits/frontend.ts';
import { PAIRS_PER_TRANSACTION } from '../limits/panda.ts';
import { CONFLICT_ATTEMPTS_MAX } from '../limits/volume.ts';
import { PandaConflict } from '../panda/conflict.ts';
import type { Row, Write } from '../panda/panda.ts';
import {
  cursorIs,
  RELEASES,
  type ReleaseRow,
  releaseFromRow,
  releaseKey,
  segmentFromRow,
  segmentKey,
  segmentPartition,
  setCursor,
  UPLOADS,
  uploadFromRow,
} from '../panda/rows/object-row.ts';
import { removedSegmentAttributes, removedSegmentKey } from '../panda/rows/removed/removed-row.ts';
import type { Components } from '../volume/rows/components.ts';
import { rowsOf } from '../volume/rows/read-rows.ts';
import { transact } from '../volume/rows/transact.ts';
import { contended, guardFailed, isGuardFailure, runIndex } from './index-objects.ts';
import { giveUpUpload } from './put-long.ts';

/** Goes on with every release row. The number of references given back. */
export async function finishReleases(components: Components): Promise<number> {
  let released = 0;
  for await (const row of rowsOf(components.panda, RELEASES))
    released += await finishRelease(components, releaseFromRow(row).version);
  return released;
}

/**
 * All references of one release row; 0 when another worker has finished it. Throws `conflict` CONTENDED if a step is
 * refused again and again although nobody has gone on with the row.
 */
export async function finishRelease(components: Components, version: ObjectVersion): Promise<number> {
  let released = 0;
  let refused = 0;
  let refusedAt: string | undefined;
  for (;;) {
    const row = await components.panda.get(releaseKey(version));
    if (row === undefined) return released;
    const release = releaseFromRow(row);
    if (release.cursor !== refusedAt) refused = 0;
    const step = await nextStep(components, release);
    try {
      await runStep(components, release, step);
      released += step.blocks.length;
      if (step.cursor === undefined) return released;
    } catch (error) {
      if (!isGuardFailure(error)) throw error; // else another worker moved the cursor: read it again
      refusedAt = release.cursor;
      if (refused++ >= CONFLICT_ATTEMPTS_MAX) throw contended(error);
    }
  }
}

interface Step {
  readonly blocks: readonly BlockId[];
  /** Where the next step begins; undefined: this is the last one. */
  readonly cursor: string | undefined;
  /** A segment that is used up goes, or to where those of removed objects are. */
  readonly drop: readonly Write[];
}

/** The cursor is SEGMENT:BLOCK; an object's own block list counts as segment 0 of an object without segments. */
async function nextStep(components: Components, release: ReleaseRow): Promise<Step> {
  const [segment = 0, block = 0] = release.cursor.split(':').map(Number);
  // An object's own list is given back at once: it is never longer than a transaction has pairs.
  if (release.blocks.length > 0) return { blocks: release.blocks.slice(block), cursor: undefined, drop: [] };
  const from = String(segment).padStart(8, '0');
  const page = await components.panda.query(segmentPartition(release.version), { from }, { limit: 1 });
  const row = page.rows[0];
  if (row === undefined) return { blocks: [], cursor: undefined, drop: [] };
  const found = segmentFromRow(row);
  const skip = found.index === segment ? block : 0;
  const blocks = found.blocks.slice(skip, skip + PAIRS_PER_TRANSACTION);
  const end = skip + blocks.length;
  const isUsedUp = end >= found.blocks.length;
  return {
    blocks,
    cursor: isUsedUp ? `${found.index + 1}:0` : `${found.index}:${end}`,
    drop: isUsedUp ? dropWrites(release, row) : [],
  };
}

function dropWrites({ version, keepsSegments }: ReleaseRow, row: Row): Write[] {
  const { index, blocks } = segmentFromRow(row);
  const gone: Write = { kind: 'delete', ...segmentKey(version, index) };
  if (!keepsSegments) return [gone];
  return [gone, { kind: 'put', ...removedSegmentKey(version, index), attributes: removedSegmentAttributes(blocks) }];
}

async function runStep(components: Components, release: ReleaseRow, step: Step): Promise<void> {
  const key = releaseKey(release.version);
  const asRead = [cursorIs(release.cursor)];
  const move: Write =
    step.cursor === undefined
      ? { kind: 'delete', ...key, if: asRead }
      : { kind: 'update', ...key, ...setCursor(step.cursor), if: asRead };
  const took = async (): Promise<boolean> => {
    const now = await components.panda.get(key);
    return now === undefined || releaseFromRow(now).cursor !== release.cursor;
  };
  const guards = [move, ...step.drop];
  if (step.blocks.length === 0) return endWithout(components, guards, took);
  const extra = new Map<BlockId, number>();
  for (const id of step.blocks) extra.set(id, (extra.get(id) ?? 0) - 1);
  await runIndex(components, { changes: [], extra, fresh: new Map(), guards, took });
}

async function endWithout(
  components: Components,
  writes: readonly Write[],
  took: () => Promise<boolean>,
): Promise<void> {
  try {
    await transact(components, writes, took);
  } catch (error) {
    throw error instanceof PandaConflict ? guardFailed(error) : error;
  }
}

/** Uploads whose process is gone, or that are a day old and not this process's own, become releases. How many. */
export async function abandonUploads(components: Components): Promise<number> {
  let abandoned = 0;
  for await (const row of rowsOf(components.panda, UPLOADS)) {
    const upload = uploadFromRow(row);
    const isOld =
      upload.owner !== components.owner && components.clock.nowMs() - upload.startedAtMs > UPLOAD_ABANDONED_MS;
    if ((isOld || components.isOwnerGone(upload.owner)) && (await giveUpUpload(components, upload))) abandoned += 1;
  }
  return abandoned;
}
