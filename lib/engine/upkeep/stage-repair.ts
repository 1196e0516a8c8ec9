// REPAIR of a stage, in steps that fit the time of a function. The planner puts passes among the runs of its plan; the
// state machine calls a compactor for each, again until it is done. Passes are all alike: each goes through the same
// list, the most urgent first, and leaves what another one holds; so any number of them, and a command beside them, do
// the work once. A step that is cut off leaves what it has copied, and the next one finds it.
import { endLostLeases } from '../../compaction/do/end-runs.ts';
import { readOperating } from '../../compaction/run/operating-row.ts';
import type { RunId } from '../../foundation/ids.ts';
import { REPAIR_LINES_MAX, REPAIRERS_AT_ONCE } from '../../limits/stage.ts';
import { planRepair, type RepairOptions, type RepairReport } from '../../volume/repair/repair-store.ts';
import { listDiscards } from '../../volume/repair/replaced-extents.ts';
import { hasUnfinishedReturn } from '../../volume/repair/returned.ts';
import type { VolumeStore } from '../../volume/volume-store.ts';
import { readTallies, totalOf } from '../status/tally.ts';
import { repairPass } from './repair.ts';

const PREFIX = 'repair/pass/';

/** A pass of the state machine, not a run that holds volumes: those are the steps' own. */
export const isRepairPass = (run: string): boolean => run.startsWith(PREFIX);

/** Whom an operator's command names: the steps of it are like all others. */
export const OPERATORS_PASS = `${PREFIX}0` as RunId;

/** Passes that are worth an invocation now; none on a store where nothing is missing and nothing waits. */
export async function plannedPasses(store: VolumeStore): Promise<RunId[]> {
  const { repairs } = await planRepair(store);
  const waits = (await listDiscards(store)).length > 0 || (await hasUnfinishedReturn(store));
  const passes = Math.min(REPAIRERS_AT_ONCE, Math.max(repairs.length, waits ? 1 : 0));
  return Array.from({ length: passes }, (_, i) => `${PREFIX}${i + 1}` as RunId);
}

export interface RepairStep extends RepairReport {
  readonly run: RunId;
  /** False: the time was used up in the middle, and another step goes on. */
  readonly done: boolean;
}

export interface RepairStepOptions extends Pick<RepairOptions, 'bytesMax' | 'ignoreGrace' | 'onVolume'> {
  readonly signal: AbortSignal;
  /** Of what the schedule writes in a day (UTC), all its passes together; undefined: as much as there is. */
  readonly bytesPerDayMax?: number | undefined;
}

/** Of lists at most so many lines, as the answer is the state of an execution. */
export async function repairStep(store: VolumeStore, run: RunId, options: RepairStepOptions): Promise<RepairStep> {
  const { signal, ignoreGrace, onVolume } = options;
  await endLostLeases(store);
  const bytesMax = options.bytesMax ?? (await leftToRepair(store, options.bytesPerDayMax));
  const report = await repairPass(store, { bytesMax, ignoreGrace, signal, onVolume });
  const { discards, lost, left } = report;
  // Who can do nothing in all the time there is will not do better the next time: the next plan comes to it again.
  const hasMoved = report.writtenBytes + report.volumes + discards.freedZones + discards.givenUpZones > 0;
  return {
    ...report,
    run,
    done: !signal.aborted || !hasMoved,
    lost: lost.slice(0, REPAIR_LINES_MAX).map((one) => ({ ...one, left: one.left.slice(0, REPAIR_LINES_MAX) })),
    left: left.slice(0, REPAIR_LINES_MAX),
    discards: { ...discards, kept: discards.kept.slice(0, REPAIR_LINES_MAX) },
  };
}

/** Of what a schedule may write in a day (UTC), as set, or else as deployed; undefined: not limited. */
export async function leftToRepair(
  { components }: VolumeStore,
  deployedBytesPerDay?: number,
): Promise<number | undefined> {
  const { repairBytesPerDay: set = deployedBytesPerDay ?? null } = await readOperating(components);
  if (set === null) return undefined;
  return Math.max(0, set - totalOf(await readTallies(components, 1)).repairedBytes);
}

/** What a pass that gave up leaves: nothing, as its steps give back what they hold. */
export const endedPass = (run: RunId): RepairStep => ({
  run,
  done: true,
  planned: 0,
  volumes: 0,
  columns: 0,
  objects: 0,
  writtenBytes: 0,
  lost: [],
  left: [],
  discards: { freedZones: 0, givenUpZones: 0, kept: [] },
});
