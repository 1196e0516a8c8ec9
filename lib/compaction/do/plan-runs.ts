// A plan as rows: every run of it journalled, but leased by nobody, so that workers need no more than its id. Runs that were begun
// and that nobody works on come first; those that were only planned are forgotten and planned anew.
import type { RunId } from '../../foundation/ids.ts';
import { parkedRunId } from '../../volume/runs/runs.ts';
import type { VolumeStore } from '../../volume/volume-store.ts';
import type { CompactionPlan } from '../plan/plan.ts';
import { beginJournal, endJournal, type JournalRow, requireJournal, taskOf, volumesOf } from '../run/journal.ts';
import { readThreshold, writeBudgetUse } from '../threshold/row.ts';
import { planMergesNow } from './merge-now.ts';
import { type PlanOptions, planNow } from './rounds.ts';
import { isFree } from './run-step.ts';

export interface PlannedRuns {
  readonly runs: readonly RunId[];
  /** Of `runs`: begun earlier. */
  readonly resumed: number;
  readonly plan: CompactionPlan;
}

const BATCHED = ['l1', 'l2'] as const;
type Batched = (typeof BATCHED)[number];

export async function planRuns(
  store: VolumeStore,
  runsMax: number,
  options: Omit<PlanOptions, 'settings'> & { readonly strategies?: readonly Batched[] } = {},
): Promise<PlannedRuns> {
  const { c } = store;
  const { strategies = BATCHED, ...rest } = options;
  const begun = await begunRuns(store);
  const { state } = await readThreshold(c);
  const { view, plan } = await planNow(store, {
    threshold: state.threshold,
    ...rest,
    settings: { strategies: [...strategies] },
  });
  const merge = options.strategies === undefined && view.count > 0 ? await beginMerge(store, begun) : undefined;
  const runs = await beginPlan(store, plan, merge === undefined ? begun : [...begun, merge], runsMax);
  await writeBudgetUse(c, plan.budgetUsed);
  return { runs, resumed: Math.min(begun.length, runsMax), plan };
}

/** Bucket remnants to be merged, as one run; undefined when there are none. What it merges is planned when it is done. */
export async function beginMerge(store: VolumeStore, begun: readonly JournalRow[]): Promise<JournalRow | undefined> {
  const { merges, volumes, digest } = await planMergesNow(store);
  const taken = new Set<string>(begun.flatMap(({ task }) => volumesOf(task)));
  const sources = volumes.map(({ volume }) => volume).filter((volume) => !taken.has(volume));
  if (merges.length === 0 || sources.length === 0) return undefined;
  const task = { strategy: 'merge' as const, plan: digest, name: 'merge-0001', host: null, sources };
  return beginJournal(store.c, parkedRunId(store.c, 'merge'), task);
}

/** Ids of the runs begun earlier, and of those of a plan that do not touch their volumes; L3 is the drainer's. */
export async function beginPlan(
  store: VolumeStore,
  plan: CompactionPlan,
  begun: readonly JournalRow[],
  runsMax = Number.POSITIVE_INFINITY,
): Promise<RunId[]> {
  const taken = new Set<string>(begun.flatMap(({ task }) => volumesOf(task)));
  const runs: RunId[] = begun.map(({ id }) => id).slice(0, runsMax);
  for (const run of plan.runs) {
    if (runs.length >= runsMax) break;
    if (run.strategy === 'l3') continue;
    const volumes = [run.host, ...run.sources].flatMap((one) => (one === null ? [] : [one.volume]));
    if (volumes.some((volume) => taken.has(volume))) continue;
    const { id } = await beginJournal(store.c, parkedRunId(store.c, run.strategy), taskOf(plan.digest, run));
    runs.push(id);
  }
  return runs;
}

/** Begun by a step that ended or died. Those that were only planned are forgotten. */
export async function begunRuns(store: VolumeStore): Promise<JournalRow[]> {
  const begun: JournalRow[] = [];
  for (const journal of await requireJournal(store.c)) {
    if (journal.task.strategy === 'l3' || !isFree(store, journal)) continue;
    if (journal.phase === 'PREPARE' && journal.run === journal.id) await endJournal(store.c, journal);
    else begun.push(journal);
  }
  return begun;
}
