// Bodies by number: the same number is the same bytes in every run. Small numbers come again and again, so that their blocks are shared,
// die and come back; large ones are written once.
import { SeededRandomness } from '../../../lib/foundation/randomness.ts';

export type BodyId = number;
/** Bodies below this number are put again and again. */
export const SHARED_BODIES = 6;
/** Every so many bodies one is long: several segments. */
const LONG_EVERY = 19;
const LONG_BYTES = 6 * 1024;
const BYTES_MAX = 900;
/** Every so many bodies one says the same again and again: a block of it comes several times. */
const REPETITIVE_EVERY = 4;
const BLOCK_BYTES = 128;
/** Bodies from this number on are of one block. */
const ONE_BLOCK_FROM = 2_000_000;
const ONE_BLOCK_BODIES = 5;

/** One of a plan's own, twice out of three. */
export const drawnBody = (random: SeededRandomness, own: { readonly first: number; readonly count: number }): BodyId =>
  random.below(3) > 0 ? own.first + random.below(own.count) : 2000 + random.below(1_000_000);

/** A few of the long ones, so that they share blocks with themselves put again. */
export const drawnLongBody = (random: SeededRandomness): BodyId =>
  LONG_EVERY * (random.below(3) > 0 ? 200 + random.below(4) : 300 + random.below(50_000)) - 1;

/** Of a few blocks, that nobody has put before. */
const newShortBody = (random: SeededRandomness): BodyId => LONG_EVERY * (200 + random.below(50_000));

/** Of one block, that nobody has put before. */
export function newBlockBody(random: SeededRandomness): BodyId {
  for (;;) {
    const id = newShortBody(random);
    const { length } = bodyOf(id);
    if (length > 0 && length <= BLOCK_BYTES) return id;
  }
}

/** The same long one every time. */
export const ONE_LONG_BODY: BodyId = LONG_EVERY * 200 - 1;

/** Of one block each, and no two the same: the few that come again and again. */
export const oneBlockBodies = (): BodyId[] => Array.from({ length: ONE_BLOCK_BODIES }, (_, i) => ONE_BLOCK_FROM + i);

/** Of no block. */
export const EMPTY_BODY: BodyId = 3_000_000;

const known = new Map<BodyId, Uint8Array>();
const KNOWN_MAX = 2000;

export function bodyOf(id: BodyId): Uint8Array {
  const found = known.get(id);
  if (found !== undefined) return found;
  const random = new SeededRandomness(id + 77_000);
  const isOneBlock = id >= ONE_BLOCK_FROM;
  const isLong = !isOneBlock && id % LONG_EVERY === LONG_EVERY - 1;
  const short = (): number => (isOneBlock ? 1 + random.below(BLOCK_BYTES) : random.below(BYTES_MAX));
  const bytes = isLong ? LONG_BYTES + random.below(1024) : short();
  const body = random.bytes(id === EMPTY_BODY ? 0 : bytes);
  if (id % REPETITIVE_EVERY === 0 && !isLong)
    for (let at = BLOCK_BYTES; at < body.length; at += BLOCK_BYTES)
      body.set(body.subarray(0, Math.min(BLOCK_BYTES, body.length - at)), at);
  if (known.size > KNOWN_MAX) known.clear();
  known.set(id, body);
  return body;
}
