// What runs report: one step of a run, and a whole run. Charged is what was done, never what was planned.
import { dollarsOf } from '../../cost/cost-of.ts';
import { PRICE_BOOK } from '../../cost/price-book.ts';
import type { RunId, VolumeId } from '../../foundation/ids.ts';
import type { Reason } from '../../foundation/reason.ts';
import type { Settings } from '../../settings/settings.ts';
import type { Strategy } from '../facts/plan-settings.ts';
import { planSettingsFor } from '../facts/snapshot.ts';
import { addSpending, NOTHING_SPENT, type Spending, spendingOf } from '../plan/budget.ts';
import { pricingOf, workOf } from '../plan/work.ts';
import type { Skipped } from './leases.ts';

/** What a step, or all steps of a run, came to. */
export interface Outcome {
  /** Volumes emptied and retired. */
  readonly retired: number;
  readonly destinationVolumes: readonly VolumeId[];
  readonly movedBuckets: number;
  readonly movedBytes: number;
  /** Live bytes of an L1 host, copied although they stay in it. */
  readonly hostBytes: number;
  readonly storedBytes: number;
  /** What it took of the budgets. */
  readonly spent: Spending;
  /** Volumes of the plan left alone, and why. */
  readonly skipped: readonly Skipped[];
  /** Why it ended before everything was moved. */
  readonly stalled: Reason | undefined;
  /** Of a merge only. */
  readonly merged?: MergeCounts | undefined;
}

export interface StepReport extends Outcome {
  readonly run: RunId;
  /** False: call again, there is more to move and nothing stands in the way. */
  readonly done: boolean;
}

/** Of bucket remnants. */
export interface MergeCounts {
  /** New buckets. */
  readonly buckets: number;
  /** Remnants that were copied into them. */
  readonly remnants: number;
  readonly blockRows: number;
  /** Of remnants and empty buckets. */
  readonly rowsDropped: number;
}

/** What a merge of bucket remnants took and saved. */
export interface MergeFigures extends MergeCounts {
  readonly blockRowsPerBucket: number;
  readonly rowsPerGibBefore: number;
  readonly rowsPerGibAfter: number;
}

export interface RunReport extends Omit<Outcome, 'merged'> {
  readonly name: string;
  readonly strategy: Strategy | 'merge';
  readonly destinations: number;
  readonly metadataWrites: number;
  readonly dollars: number;
  readonly merge?: MergeFigures;
}

export const NO_OUTCOME: Outcome = Object.freeze({
  retired: 0,
  destinationVolumes: [],
  movedBuckets: 0,
  movedBytes: 0,
  hostBytes: 0,
  storedBytes: 0,
  spent: NOTHING_SPENT,
  skipped: [],
  stalled: undefined,
});

/** A run's steps together; how it ended is what the last one says. */
export const addOutcome = (a: Outcome, b: Outcome): Outcome => ({
  retired: a.retired + b.retired,
  destinationVolumes: [...new Set([...a.destinationVolumes, ...b.destinationVolumes])],
  movedBuckets: a.movedBuckets + b.movedBuckets,
  movedBytes: a.movedBytes + b.movedBytes,
  hostBytes: a.hostBytes + b.hostBytes,
  storedBytes: a.storedBytes + b.storedBytes,
  spent: addSpending(a.spent, b.spent),
  skipped: [...a.skipped, ...b.skipped],
  stalled: b.stalled,
  merged: b.merged ?? a.merged,
});

export const runReportOf = (
  name: string,
  strategy: RunReport['strategy'],
  { merged: _, ...outcome }: Outcome,
): RunReport => ({
  name,
  strategy,
  ...outcome,
  destinations: outcome.destinationVolumes.length,
  metadataWrites: outcome.spent.metadataWrites,
  dollars: outcome.spent.dollars,
});

export interface Done {
  readonly copiedBytes: number;
  readonly storedBytes: number;
  readonly copiedBuckets: number;
  readonly retired: number;
  readonly destinations: number;
  readonly queued: boolean;
  /** Where it was counted row by row. */
  readonly metadataWrites?: number;
}

/** What was done as what budgets count. */
export function spentOn(settings: Settings, done: Done): Spending {
  if (done.copiedBytes + done.retired + (done.metadataWrites ?? 0) === 0) return NOTHING_SPENT;
  const plan = planSettingsFor(settings);
  const work = {
    ...workOf(
      {
        codec: settings.warmCodec,
        copiedBytes: done.copiedBytes,
        copiedBuckets: done.copiedBuckets,
        movedBuckets: done.copiedBuckets,
        freedVolumes: done.retired,
        newVolumes: done.destinations,
        queued: done.queued,
      },
      plan,
    ),
    bytesWritten: done.storedBytes,
    ...(done.metadataWrites === undefined ? {} : { metadataWrites: done.metadataWrites }),
  };
  return spendingOf(work, dollarsOf(work, pricingOf(plan, PRICE_BOOK)).total);
}
