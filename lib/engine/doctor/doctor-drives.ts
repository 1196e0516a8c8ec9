// Doctor's look at the drives: which answer, which volumes cannot be read as a whole without the others, and what lies on them that
// belongs to nothing.
import { codecOf } from '../../codec/codecs.ts';
import type { Drive } from '../../drive/drive.ts';
import { isPocketfulError } from '../../foundation/errors.ts';
import { zoneFromRow, zonePartition } from '../../panda/rows/zone-row.ts';
import type { Components } from '../../volume/rows/components.ts';
import { listVolumes, rowsOf } from '../../volume/rows/read-rows.ts';
import type { VolumeStore } from '../../volume/volume-store.ts';
import { driveState } from '../status/collect-status.ts';
import type { Findings } from './doctor.ts';

/** Read-only and full drives can be read. */
const UNREADABLE = new Set(['unavailable', 'denied', 'busy']);

export async function findDriveFaults({ c }: VolumeStore, findings: Findings): Promise<void> {
  const states = await Promise.all(c.drives.map(driveState));
  const lost = new Set<number>();
  for (const [id, state] of states.entries()) {
    if (state === 'ok') continue;
    if (UNREADABLE.has(state)) lost.add(id);
    findings.add('waits', 'drive', `drive ${id} (${c.drives[id]?.label}) is ${state}`);
  }
  if (lost.size > 0) await findLostVolumes(c, lost, findings);
  await Promise.all(
    c.drives.map(async (drive, id) => {
      if (lost.has(id)) return;
      const strays = await countStrays(c, drive, id);
      if (strays > 0)
        findings.add(
          'waits',
          'stray',
          `drive ${id} holds ${strays} zones of chunks that belong to nothing: pocketful doctor --fix erases them`,
        );
    }),
  );
}

async function findLostVolumes(c: Components, lost: ReadonlySet<number>, findings: Findings): Promise<void> {
  for (const volume of await listVolumes(c.panda, c.settings.cell)) {
    if (volume.buckets.size === 0) continue;
    const columns = volume.extents.flatMap(({ drive }, column) => (lost.has(drive) ? [column] : []));
    if (columns.length === 0) continue;
    const survives = codecOf(volume.codec).canReconstruct(columns);
    const drives = columns.map((column) => volume.extents[column]?.drive).join(', ');
    findings.add(
      survives ? 'waits' : 'lost',
      'volume',
      `volume ${volume.id} (${volume.codec}) lacks drives ${drives}: ${survives ? 'its records are reconstructed' : 'some of its records wait for them'}`,
    );
  }
}

/** Zone generations that hold objects although no row says that they may (as sweepStrays erases them). */
async function countStrays(c: Components, drive: Drive, id: number): Promise<number> {
  try {
    const found = await drive.zones();
    const rows = new Map<number, { generation: number; state: string }>();
    for await (const row of rowsOf(c.panda, zonePartition(id))) {
      const zone = zoneFromRow(row);
      rows.set(zone.zone, zone);
    }
    return found.filter(({ zone, generation }) => {
      const row = rows.get(zone);
      if (row === undefined) return true;
      return generation < row.generation || (row.state === 'free' && generation === row.generation);
    }).length;
  } catch (error) {
    if (!isPocketfulError(error)) throw error;
    return 0;
  }
}
