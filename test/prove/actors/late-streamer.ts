// Invocations of the journal function that are late in just the way that costs something: others do meanwhile what each of them does by itself, in an
// order that few seeds find.
import type { Shelf } from '../../../lib/drive/shelf.ts';
import { shipBatch } from '../../../lib/engine/journal/stage-batch.ts';
import type { ShelfAt } from '../../../lib/engine/ship/store-journal.ts';
import { present } from '../../../lib/foundation/assert.ts';
import { isPocketfulError } from '../../../lib/foundation/errors.ts';
import type { SeededRandomness } from '../../../lib/foundation/randomness.ts';
import type { Panda } from '../../../lib/panda/panda.ts';
import { expectAcknowledged } from '../checkers/streamed.ts';
import { acceptable } from './client.ts';
import { destroyOldest } from './keeper.ts';
import type { Acting, SimWorld } from './sim-world.ts';
import { deliver, shelfAtOf, someRows } from './streamer.ts';

type Act = (world: SimWorld, acting: Acting, random: SeededRandomness) => Promise<void>;

const KINDS = ['retry', 'unknown', 'conflict'];
const FOLLOWING_MAX = 4;
const READS_FIRST_MAX = 5;
/** So often whoever destroys a key asks for the snapshot again: an invocation that stands still has its claim for a while. */
const DESTROYED_AFTER_MAX = 4;

export const LATE_STREAMER: Readonly<Record<string, Act>> = {
  // Before one of its first reads, its batch and those that follow it are shipped by others, and last one of a shard that is behind.
  'deliver-late': async (world, acting, random) => {
    const stream = present(world.stream, 'of a plan with a stage');
    const shard = random.below(stream.shards);
    const late = stream.deliver(shard, acting.process, someRows(random), ({ isDead }) => isDead);
    if (late === undefined) return;
    const others = async (of: number, rows: number): Promise<void> => {
      await deliver(world, acting, random, of, rows, () => true).catch((error: unknown) =>
        acceptable(world, error, KINDS),
      );
    };
    const meanwhile = async (): Promise<void> => {
      await others(shard, late.changed.length);
      for (let following = 1 + random.below(FOLLOWING_MAX); following > 0; following--)
        await others(shard, someRows(random));
      const behind = stream.behind(shard);
      if (behind !== undefined) await others(behind, 1);
    };
    const panda = standing(acting.components.panda, random.below(READS_FIRST_MAX), meanwhile);
    await shipBatch({ ...acting.components, panda }, shelfAtOf(world, acting), late.changed, late.atMs);
    world.coverage.point('stream', 'shipped after what followed');
    await expectAcknowledged(world, random);
  },
  // It has sealed its rows under the key of then, and stands still before it puts them: the key is replaced, and destroyed.
  'deliver-over-keys': async (world, acting, random) => {
    const stream = present(world.stream, 'of a plan with a stage');
    const shard = random.below(stream.shards);
    const delivery = stream.deliver(shard, acting.process, someRows(random), ({ isDead }) => isDead);
    if (delivery === undefined) return;
    let stands = true;
    const shelfAt: ShelfAt = (place, identity): Shelf => {
      const shelf = shelfAtOf(world, acting)(place, identity);
      const put: Shelf['put'] = async (...args) => {
        if (stands) {
          stands = false;
          await destroyed(world, acting);
        }
        return shelf.put(...args);
      };
      return Object.assign(Object.create(shelf) as Shelf, {
        put,
        read: shelf.read.bind(shelf),
        list: shelf.list.bind(shelf),
        remove: shelf.remove.bind(shelf),
      });
    };
    try {
      await shipBatch(acting.components, shelfAt, delivery.changed, delivery.atMs);
    } catch (error) {
      stream.answered(delivery, false);
      throw error;
    }
    stream.answered(delivery, true);
    world.coverage.point('stream', 'shipped while its key was destroyed');
    await expectAcknowledged(world, random);
  },
};

/** Before a read, after so many others, something is done. */
function standing(panda: Panda, reads: number, meanwhile: () => Promise<void>): Panda {
  let left = reads;
  const before = async (): Promise<void> => {
    left -= 1;
    if (left === -1) await meanwhile();
  };
  const { refusesOverlap, paysByWrite } = panda;
  return {
    ...{ refusesOverlap, paysByWrite },
    get: async (...args) => before().then(() => panda.get(...args)),
    getMany: async (...args) => before().then(() => panda.getMany(...args)),
    query: (...args) => panda.query(...args),
    scan: (...args) => panda.scan(...args),
    transact: (...args) => panda.transact(...args),
    close: () => panda.close(),
  };
}

async function destroyed(world: SimWorld, acting: Acting): Promise<void> {
  for (let attempt = 0; attempt < DESTROYED_AFTER_MAX; attempt++)
    try {
      await destroyOldest(world, acting);
      return;
    } catch (error) {
      if (!isPocketfulError(error) || error.code !== 'JOURNAL_BUSY') return acceptable(world, error, KINDS);
    }
}
