// What clients do at once: two objects of the same blocks deleted at the same time, many gets under way when their process stands still, a batch that
// is indexed by several transactions.
import type { SeededRandomness } from '../../../lib/foundation/randomness.ts';
import { drawnBody } from '../model/bodies.ts';
import { get, put, remove } from './client.ts';
import { drawnKey } from './names.ts';
import type { Acting, SimWorld } from './sim-world.ts';

/** All short, so that a few dozen of them are one batch. */
const CROWD_MAX = 16;
const GETS_MAX = 12;

/** Two names get the same bytes, which nobody else has, and are deleted side by side. */
export async function twins(world: SimWorld, acting: Acting, random: SeededRandomness): Promise<void> {
  const first = random.below(4);
  const names = [`twin${first}`, `twin${first + 1}`];
  const body = drawnBody(random, world.plan.bodies);
  await put(world, acting, names, random, () => body);
  await Promise.all(names.map((name) => remove(world, acting, [name])));
}

/** Deleted, and put again while it is in trash. */
export async function putAgain(world: SimWorld, acting: Acting, random: SeededRandomness): Promise<void> {
  const name = `again${random.below(3)}`;
  const body = drawnBody(random, world.plan.bodies);
  await put(world, acting, [name], random, () => body);
  await remove(world, acting, [name]);
  await acting.components.clock.sleep(random.below(1500));
  await put(world, acting, [name], random, () => body);
}

/** Of what is in the store: at once, so that all of them are under way whatever happens to the process. */
export async function getMany(world: SimWorld, acting: Acting, random: SeededRandomness): Promise<void> {
  const names = world.history.keys();
  if (names.length === 0) return;
  const drawn = Array.from({ length: 2 + random.below(GETS_MAX) }, () => names[random.below(names.length)] as string);
  await Promise.all([...new Set(drawn)].map((name) => get(world, acting, name)));
}

/** What is in the store already, and one or two new bodies before it: more blocks than a transaction takes, few of them new. */
export async function putCrowd(world: SimWorld, acting: Acting, random: SeededRandomness): Promise<void> {
  const known = { first: 0, count: 4 };
  const fresh = 1 + random.below(2);
  const names = [drawnKey(world, random), ...Array.from({ length: CROWD_MAX }, (_, i) => `crowd${i}`)];
  let at = 0;
  await put(world, acting, [...new Set(names)], random, (drawing) =>
    at++ < fresh ? drawnBody(drawing, world.plan.bodies) : known.first + drawing.below(known.count),
  );
}
