// Which drives answer, as findings: for doctor and for verification.

import type { Findings } from '../../verify/findings.ts';
import { isGone, readDriveRows } from '../../volume/rows/drive-states.ts';
import type { VolumeStore } from '../../volume/volume-store.ts';
import { driveState } from './drive-state.ts';
import { type DriveState, isAway } from './status.ts';

export interface DriveAway {
  readonly id: number;
  readonly path: string;
  readonly state: DriveState;
}

/** The drives that cannot be read now. */
export async function findDriveFaults({ components }: VolumeStore, findings: Findings): Promise<DriveAway[]> {
  const rows = await readDriveRows(components);
  const states = await Promise.all(components.drives.map(driveState));
  const away: DriveAway[] = [];
  for (const [id, state] of states.entries()) {
    // Given up: what volumes miss of it is said of them.
    if (state === 'ok' || isGone(rows, id)) continue;
    const path = components.drives[id]?.label ?? '';
    if (isAway(state)) away.push({ id, path, state });
    findings.add(isAway(state) ? 'degraded' : 'waits', 'drive', `drive ${id} (${path}) is ${state}`);
  }
  return away;
}
