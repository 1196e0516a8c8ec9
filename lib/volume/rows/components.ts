// What the system is made of: settings are data, everything else is a port, passed in once.
import type { ColumnPool } from '../../codec/group-memory.ts';
import type { StorageClass } from '../../cost/price-book.ts';
import type { Drive } from '../../drive/drive.ts';
import type { Clock } from '../../foundation/clock.ts';
import type { StoreId } from '../../foundation/ids.ts';
import type { Lane } from '../../foundation/lane.ts';
import type { Randomness } from '../../foundation/randomness.ts';
import type { KekStore } from '../../keys/keys.ts';
import type { BlockSealer } from '../../keys/sealer.ts';
import type { Panda } from '../../panda/panda.ts';
import type { BadRowSink } from '../../panda/rows/row-reader.ts';
import type { Settings } from '../../settings/settings.ts';

export interface Components {
  readonly settings: Settings;
  readonly storeId: StoreId;
  readonly clock: Clock;
  readonly randomness: Randomness;
  /** By drive id; a drive that cannot be reached keeps its place and answers DRIVE_UNAVAILABLE. */
  readonly drives: readonly Drive[];
  readonly panda: Panda;
  /** In which warm volumes are kept, where drives have several. Missing: the drives' own. */
  readonly warmClass?: StorageClass | undefined;
  readonly keks: KekStore;
  /** Seals the blocks of a batch. Missing: the thread that asks. */
  readonly sealer?: BlockSealer | undefined;
  /** Memory that groups are coded in. Missing: all stores of this process share one. */
  readonly columns?: ColumnPool | undefined;
  /**
   * Asks which drives the store has now, and puts those that were added since behind the others. Missing: there are no
   * others.
   */
  findDrives?(): Promise<void>;
  /** Told of rows that cannot be read and that a list passes over; without it such a row stops the work. */
  readonly badRow?: BadRowSink | undefined;
  /** Names this process in leases, uploads and runs; contains no `/`. */
  readonly owner: string;
  /** True only if that owner is known to be dead; its leases are then broken at once. */
  isOwnerGone(owner: string): boolean;
  /** Where what is put into a namespace goes. Missing: nothing is kept apart. */
  laneOf?(namespace: string): Promise<Lane>;
  /**
   * Asked before anything is claimed, leased, freed or swept: throws if this process may not write (any more), because
   * the metadata is older than the drives, another copy of it has them, or it was replaced while this process ran. What
   * is true is remembered for a moment: safety hangs on tokens and generations, this only makes whoever is too late
   * stop early. Missing: nobody else can have it.
   */
  mayWrite?(): Promise<void>;
  /**
   * Asked before anything is erased from a drive: resolves once the journal on the drives knows what was moved from
   * there, so that a restore does not look for it in its old place. Missing: there is no journal.
   */
  beforeErasing?(): Promise<void>;
}
