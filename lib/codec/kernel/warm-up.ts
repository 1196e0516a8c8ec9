// Warming the kernel up, off the path of requests: V8 first runs a module in baseline code, several times slower, and
// optimizes it in the background once it has seen enough work. That work is done here, on a group of zeros.
import type { CodecName } from '../codec.ts';
import { codecOf } from '../codecs.ts';
import { allocateColumns } from '../group-memory.ts';

const COLUMN_BYTES = 64 * 1024;
/** V8 13 tiers up after some 8,000 cells of the longest program; twice that is enough with room to spare. */
const ROUNDS = 16;

/**
 * Encodes until the encoder is fast; a few milliseconds per codec, in slices between which `pause` lets other work run,
 * until `signal` fires.
 */
export async function warmUp(
  names: readonly CodecName[],
  pause: () => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  for (const name of names) {
    if (signal?.aborted) return;
    const codec = codecOf(name);
    using group = allocateColumns(codec, COLUMN_BYTES);
    const lengths = new Array<number>(codec.dataColumns).fill(COLUMN_BYTES);
    for (let round = 0; round < ROUNDS && !signal?.aborted; round++) {
      await pause();
      group.encode(lengths);
    }
  }
}
