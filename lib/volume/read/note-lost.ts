// What a read that found a record lost leaves behind: damage rows for the columns that failed it, so that doctor names
// them and a put of the same bytes stores them anew. A read that cannot write them is as good as any other.
import { isPocketfulError } from '../../foundation/errors.ts';
import type { DamageKind } from '../../panda/rows/damage-row.ts';
import { type DamageFound, noteDamage } from '../rows/damage.ts';
import type { GroupPlace } from './read-column.ts';
import type { RebuildStore } from './reconstruct.ts';
import type { RecordLost } from './record-lost.ts';

const KINDS: Readonly<Record<string, DamageKind>> = {
  CHUNK_MISSING: 'missing',
  CHUNK_TRUNCATED: 'short',
  CHUNK_FOREIGN: 'foreign',
};

/**
 * To be called once the place was seen to be right after the read failed: what is there no more because it moved is no
 * damage.
 */
export async function noteLost(
  { components, directories }: RebuildStore,
  place: GroupPlace,
  column: number,
  { broken }: RecordLost,
): Promise<void> {
  const { volume, sequence } = place;
  try {
    const columnBytes = await directories.columnBytes(place);
    // An empty column has no chunk. The record's own has one, whether or not anything tells how long it is.
    const isStored = (other: number): boolean => other === column || (columnBytes?.[other] ?? 0) > 0;
    const found = broken
      .filter((fault) => isStored(fault.column))
      .map(
        (fault): DamageFound => ({
          volume: volume.id,
          generation: volume.generation,
          column: fault.column,
          part: sequence,
          kind: KINDS[fault.code] ?? 'wrong',
          reason: fault.code,
        }),
      );
    if (found.length > 0) await noteDamage(components, volume, found);
  } catch (error) {
    if (!isPocketfulError(error)) throw error;
  }
}
