// A committed group on its way to be settled (the ends of protocols 4 and 5): what its index transactions are guarded
// by, and how it ends.
import { isPocketfulError } from '../../foundation/errors.ts';
import { CONFLICT_ATTEMPTS_MAX } from '../../limits/volume.ts';
import type { Write } from '../../panda/panda.ts';
import type { BlockRow } from '../../panda/rows/block-row.ts';
import { pendingIs, tokenIs } from '../../panda/rows/volume-changes.ts';
import { type VolumeRow, volumeKey } from '../../panda/rows/volume-row.ts';
import { type Lease, leaseOf, leaseVolume } from '../open/lease.ts';
import { recoverPending } from '../open/recover.ts';
import { readVolume } from '../rows/read-rows.ts';
import { backOffMs, transact } from '../rows/transact.ts';
import { settledWrite } from '../steps/recover-steps.ts';
import type { VolumeStore } from '../volume-store.ts';

/** A committed group, its index transactions still to be done. */
export class AppendedGroup {
  /** What placing a record says of its block's row, in the order of the records. */
  readonly placed: readonly Pick<BlockRow, 'bucket' | 'slot' | 'hint'>[];
  /** All of it is one batch's, whose last transaction may settle it. */
  readonly isShared = false;
  readonly #store: VolumeStore;
  readonly #lease: Lease;
  /** The row after COMMIT: pendingSeq is this group, or it is indexed already. */
  readonly #row: VolumeRow;

  constructor(store: VolumeStore, lease: Lease, row: VolumeRow, placed: AppendedGroup['placed']) {
    this.#store = store;
    this.#lease = lease;
    this.#row = row;
    this.placed = placed;
  }

  /** Its records were indexed in the transaction that committed it, and nothing is left to do. */
  get isIndexed(): boolean {
    return this.#row.pendingSeq === undefined;
  }

  /** Of all its columns. */
  get storedBytes(): number {
    const usedBytes = ({ extentUsedBytes }: VolumeRow): number =>
      extentUsedBytes.reduce((sum, bytes) => sum + bytes, 0);
    return usedBytes(this.#row) - usedBytes(this.#lease.volume);
  }

  /** For every index transaction but the last: the group is mine, and nobody has settled it yet. */
  check(): Write {
    return {
      kind: 'check',
      ...volumeKey(this.#store.components.settings.cell, this.#row.id),
      if: [tokenIs(this.#lease.token), pendingIs(this.#lease.seq)],
    };
  }

  /** For the last index transaction, instead of `check`: the group is settled and the lease given back. */
  finish(): Write {
    return settledWrite(this.#store.components.settings.cell, this.#row, this.#lease.token, this.#lease.seq, true);
  }

  /** True if the transaction with `finish` took effect: for after an unknown outcome. */
  async isFinished(): Promise<boolean> {
    const now = await readVolume(this.#store.components.panda, this.#store.components.settings.cell, this.#row.id);
    return now !== undefined && now.token === this.#lease.token && now.pendingSeq === undefined;
  }

  /**
   * LOOK: the lease still holds. Every block row that was answered before is seen by whoever recovers the group, for
   * nobody has begun to.
   */
  async isHeld(): Promise<boolean> {
    const now = await readVolume(this.#store.components.panda, this.#store.components.settings.cell, this.#row.id);
    return now?.token === this.#lease.token && now.pendingSeq === this.#lease.seq;
  }

  /** SETTLE by itself. False if the lease was lost: somebody else recovers the group, or has. */
  async tryFinish(): Promise<boolean> {
    try {
      await transact(this.#store.components, [this.finish()], () => this.isFinished());
      this.finished();
      return true;
    } catch (error) {
      this.#lease.done(undefined);
      if (!isPocketfulError(error)) throw error;
      return false;
    }
  }

  finished(): void {
    this.#lease.done({ ...this.#row, pendingSeq: undefined, owner: undefined, expiresAtMs: 0 });
  }

  /**
   * Instead of `settle` when the outcome of an index transaction is not known: it may still come, so the group is
   * settled under a new token only.
   */
  leave(): void {
    this.#lease.done(undefined);
  }

  /**
   * Instead of `settle` where a plain write may still come: the group is recovered under a new token, so that what it
   * is then is final. False if that cannot be had now.
   */
  async recover(): Promise<boolean> {
    const { components } = this.#store;
    this.#lease.done(undefined);
    try {
      for (let attempt = 0; attempt < CONFLICT_ATTEMPTS_MAX; attempt++) {
        const now = await readVolume(components.panda, components.settings.cell, this.#row.id);
        if (now === undefined || now.pendingSeq !== this.#lease.seq) return true;
        const mine = await leaseVolume(components, now);
        if (mine?.pendingSeq !== undefined) await recoverPending(components, mine, mine.token, true);
        else if (mine !== undefined) await leaseOf(components, mine, () => {}).release();
        if (mine !== undefined) return true;
        await components.clock.sleep(backOffMs(attempt, components.randomness));
      }
      return false;
    } catch (error) {
      if (!isPocketfulError(error)) throw error;
      return false;
    }
  }

  /**
   * Instead of `finish` when slots stayed unused: what no block row names becomes dead, and the lease is given back. If
   * Panda cannot be reached, the next lease holder does it.
   */
  async settle(): Promise<void> {
    try {
      await recoverPending(this.#store.components, this.#row, this.#lease.token, true);
      this.finished();
    } catch (error) {
      this.#lease.done(undefined);
      if (!isPocketfulError(error)) throw error;
    }
  }
}
