// The journal of a stage as its operator sees it, and VERIFY of it by the function that can unwrap keys: every copy of
// every segment in the buckets, and of the key versions beside them.
import { isKind } from '../../foundation/errors.ts';
import { Frontend } from '../../frontend/frontend.ts';
import { addedScrubs, type LadderScrub, type LadderScrubOptions } from '../../journal/scrub-ladder.ts';
import { cursorKey } from '../../panda/rows/journal-rows.ts';
import type { Components } from '../../volume/rows/components.ts';
import type { VolumeStore } from '../../volume/volume-store.ts';
import type { ShelfAt, StoreJournal } from '../ship/store-journal.ts';
import { StreamJournal } from '../ship/stream-journal.ts';
import { type VerifyReport, type VerifyRequest, verifyStore } from '../upkeep/verify.ts';
import { keksKey } from '../wire/keks-row.ts';
import { openStageJournal } from './open-stage-journal.ts';
import { keepStageKeys, scrubStageKeys } from './stage-keys.ts';

/** Nothing of the stream is at hand: what was shipped, and what lies in the buckets. */
export const stageJournal = (components: Components, shelfAt: ShelfAt): StoreJournal =>
  openStageJournal(components, shelfAt, new StreamJournal(components, [], components.clock.nowMs()));

/** Cut where the time of a function ends; the next call goes on. Nothing where no journal is shipped. */
export async function verifyStageJournal(
  volumes: VolumeStore,
  shelfAt: ShelfAt,
  request: Pick<VerifyRequest, 'allSinceMs' | 'signal'>,
): Promise<VerifyReport> {
  const { components } = volumes;
  const isShipped = (await components.panda.get(cursorKey)) !== undefined;
  const journal = stageJournal(components, shelfAt);
  const scrubbed = { scrub: (options: LadderScrubOptions) => scrubStage(components, journal, options) };
  const store = { volumes, frontend: new Frontend(volumes), ...(isShipped ? { journal: scrubbed } : {}) };
  return verifyStore(store, { ...request, what: ['journal'], probesDrives: false });
}

async function scrubStage(
  components: Components,
  journal: StoreJournal,
  options: LadderScrubOptions,
): Promise<LadderScrub> {
  const segments = await journal.scrub(options);
  const row = segments.done ? await components.panda.get(keksKey) : undefined;
  if (row === undefined) return segments;
  const shelves = await journal.shelves();
  const keys = await scrubStageKeys(shelves, row, options);
  // Keys that changed meanwhile: what was written anew of those before must not stay.
  const now = (await components.panda.get(keksKey)) ?? row;
  await keepStageKeys(shelves, now).catch((error: unknown) => {
    if (!isKind(error, 'retry')) throw error;
  });
  return addedScrubs(keys, segments);
}
