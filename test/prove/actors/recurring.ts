// The same few bodies again and again, under names of their own: what a scene is about is removed by one, given back or shredded by another, and
// put again by a third. Asked for by scenes only.
import type { SeededRandomness } from '../../../lib/foundation/randomness.ts';
import { collectGarbage } from '../../../lib/gc/collect-garbage.ts';
import { PAIRS_PER_TRANSACTION } from '../../../lib/limits/panda.ts';
import { newBlockBody, ONE_LONG_BODY, oneBlockBodies } from '../model/bodies.ts';
import { put, putAbsent, remove } from './client.ts';
import type { Acting, SimWorld } from './sim-world.ts';

type Act = (world: SimWorld, acting: Acting, random: SeededRandomness) => Promise<void>;

const LONG_NAME = 'long';
const NEW_NAMES = 1000;
const CROWD = PAIRS_PER_TRANSACTION + 2;
const CROWD_NEW = 2;
const LOOKS_MAX = 400;
const LOOKS_APART_MS = 25;

/** Objects of one block each: half of the processes put them by plain writes, so that their blocks name them. */
async function putNamed(world: SimWorld, acting: Acting, random: SeededRandomness): Promise<void> {
  const bodies = oneBlockBodies();
  let at = 0;
  await put(world, acting, namesOfOneBlock(), random, () => bodies[at++] as number);
}

/** More of them than a transaction takes, and few enough to be one batch: the first ones are new, the others are known. */
async function putNamedCrowd(world: SimWorld, acting: Acting, random: SeededRandomness): Promise<void> {
  await putNamed(world, acting, random);
  const known = oneBlockBodies();
  const names = Array.from({ length: CROWD }, (_, i) => `crowd${i}`);
  let at = 0;
  await put(world, acting, names, random, (drawing) =>
    at++ < CROWD_NEW ? newBlockBody(drawing) : (known[drawing.below(known.length)] as number),
  );
}

const namesOfOneBlock = (): string[] => oneBlockBodies().map((_, i) => `named${i}`);

export const RECURRING: Readonly<Record<string, Act>> = {
  'put-named': putNamed,
  'put-named-crowd': putNamedCrowd,
  // One by one: each has a row of its own that holds its reference.
  'delete-named': async (world, acting) => {
    for (const name of namesOfOneBlock()) await remove(world, acting, [name]);
  },
  'put-one-long': (world, acting, random) => put(world, acting, [LONG_NAME], random, () => ONE_LONG_BODY),
  'delete-one-long': (world, acting) => remove(world, acting, [LONG_NAME]),
  // Nobody had that name before.
  'put-new': (world, acting, random) => putAbsent(world, acting, random, `new${20 + random.below(NEW_NAMES)}`),
};

/** GC, as soon as those of one kind are deleted. */
export async function collectRecurring({ history }: SimWorld, { components }: Acting): Promise<void> {
  const isDeleted = (name: string): boolean =>
    history.of(name).some(({ kind, result, to }) => kind === 'delete' && result === 'ok' && to !== undefined);
  for (let looks = 0; looks < LOOKS_MAX; looks++) {
    if (isDeleted(LONG_NAME) || namesOfOneBlock().every(isDeleted)) {
      await collectGarbage(components);
      return;
    }
    await components.clock.sleep(LOOKS_APART_MS);
  }
}
