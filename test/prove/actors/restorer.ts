// A client that takes back what was deleted or overwritten: under its name or another, over what is there now or not. What it was is told by its ETag.
import { isPocketfulError } from '../../../lib/foundation/errors.ts';
import type { SeededRandomness } from '../../../lib/foundation/randomness.ts';
import type { Removed } from '../../../lib/frontend/removed/list-removed.ts';
import { blockIdOf } from '../../../lib/keys/envelope.ts';
import { etagOf } from '../../../lib/panda/rows/objects/object-form.ts';
import { type BodyId, bodyOf } from '../model/bodies.ts';
import { acceptable, answered, begin, put, remove } from './client.ts';
import { addressOf, drawnKey, nameOf } from './names.ts';
import type { Acting, SimWorld } from './sim-world.ts';

const GONE = ['NOT_IN_TRASH', 'BLOCKS_SHREDDED'];

/** Some of what could be restored, one after the other; most often there is something new. */
export async function restore(world: SimWorld, acting: Acting, random: SeededRandomness): Promise<void> {
  const name = drawnKey(world, random);
  const { namespace } = addressOf(name);
  if (random.below(3) > 0) {
    await put(world, acting, [name], random);
    if (random.below(2) === 0) await put(world, acting, [name], random);
    if (random.below(3) > 0) await remove(world, acting, [name]);
  }
  const removed: Removed[] = [];
  for await (const one of acting.frontend.removed({ namespace })) removed.push(one);
  for (let times = 1 + random.below(3); times > 0 && removed.length > 0; times--)
    await restoreOne(world, acting, random, removed[random.below(removed.length)] as Removed);
}

async function restoreOne(
  world: SimWorld,
  acting: Acting,
  random: SeededRandomness,
  { object: { namespace, key, version, etag } }: Removed,
): Promise<void> {
  const body = bodyWith(world, nameOf(namespace, key), etag);
  if (body === undefined) return; // removed before the run began: nobody knows what it was
  const other = addressOf(drawnKey(world, random));
  const as = random.below(4) === 0 && other.namespace === namespace ? other.key : undefined;
  const overwrite = random.below(3) === 0;
  const operation = begin(world, acting, nameOf(namespace, as ?? key), overwrite ? 'put' : 'put-absent', body);
  try {
    await acting.frontend.restore({ namespace, key, version, as, overwrite });
    answered(world, operation, 'ok');
  } catch (error) {
    const code = isPocketfulError(error) ? error.code : undefined;
    answered(world, operation, code === 'NAME_TAKEN' ? 'refused' : 'maybe');
    if (code !== 'NAME_TAKEN' && !GONE.includes(code ?? '')) acceptable(world, error, ['retry', 'unknown', 'conflict']);
  }
}

const etags = new Map<BodyId, string>();

/** Of the bodies that the name may have had. */
function bodyWith(world: SimWorld, name: string, etag: string): BodyId | undefined {
  return world.history.valuesOf(name).find((id) => id !== undefined && etagOfBody(id, world) === etag);
}

function etagOfBody(id: BodyId, { settings: { blockBytesMax } }: SimWorld): string {
  const known = etags.get(id);
  if (known !== undefined) return known;
  const body = bodyOf(id);
  const count = Math.ceil(body.length / blockBytesMax);
  const blocks = Array.from({ length: count }, (_, i) => body.subarray(i * blockBytesMax, (i + 1) * blockBytesMax));
  const etag = etagOf(blocks.map(blockIdOf));
  etags.set(id, etag);
  return etag;
}
