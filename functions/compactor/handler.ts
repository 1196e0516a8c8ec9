// One step of one journalled run, or the end of it. A run that is not done is to be called again.
import * as z from 'zod';
import { releaseJournalled, stepRun } from '../../lib/compaction/do/run-step.ts';
import { charge } from '../../lib/compaction/run/period.ts';
import { addTally } from '../../lib/engine/status/tally.ts';
import { strategyOf, tallyOf } from '../../lib/engine/upkeep/compaction.ts';
import type { RunId } from '../../lib/foundation/ids.ts';
import { openTask } from '../deployment.ts';
import { actorsOf, newTask, type OpenTask } from '../task.ts';

const schema = z.object({ run: z.string().min(1), release: z.boolean().default(false) });

export const newCompactor = (open: OpenTask) =>
  newTask(schema, open, async (context, { run, release }) => {
    const id = run as RunId;
    if (release) return releaseJournalled(context.store, id);
    const report = await stepRun(actorsOf(context), id, context.signal);
    await addTally(context.store.components, tallyOf(strategyOf(report.run), report, report.done));
    await charge(context.store.components, report.spent);
    return report;
  });

export const handler = newCompactor(openTask);
