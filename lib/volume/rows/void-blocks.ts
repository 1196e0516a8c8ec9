// Void block rows: a plain write of a put that came after its group was recovered, whose slot is dead, or whose bucket
// is gone since. Nobody refers to one: it counts as unknown, and is replaced (docs/decisions/0018).
import type { BlockId, BucketId } from '../../foundation/ids.ts';
import type { Condition } from '../../panda/panda.ts';
import { type BlockRow, countedRefs, recordIs, refsAre, slotIs } from '../../panda/rows/block-row.ts';
import { bucketKey, deadFromRow, deadKey, isDead } from '../../panda/rows/bucket-row.ts';
import type { Components } from './components.ts';
import { rowsAt } from './read-rows.ts';

/** Only one that is named and not counted can be. */
export const mayBeVoid = (row: BlockRow | undefined): boolean => row?.named !== undefined && countedRefs(row) === 0;

/** Still the row that was found void: not one that was stored anew since. It never becomes anything else by itself. */
export const isThatVoid = (row: BlockRow): Condition => [recordIs(row.recordId), ...slotIs(row), ...refsAre(row)];

/**
 * Which of the rows that were read are void: to be asked of what was read before.
 */
export async function voidBlocks(
  { panda, settings }: Components,
  rows: readonly (BlockRow | undefined)[],
): Promise<Set<BlockId>> {
  const suspects = rows.filter(mayBeVoid) as BlockRow[];
  const buckets: BucketId[] = [...new Set(suspects.map(({ bucket }) => bucket))];
  const found = await rowsAt(
    panda,
    buckets.flatMap((id) => [bucketKey(settings.cell, id), deadKey(settings.cell, id)]),
  );
  const voids = new Set<BlockId>();
  for (const [i, id] of buckets.entries()) {
    const isGone = found[2 * i] === undefined;
    const dead = deadFromRow(found[2 * i + 1]);
    for (const row of suspects) if (row.bucket === id && (isGone || isDead(dead, row.slot))) voids.add(row.id);
  }
  return voids;
}
