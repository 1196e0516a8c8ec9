// Drives of a test's world that are given up or lost, by their rows, and what lies on them.
import type { Drive } from '../../lib/drive/drive.ts';
import { FaultyDrive } from '../../lib/drive/faulty-drive.ts';
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

/** The world's drives, which do not answer the first write to any of them until that was done. */
export function afterFirstWrite(world: World, then: () => Promise<void>): FaultyDrive[] {
  let isOver = false;
  return world.drives.map((drive) => {
    const slow = new FaultyDrive(drive);
    const append = slow.append.bind(slow);
    slow.append = async (...args) => {
      await append(...args);
      if (isOver) return;
      isOver = true;
      await then();
    };
    return slow;
  });
}

/** All that lay on it is gone. */
export async function wipe(world: World, drive: number): Promise<void> {
  for (const at of (await world.drives[drive]?.zones()) ?? []) await world.drives[drive]?.erase(at);
}

/** All that lay on it in another world lies there again. */
export async function bringBack(to: { readonly drives: readonly Drive[] }, from: World, drive: number): Promise<void> {
  const was = from.drives[drive];
  for (const at of (await was?.zones()) ?? [])
    for (const { name } of (await was?.list(at)) ?? [])
      await to.drives[drive]?.append(at, name, [(await was?.read(at, name)) ?? new Uint8Array()]);
}
