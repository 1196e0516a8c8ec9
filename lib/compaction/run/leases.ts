// The volumes of one run: leased against what the plan says of them, or taken over from a dead process, and given back
// at the end. A volume that is not what it was when the plan was made is left out, with a reason.
import type { RunId, VolumeId } from '../../foundation/ids.ts';
import type { Reason } from '../../foundation/reason.ts';
import type { VolumeRow } from '../../panda/rows/volume-row.ts';
import { readVolume } from '../../volume/rows/read-rows.ts';
import { adoptRun, takeRun } from '../../volume/runs/runs.ts';
import type { VolumeStore } from '../../volume/volume-store.ts';
import { isDeadRun } from './journal.ts';

export interface Planned {
  readonly volume: string;
  readonly generation: number;
  readonly buckets: number;
}

export interface Skipped {
  readonly volume: string;
  readonly reason: Reason;
}

/** Leases one volume for a run. The row under the lease, or why not. */
export async function leasePlanned(store: VolumeStore, run: RunId, planned: Planned): Promise<VolumeRow | Skipped> {
  const { panda, settings } = store.components;
  const id = planned.volume as VolumeId;
  const now = await readVolume(panda, settings.cell, id);
  const reason = whyNot(now, planned);
  if (reason !== undefined) return { volume: id, reason };
  return (
    (await takeRun(store.components, id, run)) ?? {
      volume: id,
      reason: { code: 'VOLUME_OWNED', text: 'another run took it first' },
    }
  );
}

export const isSkipped = (taken: VolumeRow | Skipped): taken is Skipped => 'reason' in taken;

function whyNot(now: VolumeRow | undefined, planned: Planned): Reason | undefined {
  if (now === undefined) return { code: 'VOLUME_GONE', text: 'it is not there any more' };
  if (now.run !== undefined) return { code: 'VOLUME_OWNED', text: `it is owned by run ${now.run}` };
  if (now.state !== 'sealed') return { code: 'VOLUME_NOT_SEALED', text: `it is ${now.state}` };
  if (now.generation !== planned.generation)
    return { code: 'VOLUME_CHANGED', text: `it is at generation ${now.generation}, planned at ${planned.generation}` };
  if (now.buckets.size > planned.buckets)
    return { code: 'VOLUME_CHANGED', text: `it holds ${now.buckets.size} buckets, planned with ${planned.buckets}` };
  return undefined;
}

/**
 * Takes over those of the volumes that are draining under a dead run. Whatever id that had: a take-over may itself have
 * been cut off half-way.
 */
export async function adoptVolumes(store: VolumeStore, run: RunId, ids: readonly VolumeId[]): Promise<VolumeRow[]> {
  const { panda, settings } = store.components;
  const adopted: VolumeRow[] = [];
  for (const id of ids) {
    const now = await readVolume(panda, settings.cell, id);
    if (now?.state !== 'draining' || now.run === undefined) continue;
    if (now.run === run) adopted.push(now);
    else if (isDeadRun(store.components, now.run)) {
      const row = await adoptRun(store.components, id, now.run, run);
      if (row !== undefined) adopted.push(row);
    }
  }
  return adopted;
}
