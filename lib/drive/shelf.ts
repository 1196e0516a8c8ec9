// Where a drive keeps the journal of the metadata: `journal/EPOCH/NAME`, beside its numbered zones. Zones, sweeping and
// allocation never see it. Objects are written once, whole, and deleted one by one when the ladder no longer needs
// them.
import type { ByteRange } from './drive.ts';

export interface ShelfEntry {
  readonly epoch: number;
  readonly name: string;
  readonly bytes: number;
}

/** Errors are those of the drive port (drive.ts). Names are chunk names: a-z, 0-9 and `-`, at most 64. */
export interface Shelf {
  /** For people. */
  readonly label: string;
  /** Stores an object whole and durably; never overwrites: `conflict` CHUNK_EXISTS. */
  put(epoch: number, name: string, parts: readonly Uint8Array[]): Promise<void>;
  read(epoch: number, name: string, range?: ByteRange): Promise<Uint8Array>;
  /** Everything on it, in any order. */
  list(): Promise<ShelfEntry[]>;
  /** Idempotent. */
  remove(epoch: number, names: readonly string[]): Promise<void>;
}
