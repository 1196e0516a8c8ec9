// One pass of L3's drainer: retires what is empty, and fills the queue as far as flow control lets it.
import * as z from 'zod';
import { drainPass } from '../../lib/compaction/drain-runs.ts';
import { addTally } from '../../lib/engine/tally.ts';
import { openTask } from '../deployment.ts';
import { newTask, type OpenTask } from '../task.ts';

export const newDrainer = (open: OpenTask) =>
  newTask(z.object({}), open, async ({ store, stream, signal }) => {
    const report = await drainPass(store, stream, { signal });
    await addTally(store.c, { 'l3.runs': report.ended, 'l3.reclaimed': report.retired });
    return report;
  });

export const handler = newDrainer(openTask);
