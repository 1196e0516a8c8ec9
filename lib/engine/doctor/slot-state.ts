// What the rows of a bucket say of one of its slots.
import { isKind } from '../../foundation/errors.ts';
import type { BlockSlot } from '../../panda/rows/block-row.ts';
import { bucketKey, deadFromRow, deadKey, isDead } from '../../panda/rows/bucket-row.ts';
import type { Components } from '../../volume/rows/components.ts';

/** `unreadable`: one of its rows is damaged, which the count of rows has named already. */
export type SlotState = 'live' | 'dead' | 'bucket-gone' | 'unreadable';

export async function slotState(
  { panda, settings }: Pick<Components, 'panda' | 'settings'>,
  { bucket, slot }: BlockSlot,
): Promise<SlotState> {
  try {
    const [found, dead] = await panda.getMany([bucketKey(settings.cell, bucket), deadKey(settings.cell, bucket)]);
    if (found === undefined) return 'bucket-gone';
    return isDead(deadFromRow(dead), slot) ? 'dead' : 'live';
  } catch (error) {
    if (!isKind(error, 'corrupt')) throw error;
    return 'unreadable';
  }
}
