// Merges of a store: its rows as the planner sees them, and the plan of this moment.

import { given } from '../../foundation/given.ts';
import type { Components } from '../../volume/rows/components.ts';
import { listBuckets, listVolumes } from '../../volume/rows/read-rows.ts';
import type { VolumeStore } from '../../volume/volume-store.ts';
import { type MergeSettings, mergeSettingsFor } from '../facts/merge-settings.ts';
import type { PlanSettings } from '../facts/plan-settings.ts';
import { type RemnantView, remnantViewOf } from '../facts/remnants.ts';
import { fleetVolumeOf, planSettingsFor } from '../facts/snapshot.ts';
import { BUDGET_LINES, type Budgets } from '../plan/budget.ts';
import type { MergeBudget, MergePlan } from '../plan/merges/merge-plan.ts';
import { planMerges } from '../plan/merges/merge-propose.ts';

/** Most of each budget that merging may use: the strategies that free space come first. */
const MERGE_SHARE = 0.2;

export interface MergeOptions {
  readonly settings?: Partial<PlanSettings>;
  readonly merging?: Partial<MergeSettings>;
  readonly budgets?: Budgets;
}

/** One read of all volume rows, then one of all bucket rows. An open hot volume counts as hot. */
async function remnantsOf(components: Components): Promise<RemnantView> {
  const { panda, settings } = components;
  const nowMs = components.clock.nowMs();
  const volumes = (await listVolumes(panda, settings.cell, components.badRow)).map((volume) => {
    const seen = fleetVolumeOf(settings, volume, 0, nowMs);
    const isHot = volume.class === 'hot' && settings.hotCodec !== settings.warmCodec;
    return isHot && seen.state === 'open' ? { ...seen, state: 'hot' as const } : seen;
  });
  return remnantViewOf(
    components.storeId,
    settings.cell,
    volumes,
    await listBuckets(panda, settings.cell, components.badRow),
  );
}

/** The plan of this moment. Changes nothing; the same rows give the same bytes. */
export async function planMergesNow(store: VolumeStore, options: MergeOptions = {}): Promise<MergePlan> {
  const { components } = store;
  return planMerges({
    view: await remnantsOf(components),
    settings: mergeSettingsFor(components.settings, options.merging),
    codec: components.settings.warmCodec,
    plan: planSettingsFor(components.settings, {
      ...given({ storageClass: components.warmClass }),
      ...options.settings,
    }),
    ...(options.budgets === undefined ? {} : { budget: shareOf(options.budgets) }),
  });
}

const shareOf = (budgets: Budgets): MergeBudget =>
  Object.fromEntries(
    BUDGET_LINES.map((line) => [line, budgets[line] === null ? null : budgets[line] * MERGE_SHARE]),
  ) as unknown as MergeBudget;
