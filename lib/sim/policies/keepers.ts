// The policies that are compared: a store under its schedules as shipped, with some settings changed or not, and the
// same store with a threshold that stands still. All plan through what a store's schedules call.

import { planRequestOf } from '../../compaction/do/plan-request.ts';
import { type FleetView, sealedTotals } from '../../compaction/facts/fleet.ts';
import { ASSUMED_RATES, learn } from '../../compaction/facts/measured-rates.ts';
import type { PlanSettings } from '../../compaction/facts/plan-settings.ts';
import { budgetsFor } from '../../compaction/plan/operating-settings.ts';
import type { CompactionPlan } from '../../compaction/plan/plan.ts';
import type { PlanRequest } from '../../compaction/plan/planner.ts';
import { isShort } from '../../compaction/plan/selector.ts';
import { THRESHOLD_START, type ThresholdState, thresholdStart } from '../../compaction/threshold/law.ts';
import { tunedBy } from '../../compaction/threshold/tuned.ts';
import type { Settings } from '../../settings/settings.ts';
import type { Keeper } from '../fleet/world.ts';

export interface Choice {
  readonly changes?: Partial<PlanSettings>;
  /** Stands still; unless told, the controller sets it. */
  readonly threshold?: number;
}

export class StoreKeeper implements Keeper {
  readonly #settings: Settings;
  readonly #periodMs: number;
  readonly #choice: Choice;
  #state: ThresholdState = thresholdStart(THRESHOLD_START);
  #look: { readonly atMs: number; readonly learnt: ReturnType<typeof learn> } | undefined;
  #budgetUsed = 0;

  constructor(settings: Settings, periodMs: number, choice: Choice) {
    this.#settings = settings;
    this.#periodMs = periodMs;
    this.#choice = choice;
  }

  get threshold(): number {
    return this.#choice.threshold ?? this.#state.threshold;
  }

  request(view: FleetView): PlanRequest {
    return planRequestOf(view, {
      settings: this.#settings,
      operating: {},
      deletesPerDay: (this.#look?.learnt ?? ASSUMED_RATES).perDay,
      threshold: this.threshold,
      budgets: budgetsFor({}, sealedTotals(view).liveBytes, this.#periodMs),
      changes: this.#choice.changes,
    });
  }

  planned(plan: CompactionPlan): void {
    this.#budgetUsed = isShort(plan) ? 1 : plan.budgetUsed;
  }

  tune(view: FleetView, nowMs: number): void {
    this.#look = { atMs: nowMs, learnt: learn(this.#look, view, nowMs) };
    this.#state = tunedBy(this.#state, view, this.#budgetUsed, nowMs).state;
  }
}
