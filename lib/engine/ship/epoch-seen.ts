// The highest epoch that the journal on the drives is of: whoever restores a store, or adopts its drives, takes one
// above it, so that what is written from then on is the newest for whoever restores later.
import type { Shelves } from '../../journal/shelves.ts';
import { EPOCH_LEAP } from '../../limits/journal.ts';

export async function epochSeenOn(shelves: Shelves): Promise<number> {
  const { epoch, silent } = await shelves.list();
  return mayBeElsewhere(silent.length, shelves.copies) ? epoch + EPOCH_LEAP : epoch;
}

/**
 * So many drives without an answer may have all copies of what is newest, and may have been restored by themselves: no
 * epoch of theirs is taken.
 */
export const mayBeElsewhere = (away: number, copies: number): boolean => away > 0 && away >= copies;
