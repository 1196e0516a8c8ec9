// How much waits for GC: references of what was deleted and overwritten that are not given back yet.
import { holdingFromRow, holdsReferences, referencesLeft } from '../panda/rows/removed/held-references.ts';
import { removedPartitions } from '../panda/rows/removed/removed-row.ts';
import { readOrTell } from '../panda/rows/row-reader.ts';
import type { Components } from '../volume/rows/components.ts';
import { rowsOf } from '../volume/rows/read-rows.ts';

export async function countHeldReferences({ panda, settings, badRow }: Components): Promise<number> {
  let count = 0;
  for (const partition of removedPartitions(settings.cell))
    for await (const row of rowsOf(panda, partition)) {
      if (!holdsReferences(row)) continue;
      const removed = readOrTell(row, holdingFromRow, badRow);
      if (removed !== undefined) count += referencesLeft(removed).length;
    }
  return count;
}
