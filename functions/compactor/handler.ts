// One step of one journalled run, or the end of it. A run that is not done is to be called again.
import * as z from 'zod';
import { releaseJournalled, stepRun } from '../../lib/compaction/run-step.ts';
import type { RunId } from '../../lib/foundation/ids.ts';
import { openTask } from '../deployment.ts';
import { actorsOf, newTask, type OpenTask } from '../task.ts';

const schema = z.object({ run: z.string().min(1), release: z.boolean().default(false) });

export const newCompactor = (open: OpenTask) =>
  newTask(schema, open, async (context, { run, release }) => {
    const id = run as RunId;
    return release ? releaseJournalled(context.store, id) : stepRun(actorsOf(context), id, context.signal);
  });

export const handler = newCompactor(openTask);
