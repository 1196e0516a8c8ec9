// Sealed volumes whose directories are not on all of their columns yet: a crash left them unwritten, a drive is away,
// or something else has their name. They are read by their group rows, may be emptied, and are tried again by upkeep;
// where nothing can come of it now, that costs a look and no more.
import { isPocketfulError } from '../../foundation/errors.ts';
import type { VolumeRow } from '../../panda/rows/volume-row.ts';
import { isPackInTheWay } from '../check/pack-in-the-way.ts';
import { extentOf } from '../read/read-column.ts';
import type { Components } from '../rows/components.ts';
import { directoryColumns } from '../rows/directory-room.ts';
import { listVolumes } from '../rows/read-rows.ts';
import { storedPackBytes } from './put-pack.ts';
import { finishSeal, type SealStore } from './seal.ts';

/** How many were finished. */
export async function finishPendingSeals(store: SealStore): Promise<number> {
  const { panda, settings, badRow } = store.components;
  let finished = 0;
  for (const volume of await listVolumes(panda, settings.cell, badRow)) {
    if (!(await isSealToFinish(store.components, volume)) || !(await areColumnsThere(store, volume))) continue;
    try {
      await finishSeal(store, volume);
      finished += 1;
    } catch (error) {
      if (!isPocketfulError(error)) throw error; // the next time
    }
  }
  return finished;
}

/** False for one that only a repair, or compaction, brings to an end. */
export async function isSealToFinish(components: Components, volume: VolumeRow): Promise<boolean> {
  if (!volume.directoriesPending || (volume.state !== 'sealed' && volume.state !== 'draining')) return false;
  return !(await isPackInTheWay(components, volume));
}

/** Whether every drive it has to go to answers: asked before all of its groups are read to make it. */
async function areColumnsThere(store: SealStore, volume: VolumeRow): Promise<boolean> {
  const columns = directoryColumns(volume);
  if (columns.some((column) => !store.health.isHealthy(extentOf(volume, column).drive))) return false;
  try {
    for (const column of columns) await storedPackBytes(store, volume, column);
    return true;
  } catch (error) {
    if (!isPocketfulError(error)) throw error;
    return false;
  }
}
