// The directory pack of a sealed volume made anew, when no copy of it is sound: the rows of its buckets say in which
// groups they lie and what of them is alive, and the directories of those groups where it lies in them.
import { encodeDirectoryPack } from '../../format/directory-pack.ts';
import type { VolumeRow } from '../../panda/rows/volume-row.ts';
import { directoriesOf } from '../open/seal.ts';
import type { RebuildStore } from '../read/reconstruct.ts';

/** Parts of the object, for `append`. Throws RecordLost if the directory of a single group cannot be read. */
export async function remakePack(store: RebuildStore, volume: VolumeRow): Promise<readonly Uint8Array[]> {
  // As if it were not there yet: then nothing of it is asked for.
  const directories = await directoriesOf(store, { ...volume, directoriesPending: true });
  const { storeId } = store.components;
  return encodeDirectoryPack({ storeId, volumeId: volume.id, generation: volume.generation }, directories);
}
