// One pass of L3's drainer: retires what is empty, and fills the queue as far as flow control lets it.
import * as z from 'zod';
import { drainPass } from '../../lib/compaction/drain-runs.ts';
import { openTask } from '../deployment.ts';
import { newTask, type OpenTask } from '../task.ts';

export const newDrainer = (open: OpenTask) =>
  newTask(z.object({}), open, ({ store, stream, signal }) => drainPass(store, stream, { signal }));

export const handler = newDrainer(openTask);
