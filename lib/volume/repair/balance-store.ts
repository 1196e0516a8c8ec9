// BALANCE of a store: columns one by one from the fullest drives to the emptiest, each as a repair moves it: claimed,
// copied, committed, and what it had is discarded once the volume was read whole without it. It may be cut off
// anywhere.
import { isPocketfulError } from '../../foundation/errors.ts';
import type { VolumeId } from '../../foundation/ids.ts';
import { type Reason, reasonOf } from '../../foundation/reason.ts';
import { readDriveRows } from '../rows/drive-states.ts';
import { listVolumes } from '../rows/read-rows.ts';
import { raiseStoreFormat } from '../rows/store-format.ts';
import { newRunId } from '../runs/runs.ts';
import type { VolumeStore } from '../volume-store.ts';
import { type BalanceMove, type BalancePlan, planBalance, type Spread } from './balance-plan.ts';
import { type DiscardReport, freeDiscards } from './discards.ts';
import { repairVolume } from './repair-volume.ts';

export interface BalanceOptions {
  /** Stop once so much has been written. */
  readonly bytesMax?: number | undefined;
  readonly ignoreGrace?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onPlan?: ((plan: BalancePlan) => void) | undefined;
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

export interface BalanceReport {
  readonly planned: number;
  readonly moved: number;
  readonly writtenBytes: number;
  readonly before: Spread;
  readonly after: Spread;
  readonly left: readonly { readonly volume: VolumeId; readonly reason: Reason }[];
  readonly discards: DiscardReport;
}

/** Changes nothing. */
export async function planBalanceNow(store: VolumeStore): Promise<BalancePlan> {
  const { panda, settings, badRow, drives } = store.components;
  await store.components.findDrives?.();
  const volumes = await listVolumes(panda, settings.cell, badRow);
  const answers = await Promise.all(drives.map((drive) => drive.probe().then(isDone, isPocketfulError)));
  const usable = [...drives.keys()].filter((drive) => answers[drive] === 'done');
  return planBalance({ volumes, drives: await readDriveRows(store.components), usable });
}

const isDone = (): 'done' => 'done';

export async function balanceStore(store: VolumeStore, options: BalanceOptions = {}): Promise<BalanceReport> {
  const { signal, bytesMax = Number.POSITIVE_INFINITY } = options;
  await store.components.mayWrite?.();
  await raiseStoreFormat(store.components);
  const plan = await planBalanceNow(store);
  options.onPlan?.(plan);
  let moved = 0;
  let writtenBytes = 0;
  const left: { volume: VolumeId; reason: Reason }[] = [];
  for (const move of plan.moves) {
    if (signal?.aborted || writtenBytes >= bytesMax) {
      const reason: Reason = signal?.aborted
        ? { code: 'STOPPED', text: 'stopped' }
        : { code: 'BUDGET_SPENT', text: 'the budget is used up' };
      left.push({ volume: move.volume, reason });
      continue;
    }
    const outcome = await moveOne(store, move, options);
    writtenBytes += outcome.writtenBytes;
    if (outcome.reason === undefined) moved += 1;
    else left.push({ volume: move.volume, reason: outcome.reason });
  }
  const discards = await freeDiscards(store, { ignoreGrace: options.ignoreGrace });
  const { before } = plan;
  const { before: after } = await planBalanceNow(store);
  return { planned: plan.moves.length, moved, writtenBytes, before, after, left, discards };
}

async function moveOne(
  store: VolumeStore,
  { volume, column, from, to }: BalanceMove,
  { signal, onBytes }: BalanceOptions,
): Promise<{ readonly writtenBytes: number; readonly reason?: Reason | undefined }> {
  try {
    const run = newRunId(store.components, 'repair');
    const options = { signal, onObject: onBytes, move: { column, from, to } };
    const { writtenBytes, skipped, left } = await repairVolume(store, volume, run, options);
    return { writtenBytes, reason: skipped ?? left[0]?.reason };
  } catch (error) {
    if (signal?.aborted && error === signal.reason)
      return { writtenBytes: 0, reason: { code: 'STOPPED', text: 'stopped' } };
    if (!isPocketfulError(error) || error.kind === 'denied') throw error;
    return { writtenBytes: 0, reason: reasonOf(error) };
  }
}
