// Sealing the blocks of a batch, as a port: in this thread, or by others that seal many small blocks in one go
// (lib/keys/system-sealer.ts). What comes out is the same.
import { RECORD_OVERHEAD_BYTES } from '../format/record.ts';
import { mapLimit } from '../foundation/concurrency.ts';
import { LentMemory } from '../foundation/lent-memory.ts';
import type { Randomness } from '../foundation/randomness.ts';
import { BLOCK_IDLE_BYTES_MAX } from '../limits/bytes.ts';
import { BLOCK_BYTES_MAX, SEALS_AT_ONCE } from '../limits/frontend.ts';
import { type Kek, type SealedBlock, sealBlockInPool } from './envelope.ts';

export type OnSealed = (index: number, block: SealedBlock) => void;

export interface BlockSealer {
  /**
   * In the order given. The blocks stay the caller's; `onSealed` tells of each, by its number, that it is read no more.
   */
  seal(
    plains: readonly Uint8Array[],
    randomness: Randomness,
    kek: Kek,
    onSealed?: OnSealed,
  ): Promise<readonly SealedBlock[]>;
  /** Nobody looks at these records any more: memory that many share is given back, sooner than garbage would be. */
  release?(sealed: readonly SealedBlock[]): void;
}

/** `memoryOf`: where records are to lie, if not in new memory. */
export const sealerHere = (memoryOf?: (bytes: number) => Buffer): BlockSealer => ({
  seal: (plains, randomness, kek, onSealed) =>
    mapLimit(plains, SEALS_AT_ONCE, async (plain, i) => {
      const block = await sealBlockInPool(plain, randomness, kek, memoryOf);
      onSealed?.(i, block);
      return block;
    }),
});

export const sealHere: BlockSealer = sealerHere();

/** One piece is for a block of any size, or for its record: what one gives back serves the other. */
const pieces = new LentMemory({
  make: (bytes) => Buffer.allocUnsafeSlow(bytes).buffer,
  bytesMin: BLOCK_BYTES_MAX + RECORD_OVERHEAD_BYTES,
  idleBytesMax: BLOCK_IDLE_BYTES_MAX,
});

/** Less would take along much more than it needs. */
const LENT_FROM_BYTES = 0.75 * BLOCK_BYTES_MAX;

/** Of large blocks, and of their records. Others have memory of their own, just as long as they are. */
export const blockMemory = {
  take: (bytes: number): Buffer<ArrayBuffer> =>
    bytes > LENT_FROM_BYTES ? Buffer.from(pieces.take(bytes), 0, bytes) : Buffer.allocUnsafeSlow(bytes),

  /** Nobody looks at it any more. To be called once. */
  give(memory: ArrayBuffer): void {
    if (memory.byteLength <= BLOCK_BYTES_MAX || !pieces.give(memory)) memory.transfer(0);
  },
};
