// Merges of a store: its rows as the planner sees them, the plan of this moment, and the journalled run that carries it out or goes on with a
// dead one.
import { dollarsOf } from '../../cost/cost-of.ts';
import { PRICE_BOOK } from '../../cost/price-book.ts';
import type { VolumeRow } from '../../panda/rows/volume-row.ts';
import type { Components } from '../../volume/rows/components.ts';
import { listBuckets, listVolumes } from '../../volume/rows/read-rows.ts';
import { newRunId } from '../../volume/runs/runs.ts';
import type { VolumeStore } from '../../volume/volume-store.ts';
import { type MergeSettings, mergeSettingsFor } from '../facts/merge-settings.ts';
import type { PlanSettings } from '../facts/plan-settings.ts';
import { type RemnantView, remnantViewOf } from '../facts/remnants.ts';
import { fleetVolumeOf, planSettingsFor } from '../facts/snapshot.ts';
import { type MergeTally, type MergeTask, mergeSources } from '../move/merge.ts';
import { BUDGET_LINES, type Budgets, type Spending } from '../plan/budget.ts';
import { type MergeBudget, type MergePlan, planMerges } from '../plan/merge-propose.ts';
import { pricingOf } from '../plan/work.ts';
import { advance, beginJournal, endJournal, type JournalRow } from '../run/journal.ts';
import { isSkipped, leasePlanned, type Skipped } from '../run/leases.ts';
import type { MergeFigures, RunReport } from './executor.ts';

/** Most of each budget that merging may use: the strategies that free space come first. */
const MERGE_SHARE = 0.2;

export interface MergeOptions {
  readonly settings?: Partial<PlanSettings>;
  readonly merging?: Partial<MergeSettings>;
  readonly budgets?: Budgets;
}

/** One read of all volume rows, then one of all bucket rows. Volumes of one's `own` run count as free, an open hot one as hot. */
async function remnantsOf(c: Components, own?: ReadonlySet<string>): Promise<RemnantView> {
  const { panda, settings } = c;
  const nowMs = c.clock.nowMs();
  const volumes = (await listVolumes(panda, settings.cell, c.badRow)).map((volume) => {
    const seen = fleetVolumeOf(settings, volume, 0, nowMs);
    const isHot = volume.class === 'hot' && settings.hotCodec !== settings.warmCodec;
    if (isHot && seen.state === 'open') return { ...seen, state: 'hot' as const };
    return own?.has(volume.id) === true ? { ...seen, state: 'sealed' as const } : seen;
  });
  return remnantViewOf(c.storeId, settings.cell, volumes, await listBuckets(panda, settings.cell, c.badRow));
}

/** The plan of this moment. Changes nothing; the same rows give the same bytes. */
export async function planMergesNow(store: VolumeStore, options: MergeOptions = {}): Promise<MergePlan> {
  const { c } = store;
  return planMerges({
    view: await remnantsOf(c),
    settings: mergeSettingsFor(c.settings, options.merging),
    codec: c.settings.warmCodec,
    plan: planSettingsFor(c.settings, options.settings),
    ...(options.budgets === undefined ? {} : { budget: shareOf(options.budgets) }),
  });
}

const shareOf = (budgets: Budgets): MergeBudget =>
  Object.fromEntries(
    BUDGET_LINES.map((line) => [line, budgets[line] === null ? null : budgets[line] * MERGE_SHARE]),
  ) as unknown as MergeBudget;

/** One run from its journal's first row to its last. The caller has looked whether there is anything in it. */
export async function executeMerges(
  store: VolumeStore,
  plan: MergePlan,
  options: MergeOptions & { readonly signal?: AbortSignal } = {},
): Promise<RunReport> {
  const { c } = store;
  const sources = plan.volumes.map(({ volume }) => volume);
  const task = { strategy: 'merge' as const, plan: plan.digest, name: 'merge-0001', host: null, sources };
  const journal = await beginJournal(c, newRunId(c, 'merge'), task);
  const volumes: VolumeRow[] = [];
  const skipped: Skipped[] = [];
  for (const planned of plan.volumes) {
    const taken = await leasePlanned(store, journal.run, planned);
    if (isSkipped(taken)) skipped.push(taken);
    else volumes.push(taken);
  }
  const tasks = plan.merges.map((merge) => merge.sources);
  const tally = await goOn(store, journal, volumes, tasks, options.signal);
  return reportOf(store, plan, tally, skipped, options);
}

async function goOn(
  store: VolumeStore,
  journal: JournalRow,
  volumes: readonly VolumeRow[],
  tasks: readonly MergeTask[],
  signal: AbortSignal | undefined,
): Promise<MergeTally> {
  const copying = (await advance(store.c, journal, { phase: 'COPY' })) ?? journal;
  const tally = await mergeSources(store, copying.run, volumes, tasks, signal);
  await endJournal(store.c, copying);
  return tally;
}

/** What a dead process left to merge in the volumes that were taken over from it: planned anew, as its own plan has become old. */
export async function resumeMerge(
  store: VolumeStore,
  journal: JournalRow,
  volumes: readonly VolumeRow[],
  signal: AbortSignal | undefined,
): Promise<MergeTally> {
  const { c } = store;
  const own = new Set<string>(volumes.map(({ id }) => id));
  const plan = planMerges({
    view: await remnantsOf(c, own),
    settings: mergeSettingsFor(c.settings, { rowsPerGibMax: Number.MIN_VALUE }),
    codec: c.settings.warmCodec,
    plan: planSettingsFor(c.settings),
  });
  const tasks = plan.merges.map(({ sources }) => sources.filter(({ volume }) => own.has(volume)));
  return goOn(store, journal, volumes, tasks, signal);
}

async function reportOf(
  store: VolumeStore,
  plan: MergePlan,
  tally: MergeTally,
  skipped: readonly Skipped[],
  options: MergeOptions,
): Promise<RunReport> {
  const settings = planSettingsFor(store.c.settings, options.settings);
  const work = {
    ...plan.work,
    bytesRead: tally.recordBytes,
    bytesWritten: tally.storedBytes,
    metadataWrites: tally.metadataWrites,
  };
  const after = await planMergesNow(store, options);
  const merge: MergeFigures = {
    buckets: tally.buckets,
    remnants: tally.remnants,
    blockRows: tally.blockRows,
    rowsDropped: tally.rowsDropped,
    blockRowsPerBucket: tally.buckets === 0 ? 0 : tally.blockRows / tally.buckets,
    rowsPerGibBefore: plan.before.rowsPerGib,
    rowsPerGibAfter: after.before.rowsPerGib,
  };
  return {
    name: 'merge-0001',
    strategy: 'merge',
    retired: tally.retired,
    destinations: tally.destinations.size,
    destinationVolumes: [...tally.destinations],
    movedBuckets: tally.remnants,
    movedBytes: tally.recordBytes,
    hostBytes: 0,
    storedBytes: tally.storedBytes,
    metadataWrites: tally.metadataWrites,
    dollars: dollarsOf(work, pricingOf(settings, PRICE_BOOK)).total,
    skipped: [...skipped, ...tally.skipped],
    stalled: tally.stalled,
    merge,
  };
}

/** What a merge took of the budgets; requests and compute time as planned. */
export const spentByMerge = (plan: MergePlan, report: RunReport): Spending => ({
  bytesRead: report.movedBytes,
  bytesWritten: report.storedBytes,
  metadataWrites: report.metadataWrites,
  requests: plan.work.getRequests + plan.work.putRequests,
  computeMs: plan.work.computeMs,
  dollars: report.dollars,
});
