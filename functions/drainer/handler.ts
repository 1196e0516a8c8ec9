// One pass of L3's drainer: retires what is empty, and fills the queue as far as flow control lets it. It comes more
// often than anything else that is scheduled: so it also looks whether the drives answer, before it is said to drain.
import * as z from 'zod';
import { drainPass } from '../../lib/compaction/do/drainer.ts';
import { addTally } from '../../lib/engine/status/tally.ts';
import { watchStage } from '../../lib/engine/upkeep/stage-tasks.ts';
import { openTask } from '../deployment.ts';
import { newTask, type OpenTask } from '../task.ts';

/**
 * `l3UpTo`: fills up to which volumes are drained, if not the planner's own. `begin: false`: only what was begun is
 * worked off. `watch`: first the 15-minute rule for drives.
 */
const schema = z.object({
  l3UpTo: z.number().gt(0).lt(1).optional(),
  begin: z.boolean().default(true),
  watch: z.boolean().default(false),
});

export const newDrainer = (open: OpenTask) =>
  newTask(schema, open, async ({ store, stream, signal }, { l3UpTo, begin, watch }) => {
    // Not when it is an operator's command that calls it.
    const drives = watch ? await watchStage(store, signal) : undefined;
    const report = await drainPass(store, stream, { signal, l3UpTo, begin });
    await addTally(store.components, { 'l3.runs': report.ended, 'l3.reclaimed': report.retired });
    return drives === undefined ? report : { ...report, drives };
  });

export const handler = newDrainer(openTask);
