// Every world's metadata is as DynamoDB is: transactions take a while, in which others meet them, and partitions throttle. The time they take
// is their own, so that no lease or grace runs out by it; back-offs, which pass on the world's clock, count for both.
import { type Clock, SimulatedClock } from '../../lib/foundation/clock.ts';
import type { Pace } from '../../lib/panda/memory-traffic.ts';

/** Whoever waits lets others go on as long as a transaction of theirs may take; longer waits end the same. */
const WAIT_TURNS_MAX = 60;

const turns = async (count: number): Promise<void> => {
  for (let turn = 0; turn < count; turn++) await undefined;
};

/** The clock of a world: nothing really waits, but others get their turn. */
export class TurningClock extends SimulatedClock {
  override async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    await super.sleep(ms, signal);
    await turns(Math.min(ms, WAIT_TURNS_MAX) * TURNS_PER_MS);
  }
}

/** Turns of whatever else is under way while a transaction is; no turn of the event loop, so that runs stay the same. */
const TURNS_PER_MS = 1;
/** DynamoDB's own. */
const PARTITION_WRITES_PER_SECOND = 1_000;

export function paceOf(world: Clock): Pace {
  let spentMs = 0;
  const clock: Clock = {
    nowMs: () => world.nowMs(),
    monotonicMs: () => world.monotonicMs() + spentMs,
    sleep: async (ms) => {
      spentMs += ms;
      await turns(ms * TURNS_PER_MS);
    },
  };
  return { clock, transactionMs: 15, writeMs: 7, readMs: 0, partitionWritesPerSecond: PARTITION_WRITES_PER_SECOND };
}
