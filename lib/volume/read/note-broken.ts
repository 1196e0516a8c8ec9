// What a read that found columns broken leaves behind, whether it could rebuild the record or found it lost: damage
// rows for those columns, so that status counts them, doctor names them, and a put of the same bytes stores anew what
// is lost. A read that cannot write them is as good as any other.
import { isPocketfulError } from '../../foundation/errors.ts';
import type { DamageKind } from '../../panda/rows/damage-row.ts';
import { type DamageFound, noteDamage } from '../rows/damage.ts';
import type { GroupPlace } from './read-column.ts';
import type { RebuildStore } from './reconstruct.ts';
import type { BrokenColumn } from './record-lost.ts';

const KINDS: Readonly<Record<string, DamageKind>> = {
  CHUNK_MISSING: 'missing',
  CHUNK_TRUNCATED: 'short',
  CHUNK_FOREIGN: 'foreign',
};

/**
 * To be called once the place was seen to be right after the read failed: what is there no more because it moved is no
 * damage.
 */
export async function noteBroken(
  { components, directories }: RebuildStore,
  place: GroupPlace,
  column: number,
  broken: readonly BrokenColumn[],
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
