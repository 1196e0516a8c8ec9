// After a crash: everything another process left half done is brought to an end. Safe at any time, beside anything, and
// twice; what cannot be done now (a drive is away) is left for the next time.
import { endDeadRuns, endLostLeases } from '../../compaction/do/end-runs.ts';
import { isDeadRun, listJournal } from '../../compaction/run/journal.ts';
import type { Frontend } from '../../frontend/frontend.ts';
import { RELEASES, UPLOADS, uploadFromRow } from '../../panda/rows/object-row.ts';
import { sweepStrays } from '../../volume/behind/sweep.ts';
import { finishPendingSeals, isSealToFinish } from '../../volume/open/pending-seals.ts';
import { listVolumes, rowsOf } from '../../volume/rows/read-rows.ts';
import { freeTrash } from '../../volume/runs/free.ts';
import { ownerOf } from '../../volume/runs/runs.ts';
import type { VolumeStore } from '../../volume/volume-store.ts';

interface SettleReport {
  /** Open volumes whose pending group was settled, or whose dead lease was broken. */
  readonly volumes: number;
  readonly runs: number;
  readonly seals: number;
  readonly uploads: number;
  readonly references: number;
}

export interface RecoverReport extends SettleReport {
  readonly freedZones: number;
  readonly strays: number;
}

/**
 * What the dead left, but for zones to be freed. `keepRuns`: journalled runs are for compaction to go on with, and only
 * leases that no journal has are ended.
 */
export async function settleDeadWork(
  volumes: VolumeStore,
  frontend: Frontend,
  { keepRuns = false, signal }: { readonly keepRuns?: boolean; readonly signal?: AbortSignal } = {},
): Promise<SettleReport> {
  const recovered = await volumes.open.recoverIdle();
  const seals = await finishPendingSeals(volumes);
  const runs = keepRuns ? await endLostLeases(volumes) : await endDeadRuns(volumes);
  const uploads = signal?.aborted ? 0 : await frontend.abandonUploads();
  const references = signal?.aborted ? 0 : await frontend.finishReleases();
  return { volumes: recovered, runs, seals, uploads, references };
}

export async function recover(
  volumes: VolumeStore,
  frontend: Frontend,
  options: { readonly sweep?: boolean; readonly keepRuns?: boolean } = {},
): Promise<RecoverReport> {
  const settled = await settleDeadWork(volumes, frontend, options);
  const { freedZones } = await freeTrash(volumes);
  const strays = options.sweep ? (await sweepStrays(volumes)).erasedZones : 0;
  return { ...settled, freedZones, strays };
}

/**
 * True if a process that is known to be dead left something to `recover`; a look at the volume rows and two short
 * lists.
 */
export async function hasLeftovers(volumes: VolumeStore): Promise<boolean> {
  const { components } = volumes;
  const isDead = (owner: string | undefined): boolean => owner !== undefined && components.isOwnerGone(owner);
  for (const volume of await listVolumes(components.panda, components.settings.cell, components.badRow)) {
    const { state, run } = volume;
    if (isDead(volume.owner) || (run !== undefined && isDead(ownerOf(run))) || state === 'erasing') return true;
    if (await isSealToFinish(components, volume)) return true;
  }
  for await (const row of rowsOf(components.panda, UPLOADS)) if (isDead(uploadFromRow(row).owner)) return true;
  for (const { run } of await listJournal(components)) if (isDeadRun(components, run)) return true;
  const { rows } = await components.panda.query(RELEASES, {}, { limit: 1 });
  return rows.length > 0;
}
