// The blocks of an object in order, from its row or its segments.
import type { BlockId } from '../../foundation/ids.ts';
import { type ObjectRow, segmentFromRow, segmentPartition } from '../../panda/rows/object-row.ts';
import { rowsOf } from '../../volume/rows/read-rows.ts';
import type { VolumeStore } from '../../volume/volume-store.ts';

export async function* blockIdsOf(store: VolumeStore, object: ObjectRow): AsyncGenerator<BlockId> {
  if (object.blocks !== undefined) yield* object.blocks;
  else
    for await (const row of rowsOf(store.components.panda, segmentPartition(object.version)))
      yield* segmentFromRow(row).blocks;
}
