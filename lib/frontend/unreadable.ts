// Which known blocks cannot be read at the moment: more columns of their volume lie on drives that are away than the code survives.
// Only asked while drives are away; a put of such a block stores it anew instead of referring to what may never come back.
import { codecOf } from '../codec/codecs.ts';
import type { RecordId } from '../foundation/ids.ts';
import type { BlockRow } from '../panda/rows/block-row.ts';
import { readBucket, readVolume } from '../volume/rows/read-rows.ts';
import type { VolumeStore } from '../volume/volume-store.ts';

const AWAY = new Set(['DRIVE_UNAVAILABLE', 'DRIVE_DENIED']);

export async function unreadableRecords(store: VolumeStore, known: readonly BlockRow[]): Promise<Set<RecordId>> {
  const { c, health } = store;
  const away = new Set([...c.drives.keys()].filter((drive) => AWAY.has(health.fault(drive) ?? '')));
  const lost = new Set<RecordId>();
  if (away.size === 0) return lost;
  const verdicts = new Map<string, boolean>();
  for (const block of known) {
    let isLost = verdicts.get(block.bucket);
    if (isLost === undefined) {
      const bucket = await readBucket(c.panda, c.settings.cell, block.bucket);
      const volume = bucket === undefined ? undefined : await readVolume(c.panda, c.settings.cell, bucket.volume);
      const columns = volume?.extents.flatMap(({ drive }, column) => (away.has(drive) ? [column] : [])) ?? [];
      isLost = volume !== undefined && columns.length > 0 && !codecOf(volume.codec).canReconstruct(columns);
      verdicts.set(block.bucket, isLost);
    }
    if (isLost) lost.add(block.recordId);
  }
  return lost;
}
