// One step of one journalled run, or the end of it. A run that is not done is to be called again.
import * as z from 'zod';
import { releaseJournalled, type StepReport, stepRun } from '../../lib/compaction/do/run-step.ts';
import { addTally, type Counts, TALLIED } from '../../lib/engine/status/tally.ts';
import type { RunId } from '../../lib/foundation/ids.ts';
import { openTask } from '../deployment.ts';
import { actorsOf, newTask, type OpenTask } from '../task.ts';

const schema = z.object({ run: z.string().min(1), release: z.boolean().default(false) });

export const newCompactor = (open: OpenTask) =>
  newTask(schema, open, async (context, { run, release }) => {
    const id = run as RunId;
    if (release) return releaseJournalled(context.store, id);
    const report = await stepRun(actorsOf(context), id, context.signal);
    await addTally(context.store.c, tallyOf(report));
    return report;
  });

function tallyOf(report: StepReport): Counts {
  const strategy = TALLIED.find((one) => report.run.startsWith(`${one}/`)) ?? 'l2';
  return {
    [`${strategy}.runs`]: report.done ? 1 : 0,
    [`${strategy}.reclaimed`]: report.retired,
    [`${strategy}.movedBytes`]: report.movedBytes + report.hostBytes,
    [`${strategy}.storedBytes`]: report.storedBytes,
    [`${strategy}.buckets`]: report.movedBuckets,
    [`${strategy}.metadataWrites`]: report.metadataWrites,
    [`${strategy}.nanodollars`]: report.dollars * 1e9,
  };
}

export const handler = newCompactor(openTask);
