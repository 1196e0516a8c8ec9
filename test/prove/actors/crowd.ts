// What clients do at once: two objects of the same blocks deleted at the same time, many gets under way when their process stands still, a batch that
// is indexed by several transactions.
import { type SeededRandomness, shuffled } from '../../../lib/foundation/randomness.ts';
import { type BodyId, drawnBody, EMPTY_BODY, newBlockBody } from '../model/bodies.ts';
import { get, put, remove } from './client.ts';
import { drawnKey } from './names.ts';
import type { Acting, SimWorld } from './sim-world.ts';

/** More than a transaction takes, and few enough to be one batch. */
const CROWD_MAX = 46;
const KNOWN_IN_CROWD_MAX = 8;
/** Of one short block, and in every store from the beginning. */
const SHORT_KNOWN_BODY = 3;
const GETS_MAX = 12;
const GETS_APART_MS = 20_000;

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

/** The same names again and again, in time for what they were found by to be of before. */
export async function getAgain(world: SimWorld, acting: Acting, random: SeededRandomness): Promise<void> {
  const names = shuffled(world.history.keys(), random).slice(0, 2 + random.below(GETS_MAX / 2));
  for (let round = 0; round < 3; round++) {
    if (round > 0) await acting.components.clock.sleep(random.below(GETS_APART_MS));
    for (const name of names) await get(world, acting, name);
  }
}

/**
 * One or two new blocks, some that are in the store already, and objects without any: more than a transaction takes in a batch that is no longer than
 * an append, so that the last ones bring no new block.
 */
export async function putCrowd(world: SimWorld, acting: Acting, random: SeededRandomness): Promise<void> {
  const fresh = 1 + random.below(2);
  const known = fresh + random.below(KNOWN_IN_CROWD_MAX);
  const names = [drawnKey(world, random), ...Array.from({ length: CROWD_MAX }, (_, i) => `crowd${i}`)];
  let at = 0;
  await put(world, acting, [...new Set(names)], random, (drawing) => {
    at += 1;
    if (at <= fresh) return newBlockBody(drawing);
    return at <= known ? SHORT_KNOWN_BODY : EMPTY_BODY;
  });
}

/** A few new names, each of one new block: what those put by plain writes that pay by the write. */
export async function putPlain(
  world: SimWorld,
  acting: Acting,
  random: SeededRandomness,
): Promise<{ readonly names: readonly string[]; readonly bodies: readonly BodyId[] }> {
  const count = 3 + random.below(3);
  const first = random.below(1_000_000);
  const names = Array.from({ length: count }, (_, i) => `plain${first + i}`);
  const bodies = names.map(() => newBlockBody(random));
  let at = 0;
  await put(world, acting, names, random, () => bodies[at++] as BodyId);
  return { names, bodies };
}
