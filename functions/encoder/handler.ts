// Encodes the hot volumes that have cooled.
import * as z from 'zod';
import { encodeStage } from '../../lib/engine/upkeep/stage-tasks.ts';
import { openTask } from '../deployment.ts';
import { newTask, type OpenTask } from '../task.ts';

const schema = z.object({ all: z.boolean().default(false) });

export const newEncoder = (open: OpenTask) =>
  newTask(schema, open, ({ store, stream, signal }, { all }) => encodeStage(store, { all, stream, signal }));

export const handler = newEncoder(openTask);
