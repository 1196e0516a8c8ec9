// Damage is noted of what is damaged: whoever looked by rows that were out of date says so only after a second look. What is noted of a chunk on a
// drive that has lost nothing is wrong at once, and not only when doctor has looked.
import { DIRECTORY_PACK_NAME, parseChunkName } from '../../../lib/format/object-names.ts';
import type { Row, Write } from '../../../lib/panda/panda.ts';
import { type DamagedPart, type DamageRow, damageFromRow } from '../../../lib/panda/rows/damage-row.ts';
import {
  type Extent,
  extentText,
  type VolumeRow,
  volumeFromRow,
  volumeKey,
} from '../../../lib/panda/rows/volume-row.ts';
import type { SimWorld } from '../actors/sim-world.ts';
import { Violation } from './violation.ts';

/** Of a transaction that was just done. Repairs note what they could not make where it is not yet. */
export async function expectDamageNotedRightly(world: SimWorld, write: Write): Promise<void> {
  if (write.kind !== 'put' || !write.partition.startsWith('damage/')) return;
  if (world.wasPutBack || world.plan.workers.some(({ role }) => role === 'operator')) return;
  const { volume: id, generation, column, part, kind, reason } = damageFromRow(write);
  const row = await world.server.rows.get(volumeKey(world.settings.cell, id));
  const volume: VolumeRow | undefined = row && volumeFromRow(row);
  const extent = volume?.generation === generation ? volume.extents[column] : undefined;
  if (extent === undefined || part === 'pack' || world.lossyDrives.has(extent.drive)) return;
  throw new Violation(
    'wrong',
    `damage is noted on drive ${extent.drive}, which has lost nothing: ${kind} ${reason} part ${part} column ${column} of volume ${id}`,
  );
}

/** The extents that an update of a volume's row puts in the place of others: a repair's, of columns it made again. */
export function movedBy(write: Write, before: Row): Extent[] {
  const extents = write.kind === 'update' ? write.set?.['x'] : undefined;
  // A flip's are of another generation.
  if (!Array.isArray(extents) || (write.kind === 'update' && write.set?.['g'] !== undefined)) return [];
  const was = volumeFromRow(before).extents.map(extentText);
  const is = volumeFromRow({ ...before, attributes: { ...before.attributes, x: extents } }).extents;
  return is.filter((extent, column) => extentText(extent) !== was[column]);
}

/** What is noted of a column, and where that is. */
export interface NotedAt extends Pick<DamageRow, 'part' | 'kind'> {
  readonly extent: Extent;
}

/**
 * A repair moves a column without what cannot be made again now, and notes that as missing in the new place (protocols
 * 26b), whose drive has lost nothing: so it is, if it is not there. Beyond what the code survives, or where a drive is
 * gone and another did not answer once: then the last repair, which leaves nothing, has to make it.
 */
export function isLeftByRepair(
  world: Pick<SimWorld, 'movedExtents' | 'disks'>,
  { part, kind, extent }: NotedAt,
): boolean {
  if (kind !== 'missing' || !world.movedExtents.has(extentText(extent))) return false;
  const zone = (world.disks[extent.drive]?.held() ?? []).find(
    ({ at }) => at.zone === extent.zone && at.generation === extent.zoneGeneration,
  );
  return zone?.names.some((name) => isOfPart(name, part)) !== true;
}

const isOfPart = (name: string, part: DamagedPart): boolean =>
  typeof part === 'number'
    ? parseChunkName(name)?.sequence === part
    : name === (part === 'pack' ? DIRECTORY_PACK_NAME : part);
