// Drives of a test's world that are given up or lost, by their rows, and what lies on them.
import { type DriveState, driveAttributes, driveKey } from '../../lib/panda/rows/drives/drive-row.ts';
import type { World } from '../store/harness.ts';

export const mark = (world: World, drive: number, state: DriveState): Promise<void> =>
  world.panda.transact([
    {
      kind: 'put',
      ...driveKey(drive),
      attributes: driveAttributes({ state, change: 1, sinceMs: 0, domain: undefined }),
    },
  ]);

/** All that lay on it is gone. */
export async function wipe(world: World, drive: number): Promise<void> {
  for (const at of (await world.drives[drive]?.zones()) ?? []) await world.drives[drive]?.erase(at);
}
