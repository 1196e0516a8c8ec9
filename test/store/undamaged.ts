// No false alarms: whatever state a store is in, and whatever dead writers left, a look that reads every column finds nothing.
import { expect } from 'vitest';
import type { VolumeId } from '../../lib/foundation/ids.ts';
import { volumeFromRow, volumePartitions } from '../../lib/panda/rows/volume-row.ts';
import { lookAtVolume, type VolumeLook } from '../../lib/volume/check/look.ts';
import { spareOf } from '../../lib/volume/check/redundancy.ts';
import { rowsOf } from '../../lib/volume/rows/read-rows.ts';
import type { Process } from './harness.ts';

export type LookedAt = VolumeLook;

export async function looksAt(p: Process, read: boolean, only?: VolumeId): Promise<VolumeLook[]> {
  const looks: VolumeLook[] = [];
  for (const partition of volumePartitions(p.components.settings.cell))
    for await (const row of rowsOf(p.components.panda, partition)) {
      if (only !== undefined && row.sort !== only) continue;
      const look = await lookAtVolume(p.volumes, volumeFromRow(row), { read });
      if (look !== undefined) looks.push(look);
    }
  return looks;
}

export async function expectUndamaged(p: Process): Promise<void> {
  for (const read of [false, true])
    for (const { damage, lostParts, spare, volume, unread } of await looksAt(p, read)) {
      if (damage.length > 0 || lostParts.length > 0)
        expect(damage, `a sound volume in state ${volume.state}`).toEqual([]);
      if (unread > 0 || spare !== spareOf(volume.codec)) expect({ unread, spare }, 'nothing is missing').toEqual({});
    }
}
