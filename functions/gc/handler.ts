// Shreds what may be shredded, frees what is empty, and settles what functions that are gone left behind; then, on its
// schedule, verifies for as long as its share of the time goes. Or it does nothing but verify what it is told to.
import * as z from 'zod';
import { sweepStage, verifyStage } from '../../lib/engine/upkeep/stage-tasks.ts';
import { volumeId } from '../../lib/foundation/ids.ts';
import { VERIFIERS } from '../../lib/verify/verifier-row.ts';
import { openTask } from '../deployment.ts';
import { newTask, type OpenTask } from '../task.ts';

const schema = z.object({
  now: z.boolean().default(false),
  /** After the sweep: a share of the time between two such events. */
  verify: z.object({ everyMs: z.int().positive(), sharePermille: z.int().min(1).max(1000).optional() }).optional(),
  /** Instead of the sweep: all the time there is. */
  verifyOnly: z
    .object({
      what: z.array(z.enum(VERIFIERS)).optional(),
      volumes: z
        .array(
          z
            .string()
            .regex(/^[0-9a-f]{16}$/)
            .transform(volumeId),
        )
        .optional(),
      allSinceMs: z.int().nonnegative().optional(),
    })
    .optional(),
});

export const newGc = (open: OpenTask) =>
  newTask(schema, open, async ({ store, signal }, { now, verify, verifyOnly }) => {
    if (verifyOnly !== undefined) return verifyStage(store, { ...verifyOnly, signal });
    const swept = await sweepStage(store, { now, signal });
    if (verify === undefined || !swept.done) return swept;
    return { ...swept, verified: await verifyStage(store, { signal }, verify) };
  });

export const handler = newGc(openTask);
