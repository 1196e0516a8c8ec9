// RENEW (protocol 18), pure: known blocks whose records cannot be read get the records that were just stored.
// References, state and all objects stay as they are; the old slots die in the same transaction.
import type { BlockId, BucketId } from '../foundation/ids.ts';
import type { Write } from '../panda/panda.ts';
import { type BlockRow, blockIs, blockKey, formIs, recordIs, renewRecord, slotIs } from '../panda/rows/block-row.ts';
import { type DeadRow, NO_DEAD } from '../panda/rows/bucket-row.ts';
import { trashAttributes, trashKey } from '../panda/rows/trash-row.ts';
import { diedWrites } from '../volume/steps/recover-steps.ts';
import type { FreshBlock } from './index-plan.ts';

export interface Renewal {
  /** As read. */
  readonly row: BlockRow;
  readonly fresh: FreshBlock;
}

/** `deads`: dead rows, as read, of the buckets that the records are in. */
export function renewWrites(
  cell: string,
  nowMs: number,
  renewals: readonly Renewal[],
  deads: ReadonlyMap<BucketId, DeadRow>,
): Write[] {
  const writes = renewals.flatMap((renewal) => blockWrites(cell, nowMs, renewal));
  for (const [bucket, of] of Map.groupBy(renewals, ({ row }) => row.bucket))
    writes.push(
      ...diedWrites(
        cell,
        bucket,
        deads.get(bucket) ?? NO_DEAD,
        of.map(({ row }) => row),
      ),
    );
  return writes;
}

function blockWrites(cell: string, nowMs: number, { row, fresh }: Renewal): Write[] {
  // References may come and go meanwhile: they are not asked for.
  const asRead = [recordIs(row.recordId), ...slotIs(row), ...formIs(row), ...blockIs(row.state, row)];
  const block: Write = { kind: 'update', ...blockKey(row.id), ...renewRecord(row, fresh), if: asRead };
  if (row.state === 'live') return [block];
  // Nobody refers to it at the moment, which the trash row of the new slot says as that of the old one did; its grace
  // begins anew.
  const { recordId, recordBytes } = fresh;
  const attributes = trashAttributes({ blockId: row.id, recordId, recordBytes, sinceMs: nowMs });
  return [
    block,
    { kind: 'delete', ...trashKey(cell, row.bucket, row.slot) },
    { kind: 'put', ...trashKey(cell, fresh.bucket, fresh.slot), attributes },
  ];
}

export const renewedRow = ({ row, fresh }: Renewal): BlockRow => ({
  ...fresh,
  refs: row.refs,
  state: row.state,
  ...(row.named === undefined ? {} : { named: row.named }),
});

/** Those whose row still names the record that cannot be read: any other was shredded, or renewed by somebody else. */
export function renewalsOf(
  lost: ReadonlyMap<BlockId, BlockRow>,
  rows: ReadonlyMap<BlockId, BlockRow | undefined>,
  fresh: ReadonlyMap<BlockId, FreshBlock>,
): Renewal[] {
  return [...lost].flatMap(([id, { recordId }]) => {
    const row = rows.get(id);
    const stored = fresh.get(id);
    return row?.recordId === recordId && stored !== undefined ? [{ row, fresh: stored }] : [];
  });
}
