// Who looks after the drives: gives them up, empties them, takes them back, and repairs.
import { changeDrive } from '../../../lib/engine/drives/change-drive.ts';
import { listDrives } from '../../../lib/engine/drives/list-drives.ts';
import { isPocketfulError } from '../../../lib/foundation/errors.ts';
import type { SeededRandomness } from '../../../lib/foundation/randomness.ts';
import type { DriveState } from '../../../lib/panda/rows/drives/drive-row.ts';
import { freeDiscards } from '../../../lib/volume/repair/discards.ts';
import { repairStore } from '../../../lib/volume/repair/repair-store.ts';
import { timeUp } from './mover.ts';
import type { Acting, SimWorld } from './sim-world.ts';

type Act = (world: SimWorld, acting: Acting, random: SeededRandomness) => Promise<void>;

/** Somebody else may have done something to it first: that is said, and no more. */
async function change({ volumes }: Acting, drive: number, state: DriveState): Promise<void> {
  try {
    await changeDrive(volumes, drive, { state });
  } catch (error) {
    if (!isPocketfulError(error) || error.code !== 'DRIVE_STATE') throw error;
  }
}

export const OPERATOR: Readonly<Record<string, Act>> = {
  repair: async (_, acting, random) => {
    const signal = random.below(4) === 0 ? timeUp(acting, 100 + random.below(5000)) : undefined;
    await repairStore(acting.volumes, { signal, ignoreGrace: random.below(2) === 0 });
  },
  'drain-drive': (world, acting, random) => change(acting, random.below(world.disks.length), 'draining'),
  // Of those that may be lost at once.
  'lose-drive': (world, acting, random) => {
    const { struckDrives } = world.plan;
    return change(acting, struckDrives[random.below(struckDrives.length)] as number, 'lost');
  },
  'return-drive': (world, acting, random) => change(acting, random.below(world.disks.length), 'active'),
  discard: async (_, { volumes }, random) => {
    await freeDiscards(volumes, { ignoreGrace: random.below(2) === 0 });
  },
  drives: async (_, { components }) => {
    await listDrives(components);
  },
};
