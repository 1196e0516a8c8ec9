// A pass of REPAIR over a store: what survives least first, within a budget; open volumes with a column on a drive that
// is lost or being emptied are sealed before. What is left, and why, is in the report.
import { isPocketfulError } from '../../foundation/errors.ts';
import type { VolumeId } from '../../foundation/ids.ts';
import type { Reason } from '../../foundation/reason.ts';
import type { DamageRow } from '../../panda/rows/damage-row.ts';
import { VOLUME_CLASSES, type VolumeRow } from '../../panda/rows/volume-row.ts';
import { holdsData } from '../check/look.ts';
import { listDamage } from '../rows/damage.ts';
import { type DriveRows, readDriveRows } from '../rows/drive-states.ts';
import { listVolumes } from '../rows/read-rows.ts';
import { raiseStoreFormat } from '../rows/store-format.ts';
import { newRunId } from '../runs/runs.ts';
import type { VolumeStore } from '../volume-store.ts';
import { type DiscardReport, freeDiscards } from './discards.ts';
import { repairVolume, type VolumeRepaired } from './repair-volume.ts';
import { type PassBudget, repairWithin } from './repair-within.ts';
import { finishReturned, mayHaveReturned } from './returned.ts';
import { byNeed, repairOf, type VolumeRepair } from './what-to-repair.ts';

/** What is to be done, the most urgent first. */
export interface RepairPlan {
  readonly repairs: readonly VolumeRepair[];
  /** Open volumes among them: sealed first. */
  readonly open: readonly VolumeId[];
  /** Sealed volumes with a claim that nothing wants any more: of a repair, or to balance drives. */
  readonly abandoned: readonly VolumeId[];
  readonly bytes: number;
}

export interface RepairOptions extends PassBudget {
  /** What was replaced is erased without its grace. */
  readonly ignoreGrace?: boolean | undefined;
  readonly onPlan?: ((plan: RepairPlan) => void) | undefined;
  readonly onBytes?: ((bytes: number) => void) | undefined;
  readonly onVolume?: ((repaired: VolumeRepaired) => void) | undefined;
}

export interface RepairReport {
  readonly planned: number;
  readonly volumes: number;
  readonly columns: number;
  readonly objects: number;
  readonly writtenBytes: number;
  /** Volumes with something that cannot be made again now. */
  readonly lost: readonly VolumeRepaired[];
  /** Volumes left for another reason: held by a run, drives missing, stopped. */
  readonly left: readonly { readonly volume: VolumeId; readonly reason: Reason }[];
  readonly discards: DiscardReport;
}

/** Changes nothing. */
export async function planRepair(store: VolumeStore): Promise<RepairPlan> {
  const { panda, settings, badRow } = store.components;
  const volumes = await listVolumes(panda, settings.cell, badRow);
  return planOf(volumes, await readDriveRows(store.components), await listDamage(store.components, badRow));
}

/** Pure. */
export function planOf(volumes: readonly VolumeRow[], drives: DriveRows, damage: readonly DamageRow[]): RepairPlan {
  const byVolume = Map.groupBy(damage, ({ volume }) => volume);
  const repairs = volumes
    .filter(holdsData)
    .map((volume) => repairOf(volume, drives, byVolume.get(volume.id) ?? []))
    .filter((repair) => repair !== undefined)
    .filter(({ volume, columns }) => volume.state !== 'open' || columns.some(({ how }) => how === 'move'))
    .sort(byNeed);
  const open = repairs.filter(({ volume }) => volume.state === 'open').map(({ volume }) => volume.id);
  const wanted = new Set(repairs.map(({ volume }) => volume.id));
  const abandoned = volumes
    .filter(
      ({ id, repair, run, state }) =>
        repair !== undefined && run === undefined && state === 'sealed' && !wanted.has(id),
    )
    .map(({ id }) => id);
  return { repairs, open, abandoned, bytes: repairs.reduce((sum, { bytes }) => sum + bytes, 0) };
}

/** Carries out what is planned now. A volume that fails is in the way of no other. */
export async function repairStore(store: VolumeStore, options: RepairOptions = {}): Promise<RepairReport> {
  await store.components.mayWrite?.();
  await raiseStoreFormat(store.components);
  let plan = await planRepair(store);
  if (plan.open.length > 0) {
    for (const cls of VOLUME_CLASSES) await store.open.sealAll(cls, new Set(plan.open));
    plan = await planRepair(store);
  }
  options.onPlan?.(plan);
  const pass = new Pass(store, options);
  for (const repair of plan.repairs) await pass.repair(repair);
  for (const id of plan.abandoned) await repairVolume(store, id, newRunId(store.components, 'repair')).catch(ignoring);
  // What could not be erased when a drive came back.
  for (const row of (await readDriveRows(store.components)).values())
    if (mayHaveReturned(row) && !options.signal?.aborted) await finishReturned(store, row.drive);
  const discards = await freeDiscards(store, options);
  return { planned: plan.repairs.length, ...pass.report(), discards };
}

/** It waits for the next pass. */
function ignoring(error: unknown): void {
  if (!isPocketfulError(error)) throw error;
}

class Pass {
  readonly #store: VolumeStore;
  readonly #options: RepairOptions;
  readonly #done: VolumeRepaired[] = [];
  readonly #lost: VolumeRepaired[] = [];
  readonly #left: { volume: VolumeId; reason: Reason }[] = [];
  /** Columns by drive. */
  readonly #had = new Map<number, number>();
  #writtenBytes = 0;

  constructor(store: VolumeStore, options: RepairOptions) {
    this.#store = store;
    this.#options = options;
  }

  async repair({ volume: { id } }: VolumeRepair): Promise<void> {
    const { onBytes: onObject, onVolume } = this.#options;
    const options = { onObject, had: this.#had };
    const attempted = await repairWithin(this.#store, id, this.#writtenBytes, this.#options, options);
    if ('reason' in attempted) return this.#leave(id, attempted.reason);
    const { done } = attempted;
    this.#writtenBytes += done.writtenBytes;
    onVolume?.(done);
    if (done.left.length > 0) this.#lost.push(done);
    else if (done.skipped !== undefined) this.#leave(id, done.skipped);
    else this.#done.push(done);
  }

  report(): Omit<RepairReport, 'planned' | 'discards'> {
    return {
      volumes: this.#done.length,
      columns: [...this.#done, ...this.#lost].reduce((sum, { columns }) => sum + columns.length, 0),
      objects: [...this.#done, ...this.#lost].reduce((sum, { objects }) => sum + objects, 0),
      writtenBytes: this.#writtenBytes,
      lost: this.#lost,
      left: this.#left,
    };
  }

  #leave(volume: VolumeId, reason: Reason): void {
    this.#left.push({ volume, reason });
  }
}
