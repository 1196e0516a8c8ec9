// Memory that groups are coded in, for one run. A process that dies never gives its own back; here it is given back when the run has ended, or
// the memory of this process would run out after some thousand seeds, and what a seed does would depend on those before it.
import {
  type ColumnPool,
  createColumnPool,
  type GroupMemory,
  type ParityMemory,
} from '../../../lib/codec/group-memory.ts';

/** Kept from run to run: what lies in it is never read before it was written. */
const shared = createColumnPool();

/** Bytes that no run has given back. */
export const columnBytesInUse = (): number => shared.usage().usedBytes;

export class RunColumns implements ColumnPool {
  readonly #given: { release(): void }[] = [];

  allocate(...asked: Parameters<ColumnPool['allocate']>): GroupMemory {
    const memory = shared.allocate(...asked);
    this.#given.push(memory);
    return memory;
  }

  parityOf(...asked: Parameters<ColumnPool['parityOf']>): ParityMemory {
    const memory = shared.parityOf(...asked);
    this.#given.push(memory);
    return memory;
  }

  usage(): ReturnType<ColumnPool['usage']> {
    return shared.usage();
  }

  /** Nobody of the run does anything any more. */
  end(): void {
    for (const memory of this.#given) memory.release();
  }
}
