// Doctor's look at the drives: which answer, and what lies on them that belongs to nothing.
import type { Drive } from '../../drive/drive.ts';
import { isPocketfulError } from '../../foundation/errors.ts';
import { zoneFromRow, zonePartition } from '../../panda/rows/zone-row.ts';
import type { Components } from '../../volume/rows/components.ts';
import { rowsOf } from '../../volume/rows/read-rows.ts';
import type { VolumeStore } from '../../volume/volume-store.ts';
import { driveState } from '../status/collect-status.ts';
import { type DriveState, isAway } from '../status/status.ts';
import type { Findings } from './findings.ts';

export interface DriveAway {
  readonly id: number;
  readonly path: string;
  readonly state: DriveState;
}

/** The drives that cannot be read now. */
export async function findDriveFaults({ c }: VolumeStore, findings: Findings): Promise<DriveAway[]> {
  const states = await Promise.all(c.drives.map(driveState));
  const away: DriveAway[] = [];
  for (const [id, state] of states.entries()) {
    if (state === 'ok') continue;
    const path = c.drives[id]?.label ?? '';
    if (isAway(state)) away.push({ id, path, state });
    findings.add(isAway(state) ? 'degraded' : 'waits', 'drive', `drive ${id} (${path}) is ${state}`);
  }
  await Promise.all(
    c.drives.map(async (drive, id) => {
      if (away.some((one) => one.id === id)) return;
      const strays = await countStrays(c, drive, id);
      if (strays > 0)
        findings.add(
          'waits',
          'stray',
          `drive ${id} holds ${strays} zones of chunks that belong to nothing: pocketful doctor --fix erases them`,
        );
    }),
  );
  return away;
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
