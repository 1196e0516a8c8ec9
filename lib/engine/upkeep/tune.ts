// The threshold's controller on a store: its state is a row of Panda, its measurement the sealed volumes of this
// moment, and what the compaction before used of its budgets.
import { measureRates } from '../../compaction/facts/measured-rates.ts';
import { snapshotOf } from '../../compaction/facts/snapshot.ts';
import type { ThresholdState, ThresholdStep } from '../../compaction/threshold/law.ts';
import { readBudgetUse, readThreshold, writeBudgetUse, writeThreshold } from '../../compaction/threshold/row.ts';
import { tunedBy } from '../../compaction/threshold/tuned.ts';
import type { Components } from '../../volume/rows/components.ts';

/** The controller's state; its threshold is what plans are made with. */
export const readTuning = async (components: Pick<Components, 'panda'>): Promise<ThresholdState> =>
  (await readThreshold(components)).state;

/** Use of the scarcest budget, 0..1, for the controller's next step. */
export const noteBudgetUsed = (components: Components, used: number): Promise<void> => writeBudgetUse(components, used);

/**
 * One step, and a look at how fast data dies. Safe at any time and twice: steps are per day of clock, and of two at
 * once one wins.
 */
export async function tune(components: Components): Promise<ThresholdStep> {
  const view = await snapshotOf(components);
  await measureRates(components, view);
  const before = await readThreshold(components);
  const step = tunedBy(before.state, view, await readBudgetUse(components), components.clock.nowMs());
  if (step.state === before.state || (await writeThreshold(components, before, step.state))) return step;
  return {
    state: (await readThreshold(components)).state,
    moved: 'kept',
    reason: { code: 'SET_BY_ANOTHER', text: 'somebody else set it meanwhile' },
  };
}
