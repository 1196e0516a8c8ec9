// The plan of this moment, and what it says of one volume: what `plan`, `explain` and every round of `compact` call.
import { retryLater } from '../../foundation/errors.ts';
import type { VolumeRow } from '../../panda/rows/volume-row.ts';
import type { VolumeStore } from '../../volume/volume-store.ts';
import type { FleetView } from '../facts/fleet.ts';
import { readRates } from '../facts/measured-rates.ts';
import type { PlanSettings } from '../facts/plan-settings.ts';
import { planSettingsFor, snapshotOf } from '../facts/snapshot.ts';
import type { Budgets } from '../plan/budget.ts';
import { explainVolume } from '../plan/explain.ts';
import type { MergePlan } from '../plan/merge-propose.ts';
import type { CompactionPlan, PlannedMerges } from '../plan/plan.ts';
import { planCompaction } from '../plan/planner.ts';
import { THRESHOLD_START } from '../threshold/law.ts';
import { planMergesNow } from './merge-now.ts';

/** Clocks of machines that share a store may differ by this much. */
const CLOCK_SKEW_MAX_MS = 10 * 60_000;

export interface PlanOptions {
  readonly settings?: Partial<PlanSettings>;
  readonly budgets?: Budgets;
  readonly threshold?: number;
  /** The plan says, too, which bucket remnants would be merged before its runs. */
  readonly showMerges?: boolean;
}

/** The plan of this moment. Changes nothing; the same rows give the same bytes. Throws `retry` CLOCK_BEHIND. */
export async function planNow(
  store: VolumeStore,
  options: PlanOptions = {},
): Promise<{ readonly view: FleetView; readonly plan: CompactionPlan }> {
  const view = await currentView(store);
  const { perDay } = await readRates(store.c);
  const plan = planCompaction({
    view,
    settings: planSettingsFor(store.c.settings, { deletesPerDay: [...perDay], ...options.settings }),
    threshold: options.threshold ?? THRESHOLD_START,
    ...(options.budgets === undefined ? {} : { budgets: options.budgets }),
    ...(options.showMerges === true ? { merges: shownMerges(await planMergesNow(store, options)) } : {}),
  });
  return { view, plan };
}

const shownMerges = ({ reason, before, after, blockRows, work, dollars, merges }: MergePlan): PlannedMerges => ({
  reason,
  rowsBefore: before.rows,
  rowsAfter: after.rows,
  rowsPerGibBefore: before.rowsPerGib,
  rowsPerGibAfter: after.rowsPerGib,
  blockRows,
  bytesRead: work.bytesRead,
  metadataWrites: work.metadataWrites,
  dollars,
  buckets: merges.map((merge) => ({
    tier: merge.tier,
    ageClass: merge.ageClass,
    sources: merge.sources.map((source) => ({ ...source })),
    liveBytes: merge.liveBytes,
    blocks: merge.blocks,
    rowsSaved: merge.rowsSaved,
    reason: merge.reason,
  })),
});

/** A clock that went back would make what is old look as if it had just been written, so nothing is planned by it. */
export function currentView(store: VolumeStore, _options: PlanOptions = {}): Promise<FleetView> {
  const nowMs = store.c.clock.nowMs();
  return snapshotOf(store.c, (volume) => refuseClock(nowMs, volume));
}

function refuseClock(nowMs: number, { id, createdAtMs, sealedAtMs }: VolumeRow): void {
  const writtenAtMs = Math.max(createdAtMs, sealedAtMs ?? 0);
  if (writtenAtMs - nowMs <= CLOCK_SKEW_MAX_MS) return;
  throw retryLater(
    'CLOCK_BEHIND',
    `the clock says ${new Date(nowMs).toISOString()}, but volume ${id} was written at ${new Date(writtenAtMs).toISOString()}: set the clock`,
  );
}

/** Lines about one volume: what it is, and what a plan made now would do with it. Throws `missing` VOLUME_UNKNOWN. */
export async function explain(store: VolumeStore, volume: string, options: PlanOptions = {}): Promise<string[]> {
  const { view, plan } = await planNow(store, options);
  return explainVolume(view, plan, volume);
}
