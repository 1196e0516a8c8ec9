// Doctor's look at what must be on the drives: volume by volume, so that memory does not grow with the store. What it
// finds damaged it notes in damage rows, and takes rows away that are true no longer.
import { isKind, isPocketfulError } from '../../foundation/errors.ts';
import type { VolumeId } from '../../foundation/ids.ts';
import type { DamageRow } from '../../panda/rows/damage-row.ts';
import type { BadRowSink } from '../../panda/rows/row-reader.ts';
import { volumeFromRow, volumePartitions } from '../../panda/rows/volume-row.ts';
import type { Findings } from '../../verify/findings.ts';
import { LookSum, type LooksReport } from '../../verify/look-sum.ts';
import { holdsData, lookAtVolume } from '../../volume/check/look.ts';
import type { ReadPorts } from '../../volume/read/read-column.ts';
import { allDamage, clearDamage } from '../../volume/rows/damage.ts';
import { readVolume, rowsOf } from '../../volume/rows/read-rows.ts';

export interface VolumesOptions {
  readonly read?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((what: string) => void) | undefined;
}

export async function findVolumeFaults(
  ports: ReadPorts,
  away: ReadonlySet<number>,
  findings: Findings,
  options: VolumesOptions = {},
): Promise<LooksReport> {
  const { components } = ports;
  const sum = new LookSum(ports, away, findings);
  let seen = 0;
  for (const partition of volumePartitions(components.settings.cell))
    for await (const row of rowsOf(components.panda, partition)) {
      options.signal?.throwIfAborted();
      options.onProgress?.(`volumes: ${seen++} looked at`);
      try {
        const volume = volumeFromRow(row);
        const look = await lookAtVolume(ports, volume, options);
        if (look !== undefined) await sum.add(look);
      } catch (error) {
        // Its own row, or that of a group: the recount of the rows names those that are malformed.
        if (!isPocketfulError(error)) throw error;
        findings.add('wrong', 'volume', `volume ${row.sort} cannot be looked at: ${error.message}`);
      }
    }
  await dropOldDamage(ports, findings);
  return sum.report;
}

/**
 * Rows of volumes and generations that are gone. Of a volume whose row cannot be read nothing is known: its damage
 * stays noted.
 */
async function dropOldDamage({ components }: ReadPorts, findings: Findings): Promise<void> {
  const old: DamageRow[] = [];
  let holds: (row: DamageRow) => boolean = () => true;
  let id: VolumeId | undefined;
  const bad: BadRowSink = ({ error }) => findings.add('wrong', 'row', error.message);
  for await (const row of allDamage(components, bad)) {
    if (row.volume !== id) {
      id = row.volume;
      holds = await holderOf(components, id);
    }
    if (!holds(row)) old.push(row);
  }
  await clearDamage(components, old);
}

async function holderOf(components: ReadPorts['components'], id: VolumeId): Promise<(row: DamageRow) => boolean> {
  try {
    const volume = await readVolume(components.panda, components.settings.cell, id);
    return ({ generation }) => volume !== undefined && volume.generation === generation && holdsData(volume);
  } catch (error) {
    if (!isKind(error, 'corrupt')) throw error;
    return () => true;
  }
}
