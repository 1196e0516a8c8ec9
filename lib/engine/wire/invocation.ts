// What bounds a piece of work in a function: its name in leases and runs, which tells everybody when it must be over,
// and a clock that refuses to sleep beyond that. No safety hangs on either: they only decide who waits, and how long.
import type { Clock } from '../../foundation/clock.ts';
import { unknownOutcome } from '../../foundation/errors.ts';
import { hexOf } from '../../foundation/ids.ts';
import type { Randomness } from '../../foundation/randomness.ts';
import { INVOCATION_SKEW_MS } from '../../limits/engine.ts';

const OWNER = /^until-(\d{1,15})-[0-9a-f]+$/;

/** Of a process that its runtime ends at `endsAtMs` at the latest. */
export const ownerUntil = (endsAtMs: number, randomness: Randomness): string =>
  `until-${Math.max(0, Math.ceil(endsAtMs))}-${hexOf(randomness.bytes(6))}`;

/** True if its time is over; owners of other kinds are never known to be gone, their leases expire. */
export function isOverdueOwner(owner: string, clock: Clock): boolean {
  const endsAtMs = OWNER.exec(owner)?.[1];
  return endsAtMs !== undefined && clock.nowMs() > Number(endsAtMs) + INVOCATION_SKEW_MS;
}

/** A clock of one process that serves one invocation after the other. */
export class InvocationClock implements Clock {
  readonly #clock: Clock;
  #endsAtMs = Number.POSITIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** From now on sleeps end within `remainingMs`, or are refused. */
  begin(remainingMs: number): void {
    this.#endsAtMs = this.#clock.monotonicMs() + remainingMs;
  }

  nowMs(): number {
    return this.#clock.nowMs();
  }

  monotonicMs(): number {
    return this.#clock.monotonicMs();
  }

  /**
   * Throws `unknown` TIME_UP instead of a sleep nobody would wake from: what was tried before it may have taken effect.
   */
  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (this.#clock.monotonicMs() + ms >= this.#endsAtMs)
      throw unknownOutcome('TIME_UP', 'the time of this invocation is used up');
    await this.#clock.sleep(ms, signal);
  }
}
