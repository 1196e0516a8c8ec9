// Ships what changed in the table onto the drives: a batch of its stream. Or, before a key version is destroyed, a
// snapshot under the current one. After part of the stream was lost: a snapshot of the table as it is. And on its
// schedule, or when it is told to, verifies what lies in the buckets.
import * as z from 'zod';
import { shipBatch, shipStageSnapshot } from '../../lib/engine/journal/stage-batch.ts';
import { verifyStageJournal } from '../../lib/engine/journal/verify-stage-journal.ts';
import type { ShelfAt } from '../../lib/engine/ship/store-journal.ts';
import { batchOf, streamEventSchema } from '../../lib/panda/dynamo-stream.ts';
import { openTask, stageShelf } from '../deployment.ts';
import { newTask, type OpenTask } from '../task.ts';

const schema = z.union([
  z.strictObject({ snapshot: z.literal(true), scan: z.boolean().optional() }),
  z.strictObject({
    verify: z.strictObject({ allSinceMs: z.int().nonnegative().optional() }),
  }),
  streamEventSchema,
]);

export const newJournal = (open: OpenTask, shelfAt: ShelfAt) =>
  newTask(schema, open, async ({ store, signal }, event) => {
    if ('Records' in event) {
      const { changed, atMs } = batchOf(event);
      return shipBatch(store.components, shelfAt, changed, atMs);
    }
    if ('verify' in event) return verifyStageJournal(store, shelfAt, { ...event.verify, signal });
    return { snapshot: await shipStageSnapshot(store.components, shelfAt, event.scan === true) };
  });

export const handler = newJournal(openTask, stageShelf);
