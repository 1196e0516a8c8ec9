// Encodes the hot volumes that have cooled, and those there is no more room for.
import * as z from 'zod';
import { encodeStage } from '../../lib/engine/upkeep/stage-tasks.ts';
import { sharesOf } from '../../lib/settings/execution-shares.ts';
import { openTask } from '../deployment.ts';
import { newTask, type OpenTask } from '../task.ts';

const schema = z.object({ all: z.boolean().default(false), pressure: z.boolean().default(false) });

export const newEncoder = (open: OpenTask) =>
  newTask(schema, open, ({ store, stream, metrics, signal, executions }, { all, pressure }) =>
    encodeStage(store, { all, pressure, stream, metrics, signal, encodersMax: sharesOf(executions).encoders }),
  );

export const handler = newEncoder(openTask);
