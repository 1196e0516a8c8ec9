// A whole recovery on paper: a plan a round under a byte budget, carried out, and planned again, until the target overhead.

import { type FleetView, fleetOf, sealedTotals } from '../../lib/compaction/facts/fleet.ts';
import { type Objective, planSettingsOf } from '../../lib/compaction/facts/plan-settings.ts';
import { budgetsOf } from '../../lib/compaction/plan/budget.ts';
import { planCompaction } from '../../lib/compaction/plan/planner.ts';
import { applyOnPaper, bytesMoved, overheadOf } from './fleets.ts';

export interface Recovery {
  readonly rounds: number;
  /** Bytes moved over live bytes. */
  readonly moved: number;
  readonly overhead: number;
}

export function recover(view: FleetView, objective: Objective, targetOverhead: number, roundsMax: number): Recovery {
  const { liveBytes } = sealedTotals(view);
  const settings = planSettingsOf({ objective, targetOverhead });
  const budgets = budgetsOf({ bytesRead: 0.01 * liveBytes });
  let now = view;
  let moved = 0;
  for (let rounds = 1; ; rounds++) {
    const plan = planCompaction({ view: now, settings, threshold: 0.1, budgets });
    const volumes = applyOnPaper(now, plan);
    moved += bytesMoved(plan);
    const overhead = overheadOf(volumes);
    // The planner stops at the target of sealed volumes; an open stream may keep the whole a hair above it.
    if (overhead <= targetOverhead || plan.runs.length === 0 || rounds === roundsMax)
      return { rounds, moved: moved / liveBytes, overhead };
    now = fleetOf(view.store, view.cell, volumes);
  }
}
