// Zones in use for a volume that is no more: room that nobody would ever get back. A zone is taken in the transaction
// that makes its volume, or names it there as an extent of a flip, and given up in the one that takes it from there; so
// there are none but what an earlier release left, which retired volumes with a flip in the making. Each goes to trash
// as a volume of its own, of one extent, and is erased and freed like any other.
import { type BucketId, newVolumeId } from '../../foundation/ids.ts';
import type { Write } from '../../panda/panda.ts';
import { discardKey } from '../../panda/rows/drives/discard-row.ts';
import { type Extent, trashedVolumeAttributes, volumeKey } from '../../panda/rows/volume-row.ts';
import { giveZone, type ZoneRow, zoneBelongsTo, zoneGenerationIs, zoneIs, zoneKey } from '../../panda/rows/zone-row.ts';
import type { Components } from '../rows/components.ts';
import { listVolumes } from '../rows/read-rows.ts';
import { transactUnlessConflict } from '../rows/transact.ts';
import { zoneRowsOf } from './newer-chunks.ts';

/** How many zones were given up. */
export async function giveUpLostZones(components: Components): Promise<number> {
  const used: { readonly drive: number; readonly zone: ZoneRow }[] = [];
  for (const drive of components.drives.keys())
    for (const zone of (await zoneRowsOf(components, drive)).values())
      if (zone.state === 'used' && zone.volume !== undefined) used.push({ drive, zone });
  // Read after the zones: a volume whose row is not there now was freed. It is not made again, as its zones are in use.
  const badRows = new Set<string>();
  const volumes = await listVolumes(components.panda, components.settings.cell, ({ sort }) => badRows.add(sort));
  const known = new Set<string>([...volumes.map(({ id }) => id), ...badRows]);
  let given = 0;
  for (const { drive, zone } of used)
    if (zone.volume !== undefined && !known.has(zone.volume) && (await giveUp(components, drive, zone))) given += 1;
  return given;
}

/** On the condition that everything is as it was read: no such volume, and the zone still in use for it. */
async function giveUp(components: Components, drive: number, row: ZoneRow): Promise<boolean> {
  const { cell } = components.settings;
  const { zone, generation, volume } = row;
  if (volume === undefined) return false;
  const nowMs = Math.max(0, components.clock.nowMs());
  const extent: Extent = { drive: drive as Extent['drive'], zone, zoneGeneration: generation };
  const id = newVolumeId(components.randomness);
  const attributes = trashedVolumeAttributes(
    {
      class: 'warm',
      codec: 'single',
      generation: 1,
      extents: [extent],
      token: 0,
      nextSeq: 1,
      extentUsedBytes: [0],
      createdAtMs: nowMs,
      buckets: new Set<BucketId>(),
    },
    nowMs,
  );
  const writes: Write[] = [
    { kind: 'check', ...volumeKey(cell, volume), if: ['absent'] },
    // What a repair has replaced goes its own way.
    { kind: 'check', ...discardKey(extent), if: ['absent'] },
    { kind: 'put', ...volumeKey(cell, id), attributes, if: ['absent'] },
    {
      kind: 'update',
      ...zoneKey(drive, zone),
      ...giveZone(id),
      if: [zoneIs('used'), zoneBelongsTo(volume), zoneGenerationIs(generation)],
    },
  ];
  const took = async (): Promise<boolean> => (await components.panda.get(volumeKey(cell, id))) !== undefined;
  return transactUnlessConflict(components, writes, took);
}
