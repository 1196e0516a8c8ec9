// The trash inspector: what an emptied volume held is safe where it is now. Asked right before its zones are erased,
// and by the verifiers while its grace goes on.
import { isPocketfulError } from '../../foundation/errors.ts';
import type { Reason } from '../../foundation/reason.ts';
import { deadFromRow, deadKey } from '../../panda/rows/bucket-row.ts';
import type { VolumeRow } from '../../panda/rows/volume-row.ts';
import { collectBucket } from '../read/collect-bucket.ts';
import { readBucket, readVolume } from '../rows/read-rows.ts';
import type { VolumeStore } from '../volume-store.ts';

/** Every bucket that was moved out is read where it is now, every record's checksum checked. Undefined: all is well. */
export async function inspect(store: VolumeStore, volume: VolumeRow): Promise<Reason | undefined> {
  const { panda, settings } = store.components;
  for (const id of volume.moved) {
    const bucket = await readBucket(panda, settings.cell, id);
    if (bucket === undefined) continue; // all of it was shredded since
    if (bucket.volume === volume.id) return { code: 'BUCKET_BACK', text: `bucket ${id} is in it again` };
    const home = await readVolume(panda, settings.cell, bucket.volume);
    if (home === undefined) return { code: 'BUCKET_HOMELESS', text: `bucket ${id} has no volume` };
    try {
      await collectBucket(store, home, bucket, deadFromRow(await panda.get(deadKey(settings.cell, id))));
    } catch (error) {
      if (!isPocketfulError(error)) throw error;
      return { code: 'BUCKET_UNREADABLE', text: `bucket ${id} cannot be read in its new volume: ${error.message}` };
    }
  }
  return undefined;
}
