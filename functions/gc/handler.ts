// Shreds what may be shredded, frees what is empty, and settles what functions that are gone left behind.
import * as z from 'zod';
import { sweepStage } from '../../lib/engine/upkeep/stage-tasks.ts';
import { openTask } from '../deployment.ts';
import { newTask, type OpenTask } from '../task.ts';

const schema = z.object({ now: z.boolean().default(false) });

export const newGc = (open: OpenTask) =>
  newTask(schema, open, ({ store, signal }, { now }) => sweepStage(store, { now, signal }));

export const handler = newGc(openTask);
