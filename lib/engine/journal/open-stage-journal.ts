// The journal of a stage for whoever writes to it. A key version lies wrapped beside the segments before the first of
// them is under it: who has lost the table has nothing else to unwrap it with.
import type { JournalSource } from '../../panda/journal-source.ts';
import type { Components } from '../../volume/rows/components.ts';
import { type ShelfAt, StoreJournal } from '../ship/store-journal.ts';
import { keepVersion } from './stage-keys.ts';

export const openStageJournal = (components: Components, shelfAt: ShelfAt, source: JournalSource): StoreJournal =>
  new StoreJournal(shelfAt, components, source, {
    keepKey: (version, shelves) => keepVersion(components, version, shelves),
  });
