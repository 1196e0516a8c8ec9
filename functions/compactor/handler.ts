// One step of one journalled run or of a pass of repair, or the end of it. What is not done is to be called again.
import * as z from 'zod';
import { releaseJournalled, stepRun } from '../../lib/compaction/do/run-step.ts';
import { charge } from '../../lib/compaction/run/period.ts';
import { addTally } from '../../lib/engine/status/tally.ts';
import { strategyOf, tallyOf } from '../../lib/engine/upkeep/compaction.ts';
import { endedPass, isRepairPass, repairStep } from '../../lib/engine/upkeep/stage-repair.ts';
import type { RunId } from '../../lib/foundation/ids.ts';
import { openTask } from '../deployment.ts';
import { actorsOf, newTask, type OpenTask } from '../task.ts';

const schema = z.object({
  run: z.string().min(1),
  release: z.boolean().default(false),
  /** Of a pass of repair that an operator asks for: instead of the day's budget. */
  bytesMax: z.number().positive().optional(),
  ignoreGrace: z.boolean().optional(),
});

export const newCompactor = (open: OpenTask) =>
  newTask(schema, open, async (context, { run, release, ...repair }) => {
    const id = run as RunId;
    if (isRepairPass(run)) {
      if (release) return endedPass(id);
      const { store, signal, repairBytesPerDay: bytesPerDayMax } = context;
      return repairStep(store, id, { ...repair, signal, bytesPerDayMax });
    }
    if (release) return releaseJournalled(context.store, id);
    const report = await stepRun(actorsOf(context), id, context.signal);
    await addTally(context.store.components, tallyOf(strategyOf(report.run), report, report.done));
    await charge(context.store.components, report.spent);
    return report;
  });

export const handler = newCompactor(openTask);
