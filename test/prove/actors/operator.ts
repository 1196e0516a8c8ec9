// Who looks after the drives: gives them up, empties them, takes them back, and repairs.
import { changeDrive } from '../../../lib/engine/drives/change-drive.ts';
import { listDrives } from '../../../lib/engine/drives/list-drives.ts';
import { watchDrives } from '../../../lib/engine/drives/watch-drives.ts';
import { isPocketfulError } from '../../../lib/foundation/errors.ts';
import type { SeededRandomness } from '../../../lib/foundation/randomness.ts';
import type { DriveState } from '../../../lib/panda/rows/drives/drive-row.ts';
import { balanceStore } from '../../../lib/volume/repair/balance-store.ts';
import { freeDiscards } from '../../../lib/volume/repair/discards.ts';
import { repairStore } from '../../../lib/volume/repair/repair-store.ts';
import { timeUp } from './mover.ts';
import type { Acting, SimWorld } from './sim-world.ts';

/** So long a drive is waited for here; looks are as far apart, now and then further. */
export const LOST_AFTER_MS = 4000;
const LOOKS_MAX = 40;

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
  // As upkeep does every minute.
  watch: async (_, { volumes, components }, random) => {
    for (let looks = 1 + random.below(LOOKS_MAX); looks > 0; looks--) {
      await watchDrives(volumes, { lostAfterMs: LOST_AFTER_MS });
      await components.clock.sleep(random.below(random.below(5) === 0 ? 2 * LOST_AFTER_MS : LOST_AFTER_MS / 2));
    }
  },
  balance: async (_, acting, random) => {
    const signal = random.below(4) === 0 ? timeUp(acting, 100 + random.below(5000)) : undefined;
    await balanceStore(acting.volumes, { signal, ignoreGrace: random.below(2) === 0 });
  },
  drives: async (_, { components }) => {
    await listDrives(components);
  },
};
