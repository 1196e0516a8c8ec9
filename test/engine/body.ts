// Bodies by id, for processes that have to agree on them without sending them.
import { SeededRandomness } from '../../lib/foundation/randomness.ts';

/** The bytes a body id stands for: the same in every process, some of them equal, some long. */
export function bodyOf(id: string): Uint8Array {
  const [seed = '0', number = '0'] = id.split('-');
  const kind = Number(number) % 10;
  const random = new SeededRandomness(kind === 0 ? 1 : Number(seed) * 100_000 + Number(number));
  return random.bytes(kind === 9 ? 9_000 : random.below(1_500) + 1);
}
