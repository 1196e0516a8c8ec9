// One zone of a drive erased: of a volume in trash, of an extent that was replaced, or given up while it was away.
import type { Drive } from '../../drive/drive.ts';
import { isPocketfulError } from '../../foundation/errors.ts';
import { type Reason, reasonOf } from '../../foundation/reason.ts';
import type { Extent } from '../../panda/rows/volume-row.ts';
import type { Components } from '../rows/components.ts';

/** Why it is not, or not to be relied upon; undefined: nothing is left there. */
export async function eraseZone(
  { drives, beforeErasing }: Pick<Components, 'drives' | 'beforeErasing'>,
  { drive: id, zone, zoneGeneration }: Extent,
): Promise<Reason | undefined> {
  const drive = drives[id] as Drive;
  const at = { zone, generation: zoneGeneration };
  try {
    await beforeErasing?.();
    await drive.erase(at);
    if ((await drive.list(at)).length === 0) return undefined;
    return { code: 'ZONE_WRITTEN', text: `${drive.label}: zone ${zone} is being written again` };
  } catch (error) {
    if (!isPocketfulError(error)) throw error;
    return reasonOf(error);
  }
}
