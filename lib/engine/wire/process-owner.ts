// The name of a process in leases, uploads and runs, and whether the process of such a name is known to be dead. A
// process number alone does not do: it is used again, so its start time, host and container are part of the name.
import { WRITER_TAG, writerOf } from '../../drive/writer-tag.ts';
import { hexOf } from '../../foundation/ids.ts';
import type { Randomness } from '../../foundation/randomness.ts';

/** Stores this process has closed: nobody waits for their leases. */
const closed = new Set<string>();

/** pid-start-place-nonce; contains no `/`. */
export const newOwner = (randomness: Randomness): string => `${WRITER_TAG}-${hexOf(randomness.bytes(4))}`;

/**
 * True only if it is certain. Processes of other hosts and containers are never known to be dead: their leases expire.
 */
export const isOwnerGone = (owner: string): boolean => closed.has(owner) || writerOf(owner) === 'dead';

/** To be called when a store of this process is closed and nothing of it runs any more. */
export const ownerEnded = (owner: string): void => {
  closed.add(owner);
};
