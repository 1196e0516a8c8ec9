// A drive that was lost and is back: zones that were given up while it was away are erased now. Those that volumes
// still name hold what they held.
import { discardKey } from '../../panda/rows/drives/discard-row.ts';
import type { DriveRow } from '../../panda/rows/drives/drive-row.ts';
import type { Extent } from '../../panda/rows/volume-row.ts';
import { zoneFromRow, zonePartition } from '../../panda/rows/zone-row.ts';
import { readDriveRows } from '../rows/drive-states.ts';
import { readVolume, rowsOf } from '../rows/read-rows.ts';
import { transactUnlessConflict } from '../rows/transact.ts';
import { freeWrite } from '../rows/zones.ts';
import { eraseZone } from '../runs/erase-zone.ts';
import type { VolumeStore } from '../volume-store.ts';

/** It was something else once. One that is being emptied may have come back before that. */
export const mayHaveReturned = ({ state, change }: DriveRow): boolean =>
  (state === 'active' || state === 'draining') && change > 1;

/** A drive that came back has zones that were given up, and are not erased yet. */
export async function hasUnfinishedReturn({ components }: Pick<VolumeStore, 'components'>): Promise<boolean> {
  for (const row of (await readDriveRows(components)).values())
    if (mayHaveReturned(row))
      for await (const zone of rowsOf(components.panda, zonePartition(row.drive)))
        if (zoneFromRow(zone).state === 'erasing') return true;
  return false;
}

/** How many zones were freed; what cannot be erased now is, the next time. */
export async function finishReturned(store: VolumeStore, drive: number): Promise<number> {
  const { components } = store;
  const { panda, settings } = components;
  let freed = 0;
  for await (const row of rowsOf(panda, zonePartition(drive))) {
    const { zone, generation, state, volume } = zoneFromRow(row);
    if (state !== 'erasing' || volume === undefined) continue;
    const extent: Extent = { drive, zone, zoneGeneration: generation - 1 };
    // A volume that is being erased erases its own; what waits as a row of its own goes with that.
    if ((await readVolume(panda, settings.cell, volume))?.state === 'erasing') continue;
    if ((await panda.get(discardKey(extent))) !== undefined) continue;
    if ((await eraseZone(components, extent)) !== undefined) continue;
    const isFree = async (): Promise<boolean> => false;
    if (await transactUnlessConflict(components, [freeWrite(extent)], isFree)) freed += 1;
  }
  if (freed > 0) store.zones.reload();
  return freed;
}
