// One volume of a pass over many: within what the pass may write, and in the way of no other volume.
import { isPocketfulError } from '../../foundation/errors.ts';
import type { VolumeId } from '../../foundation/ids.ts';
import { type Reason, reasonOf } from '../../foundation/reason.ts';
import { newRunId } from '../runs/runs.ts';
import type { VolumeStore } from '../volume-store.ts';
import { type RepairVolumeOptions, repairVolume, type VolumeRepaired } from './repair-volume.ts';

export interface PassBudget {
  /** Stop once so much has been written. */
  readonly bytesMax?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** `reason`: why the volume is as it was. */
export type Attempted = { readonly done: VolumeRepaired } | { readonly reason: Reason };

const STOPPED: Reason = { code: 'STOPPED', text: 'stopped' };
const SPENT: Reason = { code: 'BUDGET_SPENT', text: 'the budget is used up' };

/** `writtenBytes`: by the pass so far. Throws `denied`, and what is no error of the store. */
export async function repairWithin(
  store: VolumeStore,
  id: VolumeId,
  writtenBytes: number,
  { signal, bytesMax = Number.POSITIVE_INFINITY }: PassBudget,
  options: Omit<RepairVolumeOptions, 'signal'>,
): Promise<Attempted> {
  if (signal?.aborted) return { reason: STOPPED };
  if (writtenBytes >= bytesMax) return { reason: SPENT };
  try {
    return { done: await repairVolume(store, id, newRunId(store.components, 'repair'), { ...options, signal }) };
  } catch (error) {
    if (signal?.aborted && error === signal.reason) return { reason: STOPPED };
    if (!isPocketfulError(error) || error.kind === 'denied') throw error;
    return { reason: reasonOf(error) };
  }
}
