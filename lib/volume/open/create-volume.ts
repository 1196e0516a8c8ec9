// A new open volume: its row and the zones of its extents in one transaction, tried again with others where another
// process was first.
import { codecShape } from '../../codec/shape.ts';
import { assert } from '../../foundation/assert.ts';
import { isKind, retryLater } from '../../foundation/errors.ts';
import { newVolumeId } from '../../foundation/ids.ts';
import { type Lane, SHARED_LANE } from '../../foundation/lane.ts';
import { ZONE_CLAIM_ATTEMPTS_MAX } from '../../limits/volume.ts';
import { listedAtFirst } from '../../panda/rows/open-row.ts';
import {
  newVolumeAttributes,
  type VolumeClass,
  type VolumeRow,
  volumeFromRow,
  volumeKey,
} from '../../panda/rows/volume-row.ts';
import { capacityBytes } from '../../settings/settings.ts';
import type { Components } from '../rows/components.ts';
import { transact } from '../rows/transact.ts';
import type { ZoneAllocator } from '../rows/zones.ts';

/**
 * A new open volume on the emptiest healthy drives: one transaction with its zones, and where it is listed. Throws
 * `retry` DRIVES_MISSING, STORE_FULL or VOLUMES_BUSY.
 */
export async function createVolume(
  components: Components,
  zones: ZoneAllocator,
  cls: VolumeClass,
  lane: Lane = SHARED_LANE,
): Promise<VolumeRow> {
  const codec = cls === 'hot' ? components.settings.hotCodec : components.settings.warmCodec;
  const shape = codecShape(codec);
  assert(capacityBytes(components.settings, codec) > 0, 'a volume has capacity');
  for (let attempt = 0; ; attempt++) {
    const id = newVolumeId(components.randomness);
    const claim = await zones.claim(id, shape.dataColumns + shape.parityColumns);
    const key = volumeKey(components.settings.cell, id);
    const attributes = newVolumeAttributes({
      class: cls,
      codec,
      lane,
      extents: claim.extents,
      createdAtMs: Math.max(0, components.clock.nowMs()),
      token: 0,
    });
    try {
      const took = async (): Promise<boolean> => (await components.panda.get(key)) !== undefined;
      const volume = volumeFromRow({ ...key, attributes });
      const lists = listedAtFirst(components.settings.cell, volume);
      await transact(
        components,
        [{ kind: 'put', ...key, attributes, if: ['absent'] }, ...lists, ...claim.writes],
        took,
      );
      return volume;
    } catch (error) {
      zones.refresh(); // another process took one of the zones first
      if (!isKind(error, 'conflict')) throw error;
      if (attempt >= ZONE_CLAIM_ATTEMPTS_MAX)
        throw retryLater('VOLUMES_BUSY', 'others took the zones of every new volume first: try again later', error);
    }
  }
}
