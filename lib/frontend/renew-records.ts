// Runs RENEW (renew-plan.ts) for as many blocks as there are, a bounded number in each transaction.
import type { BlockId, BucketId } from '../foundation/ids.ts';
import { RENEWAL_ITEMS_MAX, TRANSACTION_ITEMS_MAX } from '../limits/panda.ts';
import { CONFLICT_ATTEMPTS_MAX, CONFLICT_BACK_OFF_STEPS_MAX } from '../limits/volume.ts';
import { PandaConflict } from '../panda/conflict.ts';
import type { Write } from '../panda/panda.ts';
import type { BlockRow } from '../panda/rows/block-row.ts';
import { type DeadRow, deadFromRow, deadKey } from '../panda/rows/bucket-row.ts';
import type { Components } from '../volume/rows/components.ts';
import { readBlocks } from '../volume/rows/read-rows.ts';
import { raiseStoreFormat } from '../volume/rows/store-format.ts';
import { backOffMs, transact } from '../volume/rows/transact.ts';
import { contended, guardFailed } from './index-objects.ts';
import type { FreshBlock } from './index-plan.ts';
import { type Renewal, renewalsOf, renewedRow, renewWrites } from './renew-plan.ts';

export interface RenewRequest {
  /** Blocks whose record cannot be read, as they were found. */
  readonly lost: ReadonlyMap<BlockId, BlockRow>;
  /** New records, one for each of them at least. */
  readonly fresh: ReadonlyMap<BlockId, FreshBlock>;
  /** The check of the group that holds the new records, and the like: they come first in every transaction. */
  readonly guards: readonly Write[];
}

/**
 * The new rows of those that were renewed. Throws `conflict` GUARD_FAILED, or CONTENDED after many tries; what was
 * renewed stays so.
 */
export async function renewRecords(components: Components, request: RenewRequest): Promise<Map<BlockId, BlockRow>> {
  await raiseStoreFormat(components);
  const renewed = new Map<BlockId, BlockRow>();
  const all = [...request.lost];
  const width = Math.floor((TRANSACTION_ITEMS_MAX - request.guards.length) / RENEWAL_ITEMS_MAX);
  for (let at = 0; at < all.length; at += width) {
    const done = await renewSome(components, request, new Map(all.slice(at, at + width)));
    for (const renewal of done) renewed.set(renewal.row.id, renewedRow(renewal));
  }
  return renewed;
}

async function renewSome(
  components: Components,
  { fresh, guards }: RenewRequest,
  lost: ReadonlyMap<BlockId, BlockRow>,
): Promise<readonly Renewal[]> {
  for (let attempt = 0; ; attempt++) {
    const rows = attempt === 0 ? lost : await readBlocks(components.panda, [...lost.keys()]);
    const renewals = renewalsOf(lost, rows, fresh);
    if (renewals.length === 0) return [];
    const deads = await deadRows(components, [...new Set(renewals.map(({ row }) => row.bucket))]);
    const writes = renewWrites(components.settings.cell, Math.max(0, components.clock.nowMs()), renewals, deads);
    try {
      await transact(components, [...guards, ...writes], () => tookEffect(components, renewals));
      return renewals;
    } catch (error) {
      if (!(error instanceof PandaConflict)) throw error;
      if (error.failed.some((index) => index < guards.length)) throw guardFailed(error);
      if (attempt >= CONFLICT_ATTEMPTS_MAX) throw contended(error);
      await components.clock.sleep(backOffMs(Math.min(attempt, CONFLICT_BACK_OFF_STEPS_MAX), components.randomness));
    }
  }
}

async function deadRows(components: Components, buckets: readonly BucketId[]): Promise<Map<BucketId, DeadRow>> {
  const rows = await components.panda.getMany(buckets.map((bucket) => deadKey(components.settings.cell, bucket)));
  return new Map(buckets.map((bucket, i) => [bucket, deadFromRow(rows[i])]));
}

/** All or nothing, so one block tells. */
async function tookEffect(components: Components, [first]: readonly Renewal[]): Promise<boolean> {
  if (first === undefined) return true;
  const { id } = first.row;
  return (await readBlocks(components.panda, [id])).get(id)?.recordId === first.fresh.recordId;
}
