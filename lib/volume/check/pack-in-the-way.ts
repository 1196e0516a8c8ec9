// An object that has the name of a directory pack and is none, or not one of its volume: it cannot be overwritten, so
// the seal stays pending. It is noted as damage of a part `pack`, and upkeep does not try again as long as it is.
import { isPocketfulError, type PocketfulError } from '../../foundation/errors.ts';
import type { DamageRow } from '../../panda/rows/damage-row.ts';
import type { VolumeRow } from '../../panda/rows/volume-row.ts';
import type { Components } from '../rows/components.ts';
import { type DamageFound, noteDamage, readDamage } from '../rows/damage.ts';
import { faultOf } from './check-object.ts';

type Sealed = Pick<VolumeRow, 'id' | 'generation' | 'revision'>;

/** `failures` by column, of an attempt to store the pack. A note that cannot be written is made by the next attempt. */
export async function notePackFaults(
  components: Components,
  { id, generation, revision }: Sealed,
  failures: ReadonlyMap<number, PocketfulError>,
): Promise<void> {
  const found: DamageFound[] = [];
  for (const [column, error] of failures) {
    const fault = faultOf(error);
    if (fault === undefined || fault.kind === 'missing') continue;
    found.push({ volume: id, generation, column, part: 'pack', ...fault });
  }
  if (found.length === 0) return;
  try {
    await noteDamage(components, { id, generation, revision }, found);
  } catch (error) {
    if (!isPocketfulError(error)) throw error;
  }
}

/** Until doctor finds it sound after all, or it was repaired. */
export async function isPackInTheWay(components: Components, { id, generation }: Sealed): Promise<boolean> {
  const isIt = (row: DamageRow): boolean =>
    row.generation === generation && row.part === 'pack' && row.kind !== 'missing';
  return (await readDamage(components, id)).some(isIt);
}
