// REPAIR as a task of maintenance, tallied: by command, by the daemon, and by a stage's functions.
import { type RepairOptions, type RepairReport, repairStore } from '../../volume/repair/repair-store.ts';
import type { VolumeStore } from '../../volume/volume-store.ts';
import { addTally } from '../status/tally.ts';

export async function repairPass(volumes: VolumeStore, options: RepairOptions = {}): Promise<RepairReport> {
  const { clock } = volumes.components;
  const beganMs = clock.monotonicMs();
  const report = await repairStore(volumes, options);
  await addTally(volumes.components, {
    repairedBytes: report.writtenBytes,
    repairedColumns: report.columns,
    repairMs: report.writtenBytes > 0 ? clock.monotonicMs() - beganMs : 0,
  });
  return report;
}
