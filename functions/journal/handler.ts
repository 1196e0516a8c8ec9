// Ships what changed in the table onto the drives: a batch of its stream.
import { shipBatch } from '../../lib/engine/journal/stage-batch.ts';
import type { ShelfAt } from '../../lib/engine/ship/store-journal.ts';
import { batchOf, streamEventSchema } from '../../lib/panda/dynamo-stream.ts';
import { openTask, stageShelf } from '../deployment.ts';
import { newTask, type OpenTask } from '../task.ts';

export const newJournal = (open: OpenTask, shelfAt: ShelfAt) =>
  newTask(streamEventSchema, open, async ({ store }, event) => {
    const { changed, atMs } = batchOf(event);
    return shipBatch(store.components, shelfAt, changed, atMs);
  });

export const handler = newJournal(openTask, stageShelf);
