// Seeded histories of a journal: what is restored is the rows as of one commit, which is not before the cursor.
import { expect } from 'vitest';
import { isPocketfulError } from '../../lib/foundation/errors.ts';
import { CountingPlan, scriptedPlan } from '../../lib/foundation/faults.ts';
import { ship, shipSnapshot } from '../../lib/journal/ship.ts';
import { type TendPorts, tendLadder } from '../../lib/journal/tend.ts';
import { COPIES, dies, JournalWorld } from './world.ts';

export async function expectBack(world: JournalWorld, without: readonly number[] = []): Promise<void> {
  const { reached, contents } = await world.restored(without);
  expect(reached.point.sequence).toBeGreaterThanOrEqual((await world.cursor())?.sequence ?? 0);
  expect(contents).toEqual(world.states[reached.point.sequence]);
}

/** Throws with the seed in its message. */
export async function playHistory(folder: string, seed: number, steps = 40): Promise<void> {
  const world = await JournalWorld.make(folder, seed);
  try {
    await ship(world.start());
    for (let step = 0; step < steps; step++) await playStep(world);
    await expectBack(world, lostDrives(world));
  } catch (error) {
    throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
  } finally {
    await world.close();
  }
}

const lostDrives = ({ random, shelves }: JournalWorld): number[] => {
  const first = random.below(shelves.length);
  return Array.from({ length: random.below(COPIES) }, (_, i) => (first + i) % shelves.length);
};

async function playStep(world: JournalWorld): Promise<void> {
  const { random, clock } = world;
  const choice = random.below(10);
  if (choice < 4) return world.writeSome();
  if (choice < 6) return void (await ship(world.start()));
  if (choice === 6) return void (await tendLadder(world.start()));
  if (choice === 7) return clock.advance(random.below(4 * 3_600_000));
  if (choice === 8) return expectBack(world, lostDrives(world));
  const work = (ports: TendPorts): Promise<unknown> =>
    [ship, tendLadder, shipSnapshot][random.below(3)]?.(ports) as Promise<unknown>;
  if (random.below(2) === 0) {
    const plan = new CountingPlan(1 + random.below(12), random.below(2) === 0 ? 'before' : 'after');
    await dies(() => work(world.start(() => plan)));
    return;
  }
  const rate = 1 + random.below(6);
  const plan = scriptedPlan(() =>
    random.below(rate) === 0 ? (random.below(2) === 0 ? 'before-error' : 'after-error') : 'none',
  );
  await work(world.start(() => plan)).catch((error: unknown) => {
    if (!isPocketfulError(error)) throw error;
  });
}
