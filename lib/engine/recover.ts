// After a crash: everything another process left half done is brought to an end. Safe at any time, beside anything, and twice; what cannot
// be done now (a drive is away) is left for the next time.
import { endDeadRuns } from '../compaction/drain.ts';
import type { Frontend } from '../frontend/frontend.ts';
import { freeTrash, sweepStrays } from '../volume/free.ts';
import { finishPendingSeals } from '../volume/seal.ts';
import type { VolumeStore } from '../volume/volume-store.ts';

export interface RecoverReport {
  /** Open volumes whose pending group was settled, or whose dead lease was broken. */
  readonly volumes: number;
  readonly runs: number;
  readonly seals: number;
  readonly uploads: number;
  readonly references: number;
  readonly freedZones: number;
  readonly strays: number;
}

export async function recover(
  volumes: VolumeStore,
  frontend: Frontend,
  options: { readonly sweep?: boolean } = {},
): Promise<RecoverReport> {
  const recovered = await volumes.open.recoverIdle();
  const seals = await finishPendingSeals(volumes);
  const runs = await endDeadRuns(volumes);
  const uploads = await frontend.abandonUploads();
  const references = await frontend.finishReleases();
  const { freedZones } = await freeTrash(volumes);
  const strays = options.sweep ? await sweepStrays(volumes) : 0;
  return { volumes: recovered, runs, seals, uploads, references, freedZones, strays };
}
