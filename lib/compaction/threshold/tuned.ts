// One step of the controller as every store takes it, from the volumes of that moment and what the plan before used of
// its budgets. The simulator's stores take the same.
import { type FleetView, sealedTotals } from '../facts/fleet.ts';
import { stepThreshold, type ThresholdState, type ThresholdStep, thresholdSettingsOf } from './law.ts';

export function tunedBy(state: ThresholdState, view: FleetView, budgetUsed: number, nowMs: number): ThresholdStep {
  const { allocatedOverhead: overhead, volumes: sealedVolumes } = sealedTotals(view);
  return stepThreshold(state, { nowMs, overhead, budgetUsed, sealedVolumes }, thresholdSettingsOf());
}
