// The plan of this moment, and what it says of one volume: what `plan`, `explain` and every round of `compact` call.

import { retryLater } from '../../foundation/errors.ts';
import type { Reason } from '../../foundation/reason.ts';
import { isAhead } from '../../limits/clock-skew.ts';
import type { VolumeRow } from '../../panda/rows/volume-row.ts';
import type { VolumeStore } from '../../volume/volume-store.ts';
import type { FleetView } from '../facts/fleet.ts';
import { readRates } from '../facts/measured-rates.ts';
import type { PlanSettings } from '../facts/plan-settings.ts';
import { snapshotOf } from '../facts/snapshot.ts';
import type { Budgets } from '../plan/budget.ts';
import { explainVolume } from '../plan/explain.ts';
import type { MergePlan } from '../plan/merges/merge-plan.ts';
import type { OperatingSettings } from '../plan/operating-settings.ts';
import type { CompactionPlan, PlannedMerges } from '../plan/plan.ts';
import { planCompaction } from '../plan/planner.ts';
import { readOperating } from '../run/operating-row.ts';
import { THRESHOLD_START } from '../threshold/law.ts';
import { planMergesNow } from './merge-now.ts';
import { planRequestOf, type Standing } from './plan-request.ts';

export interface PlanOptions {
  readonly settings?: Partial<PlanSettings>;
  readonly budgets?: Budgets;
  readonly threshold?: number;
  /** The volumes of this moment, where they are known already. */
  readonly view?: FleetView;
  /** What an operator has set, where it is known already. */
  readonly operating?: OperatingSettings;
  /** Plan by the clock although it is behind most of what the store holds. */
  readonly acceptClock?: boolean;
  /** The plan says, too, which bucket remnants would be merged before its runs. */
  readonly showMerges?: boolean;
}

/** The plan of this moment. Changes nothing; the same rows give the same bytes. Throws `retry` CLOCK_BEHIND. */
export async function planNow(
  store: VolumeStore,
  options: PlanOptions = {},
): Promise<{ readonly view: FleetView; readonly plan: CompactionPlan }> {
  const view = options.view ?? (await currentView(store, options));
  const { perDay } = await readRates(store.components);
  const standing: Standing = {
    settings: store.components.settings,
    storageClass: store.components.warmClass,
    operating: options.operating ?? (await readOperating(store.components)),
    deletesPerDay: perDay,
    threshold: options.threshold ?? THRESHOLD_START,
    budgets: options.budgets,
    changes: options.settings,
  };
  const plan = planCompaction({
    ...planRequestOf(view, standing),
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

/**
 * The volumes as the planners see them. A clock that went back would make what is old look as if it had just been
 * written: nothing is planned by it (`retry` CLOCK_BEHIND) unless it is accepted. It is the clock's fault if more than
 * half of the volumes are from its future; a few that are have met a clock that jumped, and count as written now.
 */
export async function currentView(store: VolumeStore, { acceptClock = false }: PlanOptions = {}): Promise<FleetView> {
  const nowMs = store.components.clock.nowMs();
  const ahead: VolumeRow[] = [];
  let seen = 0;
  const view = await snapshotOf(store.components, (volume) => {
    seen += 1;
    if (isAhead(writtenAtMs(volume), nowMs)) ahead.push(volume);
  });
  const [latest] = ahead.sort((a, b) => writtenAtMs(b) - writtenAtMs(a));
  if (latest !== undefined && ahead.length * 2 > seen && !acceptClock) throw clockBehind(nowMs, latest, ahead.length);
  return view;
}

const writtenAtMs = ({ createdAtMs, sealedAtMs }: VolumeRow): number => Math.max(createdAtMs, sealedAtMs ?? 0);

const clockBehind = (nowMs: number, latest: VolumeRow, count: number): Error =>
  retryLater(
    'CLOCK_BEHIND',
    `the clock says ${dateText(nowMs)}, but ${count} volumes were written later, such as ${latest.id} at ${dateText(writtenAtMs(latest))}: set the clock, or, if it is right now and was wrong then, say --accept-clock`,
  );

/** Also of times that no calendar knows. */
const dateText = (ms: number): string => (Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : `${ms} ms`);

/** Lines about one volume: what it is, and what a plan made now would do with it. Throws `missing` VOLUME_UNKNOWN. */
export async function explain(store: VolumeStore, volume: string, options: PlanOptions = {}): Promise<Reason[]> {
  const { view, plan } = await planNow(store, options);
  return explainVolume(view, plan, volume);
}
