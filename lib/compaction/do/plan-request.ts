// What a plan is made from, of what a store knows: its settings, what an operator has set, how fast data dies, the
// threshold and the budgets. The same for a store and for its twin in the simulator.
import type { StorageClass } from '../../cost/price-book.ts';
import { given } from '../../foundation/given.ts';
import type { Settings } from '../../settings/settings.ts';
import type { FleetView } from '../facts/fleet.ts';
import type { PlanSettings } from '../facts/plan-settings.ts';
import { planSettingsFor } from '../facts/snapshot.ts';
import type { Budgets } from '../plan/budget.ts';
import { type OperatingSettings, plannedOf } from '../plan/operating-settings.ts';
import type { PlanRequest } from '../plan/planner.ts';

export interface Standing {
  readonly settings: Settings;
  /** Of warm volumes: what money is counted by. */
  readonly storageClass?: StorageClass | undefined;
  readonly operating: OperatingSettings;
  /** By age class. */
  readonly deletesPerDay: readonly number[];
  readonly threshold: number;
  readonly budgets: Budgets | undefined;
  /** What a caller asks for, above all else. */
  readonly changes: Partial<PlanSettings> | undefined;
}

export function planRequestOf(view: FleetView, standing: Standing): PlanRequest {
  const { settings, storageClass, operating, deletesPerDay, threshold, budgets, changes } = standing;
  const asked = { ...given({ storageClass }), deletesPerDay: [...deletesPerDay], ...plannedOf(operating), ...changes };
  return {
    view,
    settings: planSettingsFor(settings, asked),
    threshold,
    ...(budgets === undefined ? {} : { budgets }),
  };
}
