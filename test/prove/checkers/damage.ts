// Damage is noted of what is damaged: whoever looked by rows that were out of date says so only after a second look. What is noted of a chunk on a
// drive that has lost nothing is wrong at once, and not only when doctor has looked.
import type { Write } from '../../../lib/panda/panda.ts';
import { damageFromRow } from '../../../lib/panda/rows/damage-row.ts';
import { type VolumeRow, volumeFromRow, volumeKey } from '../../../lib/panda/rows/volume-row.ts';
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
