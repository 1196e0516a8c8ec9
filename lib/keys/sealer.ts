// Sealing the blocks of a batch, as a port: in this thread, or by others that seal many small blocks in one go
// (lib/keys/system-sealer.ts). What comes out is the same.
import { mapLimit } from '../foundation/concurrency.ts';
import type { Randomness } from '../foundation/randomness.ts';
import { SEALS_AT_ONCE } from '../limits/frontend.ts';
import { type Kek, type SealedBlock, sealBlockInPool } from './envelope.ts';

export interface BlockSealer {
  /** In the order given. The blocks stay the caller's. */
  seal(plains: readonly Uint8Array[], randomness: Randomness, kek: Kek): Promise<readonly SealedBlock[]>;
  /** Nobody looks at these records any more: memory that many share is given back, sooner than garbage would be. */
  release?(sealed: readonly SealedBlock[]): void;
}

export const sealHere: BlockSealer = {
  seal: (plains, randomness, kek) =>
    mapLimit(plains, SEALS_AT_ONCE, (plain) => sealBlockInPool(plain, randomness, kek)),
};
