// A long object put in parts, as a client of a stage does: in any order, some at once, some sent again, some by another process; finished, given
// up, or left for good.
import { isPocketfulError } from '../../../lib/foundation/errors.ts';
import type { ObjectVersion } from '../../../lib/foundation/ids.ts';
import { type SeededRandomness, shuffled } from '../../../lib/foundation/randomness.ts';
import { KekRing } from '../../../lib/frontend/kek-ring.ts';
import { abortPartUpload, beginPartUpload, finishPartUpload, putPart } from '../../../lib/frontend/upload-parts.ts';
import { bodyOf, drawnLongBody } from '../model/bodies.ts';
import { acceptable, answered, begin } from './client.ts';
import { addressOf, drawnKey } from './names.ts';
import type { Acting, SimWorld } from './sim-world.ts';

const PARTS_MAX = 4;
const KINDS = ['retry', 'unknown', 'conflict'];

export async function upload(world: SimWorld, acting: Acting, random: SeededRandomness): Promise<void> {
  const name = drawnKey(world, random);
  const id = drawnLongBody(random);
  const body = bodyOf(id);
  const { namespace, key } = addressOf(name);
  const { volumes, components } = acting;
  const version = await beginPartUpload(components, namespace, key);
  await putParts(world, acting, version, body, random);
  const end = random.below(8);
  if (end === 0) return; // whoever finds its row when this process is gone gives it up
  if (end === 1) return abortPartUpload(components, version);
  const operation = begin(world, acting, name, 'put', id);
  try {
    await finishPartUpload(volumes, { upload: version, namespace, key, sizeBytes: body.length });
    answered(world, operation, 'ok');
  } catch (error) {
    answered(world, operation, 'maybe');
    if (!isGivenUp(error)) acceptable(world, error, KINDS);
  }
}

async function putParts(
  world: SimWorld,
  { volumes, components }: Acting,
  version: ObjectVersion,
  body: Uint8Array,
  random: SeededRandomness,
): Promise<void> {
  const { blockBytesMax } = components.settings;
  const blocks = Math.ceil(body.length / blockBytesMax);
  const partBytes = Math.ceil(blocks / (1 + random.below(PARTS_MAX))) * blockBytesMax;
  const offsets = Array.from({ length: Math.ceil(body.length / partBytes) }, (_, i) => i * partBytes);
  const again = offsets.filter(() => random.below(4) === 0);
  const keks = new KekRing(components);
  const one = async (offset: number): Promise<void> => {
    const part = { upload: version, offset, body: body.subarray(offset, offset + partBytes) };
    for (let attempt = 0; attempt < 3; attempt++)
      try {
        return await putPart(volumes, keks, part);
      } catch (error) {
        if (isGivenUp(error)) return;
        acceptable(world, error, KINDS);
      }
  };
  const order = shuffled([...offsets, ...again], random);
  if (random.below(2) === 0) for (const offset of order) await one(offset);
  else await Promise.all(order.map(one));
}

/** By somebody who took its process for dead, or because a part could not be stored: it is then refused at the end. */
const isGivenUp = (error: unknown): boolean =>
  isPocketfulError(error) && ['UPLOAD_MISSING', 'UPLOAD_INCOMPLETE'].includes(error.code);
