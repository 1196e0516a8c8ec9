// The journal function of a stage: batches of the table's stream, each shipped by `shipBatch` as an invocation does; a snapshot when it is told to; and
// the ladder tended when nothing comes.

import type { Shelf } from '../../../lib/drive/shelf.ts';
import { shipBatch, shipStageSnapshot } from '../../../lib/engine/journal/stage-batch.ts';
import { stageJournal } from '../../../lib/engine/journal/verify-stage-journal.ts';
import type { ShelfAt } from '../../../lib/engine/ship/store-journal.ts';
import { present } from '../../../lib/foundation/assert.ts';
import { isPocketfulError } from '../../../lib/foundation/errors.ts';
import type { SeededRandomness } from '../../../lib/foundation/randomness.ts';
import { expectAcknowledged } from '../checkers/streamed.ts';
import type { SimProcess } from '../scheduler/sim-process.ts';
import { acceptable } from './client.ts';
import type { Acting, SimWorld } from './sim-world.ts';

type Act = (world: SimWorld, acting: Acting, random: SeededRandomness) => Promise<void>;

const BATCHES_MAX = 14;
const ROWS_MAX = 12;
const ALL_ROWS = 5000;
/** An invocation that takes longer than others do may be taken for dead although it lives. */
const MISJUDGED_OF = 6;
/** One of so many stands still before it does anything: others may have shipped its batch by then, and what came after. */
const STANDS_OF = 6;
const STANDS_MS = 60_000;
const KINDS = ['retry', 'unknown', 'conflict'];

export const shelfAtOf =
  (world: SimWorld, { process }: Acting): ShelfAt =>
  (place): Shelf =>
    present(
      world.shelvesOf(process).find(({ label }) => label === place),
      'a drive of the store',
    );

/**
 * False: there is none. Throws what the function would answer: the batch is delivered again. `isGone`: whom whoever asks
 * takes for dead.
 */
export async function deliver(
  world: SimWorld,
  acting: Acting,
  random: SeededRandomness,
  shard: number,
  rowsMax: number,
  isGone = (process: SimProcess): boolean => process.isDead || random.below(MISJUDGED_OF) === 0,
): Promise<boolean> {
  const stream = present(world.stream, 'of a plan with a stage');
  const delivery = stream.deliver(shard, acting.process, rowsMax, isGone);
  if (delivery === undefined) return false;
  if (random.below(STANDS_OF) === 0) await acting.components.clock.sleep(random.below(STANDS_MS));
  try {
    await shipBatch(acting.components, shelfAtOf(world, acting), delivery.changed, delivery.atMs);
  } catch (error) {
    stream.answered(delivery, false);
    throw error;
  }
  const isHeard = stream.answered(delivery, true);
  world.coverage.point('stream', isHeard ? 'acknowledged' : 'shipped by one given up');
  if (random.below(2) === 0) await expectAcknowledged(world, random);
  return true;
}

/** All that is left, when nothing fails any more. */
export async function deliverAll(world: SimWorld, acting: Acting, random: SeededRandomness): Promise<void> {
  const { shards } = present(world.stream, 'of a plan with a stage');
  const next = async (shard: number): Promise<boolean> => {
    try {
      return await deliver(world, acting, random, shard, someRows(random));
    } catch (error) {
      // Whoever is gone may have claimed often: it is delivered again until others have waited for long enough.
      if (!isPocketfulError(error) || error.code !== 'JOURNAL_BUSY') throw error;
      return true;
    }
  };
  for (let shard = 0; shard < shards; shard++) while (await next(shard));
}

export const someRows = (random: SeededRandomness): number =>
  random.below(4) === 0 ? ALL_ROWS : 1 + random.below(ROWS_MAX);

export const STREAMER: Readonly<Record<string, Act>> = {
  deliver: async (world, acting, random) => {
    const { shards } = present(world.stream, 'of a plan with a stage');
    await deliver(world, acting, random, random.below(shards), someRows(random));
  },
  'deliver-on': async (world, acting, random) => {
    const { shards } = present(world.stream, 'of a plan with a stage');
    // A shard that is read less often than the others is behind.
    const only = random.below(2) === 0 ? random.below(shards) : undefined;
    for (let batches = 2 + random.below(BATCHES_MAX); batches > 0; batches--) {
      await acting.components.clock.sleep(random.below([12, 60, 3000, 400_000][random.below(4)] as number));
      const shard = only ?? random.below(shards);
      await deliver(world, acting, random, shard, someRows(random)).catch((error: unknown) =>
        acceptable(world, error, KINDS),
      );
    }
  },
  'tend-stage': async (world, acting) => {
    await stageJournal(acting.components, shelfAtOf(world, acting)).tend();
  },
  'snapshot-stage': async (world, acting, random) => {
    try {
      await shipStageSnapshot(acting.components, shelfAtOf(world, acting), random.below(3) === 0);
    } catch (error) {
      // Read back under a key that others made worthless meanwhile.
      if (!isPocketfulError(error) || error.code !== 'KEK_DESTROYED') throw error;
    }
  },
};
