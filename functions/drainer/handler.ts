// One pass of L3's drainer: retires what is empty, and fills the queue as far as flow control lets it.
import * as z from 'zod';
import { drainPass } from '../../lib/compaction/do/drainer.ts';
import { addTally } from '../../lib/engine/status/tally.ts';
import { openTask } from '../deployment.ts';
import { newTask, type OpenTask } from '../task.ts';

/**
 * `l3UpTo`: fills up to which volumes are drained, if not the planner's own. `begin: false`: only what was begun is
 * worked off.
 */
const schema = z.object({ l3UpTo: z.number().gt(0).lt(1).optional(), begin: z.boolean().default(true) });

export const newDrainer = (open: OpenTask) =>
  newTask(schema, open, async ({ store, stream, signal }, { l3UpTo, begin }) => {
    const report = await drainPass(store, stream, { signal, l3UpTo, begin });
    await addTally(store.components, { 'l3.runs': report.ended, 'l3.reclaimed': report.retired });
    return report;
  });

export const handler = newDrainer(openTask);
