// One step of the threshold's controller, and the five gauges of the stage.
import * as z from 'zod';
import { tuneStage } from '../../lib/engine/upkeep/stage-tune.ts';
import { openTask } from '../deployment.ts';
import { newTask, type OpenTask } from '../task.ts';

export const newTuner = (open: OpenTask) =>
  newTask(z.object({}), open, ({ store, metrics }) => tuneStage(store.components, metrics));

export const handler = newTuner(openTask);
