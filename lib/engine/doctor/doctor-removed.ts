// Doctor's look at what was deleted: it refers to its blocks until GC has given its references back; and slots that GC
// has noted live until it has made them die, whether a block row names them or not.
import type { BucketId } from '../../foundation/ids.ts';
import { type HoldingRow, referencesLeft, referencesOf } from '../../panda/rows/removed/held-references.ts';
import type { Components } from '../../volume/rows/components.ts';
import type { BlockTable } from './block-table.ts';
import { slotState } from './slot-state.ts';

interface Counted {
  readonly blocks: BlockTable;
  readonly liveBytes: Map<BucketId, number>;
}

/** Takes their references off the blocks, and adds slots to the live bytes. */
export async function takeRemoved(
  components: Pick<Components, 'panda' | 'settings'>,
  { blocks, liveBytes }: Counted,
  rows: readonly HoldingRow[],
): Promise<void> {
  for (const row of rows) {
    for (const { blockId, object } of referencesLeft(row)) {
      const block = blocks.get(blockId);
      // One without a row has nothing to give back to.
      if (block === undefined || (object.isNamed && block.named !== object.version)) continue;
      if (object.isNamed) block.giveName();
      block.refs -= 1;
    }
    const references = referencesOf(row);
    for (const { reference, bucket, slot, recordBytes } of row.notes) {
      const place = blocks.get(references[reference]?.blockId);
      if (place?.bucket === bucket && place.slot === slot) continue;
      if ((await slotState(components, { bucket, slot })) === 'live')
        liveBytes.set(bucket, (liveBytes.get(bucket) ?? 0) + recordBytes);
    }
  }
}
