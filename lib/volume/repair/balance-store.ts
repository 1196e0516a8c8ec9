// BALANCE of a store: columns one by one from the fullest drives to the emptiest, each as a repair moves it: claimed,
// copied, committed, and what it had is discarded once the volume was read whole without it. It may be cut off
// anywhere.
import { isPocketfulError } from '../../foundation/errors.ts';
import type { VolumeId } from '../../foundation/ids.ts';
import type { Reason } from '../../foundation/reason.ts';
import { readDriveRows } from '../rows/drive-states.ts';
import { listVolumes } from '../rows/read-rows.ts';
import { raiseStoreFormat } from '../rows/store-format.ts';
import type { VolumeStore } from '../volume-store.ts';
import { type BalancePlan, planBalance, type Spread } from './balance-plan.ts';
import { type DiscardReport, freeDiscards } from './discards.ts';
import { type PassBudget, repairWithin } from './repair-within.ts';

export interface BalanceOptions extends PassBudget {
  readonly ignoreGrace?: boolean | undefined;
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
  await store.components.mayWrite?.();
  await raiseStoreFormat(store.components);
  const plan = await planBalanceNow(store);
  options.onPlan?.(plan);
  let moved = 0;
  let writtenBytes = 0;
  const left: { volume: VolumeId; reason: Reason }[] = [];
  for (const { volume, ...move } of plan.moves) {
    const attempted = await repairWithin(store, volume, writtenBytes, options, { onObject: options.onBytes, move });
    const reason =
      'reason' in attempted ? attempted.reason : (attempted.done.skipped ?? attempted.done.left[0]?.reason);
    if ('done' in attempted) writtenBytes += attempted.done.writtenBytes;
    if (reason === undefined) moved += 1;
    else left.push({ volume, reason });
  }
  const discards = await freeDiscards(store, { ignoreGrace: options.ignoreGrace });
  const { before } = plan;
  const { before: after } = await planBalanceNow(store);
  return { planned: plan.moves.length, moved, writtenBytes, before, after, left, discards };
}
