// A pass of REPAIR over a store: what survives least first, within a budget; open volumes with a column on a drive that
// is lost or being emptied are sealed before. What is left, and why, is in the report.
import { isPocketfulError } from '../../foundation/errors.ts';
import type { VolumeId } from '../../foundation/ids.ts';
import { type Reason, reasonOf } from '../../foundation/reason.ts';
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
import { finishReturned, mayHaveReturned } from './returned.ts';
import { byNeed, repairOf, type VolumeRepair } from './what-to-repair.ts';

/** What is to be done, the most urgent first. */
export interface RepairPlan {
  readonly repairs: readonly VolumeRepair[];
  /** Open volumes among them: sealed first. */
  readonly open: readonly VolumeId[];
  readonly bytes: number;
}

export interface RepairOptions {
  /** Stop once so much has been written. */
  readonly bytesMax?: number | undefined;
  /** What was replaced is erased without its grace. */
  readonly ignoreGrace?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
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
  return { repairs, open, bytes: repairs.reduce((sum, { bytes }) => sum + bytes, 0) };
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
  await giveUpClaims(store, plan);
  // What could not be erased when a drive came back.
  for (const row of (await readDriveRows(store.components)).values())
    if (mayHaveReturned(row) && !options.signal?.aborted) await finishReturned(store, row.drive);
  const discards = await freeDiscards(store, options);
  return { planned: plan.repairs.length, ...pass.report(), discards };
}

/** What was claimed for a repair, or to balance drives, that nothing wants any more. */
async function giveUpClaims(store: VolumeStore, { repairs }: RepairPlan): Promise<void> {
  const wanted = new Set(repairs.map(({ volume }) => volume.id));
  const { panda, settings, badRow } = store.components;
  for (const { id, repair, run, state } of await listVolumes(panda, settings.cell, badRow))
    if (repair !== undefined && run === undefined && state === 'sealed' && !wanted.has(id))
      await repairVolume(store, id, newRunId(store.components, 'repair')).catch(ignoring);
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
    const { signal, bytesMax = Number.POSITIVE_INFINITY } = this.#options;
    if (signal?.aborted) return this.#leave(id, { code: 'STOPPED', text: 'stopped' });
    if (this.#writtenBytes >= bytesMax) return this.#leave(id, { code: 'BUDGET_SPENT', text: 'the budget is used up' });
    try {
      const run = newRunId(this.#store.components, 'repair');
      const done = await repairVolume(this.#store, id, run, {
        signal,
        onObject: this.#options.onBytes,
        had: this.#had,
      });
      this.#writtenBytes += done.writtenBytes;
      this.#options.onVolume?.(done);
      if (done.left.length > 0) this.#lost.push(done);
      else if (done.skipped !== undefined) this.#leave(id, done.skipped);
      else this.#done.push(done);
    } catch (error) {
      if (signal?.aborted && error === signal.reason) return this.#leave(id, { code: 'STOPPED', text: 'stopped' });
      if (!isPocketfulError(error) || error.kind === 'denied') throw error;
      this.#leave(id, reasonOf(error));
    }
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
