// Transactions with the two outcomes that are not an answer: `retry` (nothing happened: wait, send again) and `unknown`
// (it may have happened: read the rows, never resend blindly).
import type { Clock } from '../../foundation/clock.ts';
import { isKind, isPocketfulError } from '../../foundation/errors.ts';
import type { Randomness } from '../../foundation/randomness.ts';
import { TRANSACT_ATTEMPTS_MAX, TRANSACT_BACK_OFF_MS, TRANSACT_BACK_OFF_MS_MAX } from '../../limits/volume.ts';
import { PandaConflict } from '../../panda/conflict.ts';
import type { Panda, Write } from '../../panda/panda.ts';

interface Ports {
  readonly panda: Panda;
  readonly clock: Clock;
  readonly randomness: Randomness;
}

/** Full jitter (AWS architecture blog): between 0 and the doubled wait. */
export function backOffMs(attempt: number, randomness: Randomness): number {
  return randomness.below(Math.min(TRANSACT_BACK_OFF_MS_MAX, TRANSACT_BACK_OFF_MS * 2 ** attempt) + 1);
}

/**
 * Refused when it was sent again after a lost answer: the first sending may still be on its way, and is done if the
 * conditions hold when it comes.
 */
export class LateConflict extends PandaConflict {}

/**
 * Sends the transaction until its outcome is known. `took` reads the rows and tells whether it took effect; it is asked
 * after an unknown outcome, and again when the resent one meets a conflict, which may be its own first try. Throws
 * PandaConflict if the conditions do not hold, LateConflict if that is not the last word.
 */
export async function transact(ports: Ports, writes: readonly Write[], took: () => Promise<boolean>): Promise<void> {
  let lost: unknown;
  for (let attempt = 0; ; attempt++) {
    try {
      return await ports.panda.transact(writes);
    } catch (error) {
      if (isKind(error, 'unknown')) lost = error;
      const wasLost = lost !== undefined;
      if (wasLost && (isKind(error, 'unknown', 'conflict') || isFull(error)) && (await took())) return;
      if (wasLost && error instanceof PandaConflict) throw new LateConflict(error.failed, error);
      if (!isKind(error, 'retry', 'unknown') || isFull(error)) throw error;
      if (attempt >= TRANSACT_ATTEMPTS_MAX) throw lost ?? error;
      await ports.clock.sleep(backOffMs(attempt, ports.randomness));
    }
  }
}

/** A full disk is as full after a wait. */
const isFull = (error: unknown): boolean => isPocketfulError(error) && error.code === 'PANDA_FULL';

/** The same; false if one of its conditions does not hold. */
export async function transactUnlessConflict(
  ports: Ports,
  writes: readonly Write[],
  took: () => Promise<boolean>,
): Promise<boolean> {
  try {
    await transact(ports, writes, took);
    return true;
  } catch (error) {
    if (isKind(error, 'conflict')) return false;
    throw error;
  }
}
