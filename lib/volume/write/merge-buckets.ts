// MERGE (protocol 21): live records of bucket remnants, copied as ciphertext into new buckets by one group of a warm
// volume; then the block rows change, in transactions of bounded size. Only here does compaction write block rows. What
// a crash leaves, RECOVER ends.
import { codecShape } from '../../codec/shape.ts';
import { assert } from '../../foundation/assert.ts';
import { isKind, isPocketfulError, retryLater } from '../../foundation/errors.ts';
import { type BlockId, type BucketId, newBucketId, type RunId, type VolumeId } from '../../foundation/ids.ts';
import { type Lane, SHARED_LANE } from '../../foundation/lane.ts';
import { GROUP_SLOTS_MAX, MERGE_ITEMS_MAX, MERGED_BUCKETS_MAX } from '../../limits/panda.ts';
import { CONFLICT_ATTEMPTS_MAX, CONFLICT_BACK_OFF_STEPS_MAX, GROUP_ATTEMPTS_MAX } from '../../limits/volume.ts';
import { PandaConflict } from '../../panda/conflict.ts';
import type { Write } from '../../panda/panda.ts';
import { blockFromRow, blockKey } from '../../panda/rows/block-row.ts';
import { type DeadRow, deadFromRow, deadKey } from '../../panda/rows/bucket-row.ts';
import type { MergeGroupRow } from '../../panda/rows/group-row.ts';
import type { VolumeRow } from '../../panda/rows/volume-row.ts';
import type { Lease } from '../open/lease.ts';
import { recoverPending } from '../open/recover.ts';
import type { Components } from '../rows/components.ts';
import { directoryBytesOf, filledBy } from '../rows/directory-room.ts';
import { readGroup, readVolume } from '../rows/read-rows.ts';
import { raiseStoreFormat } from '../rows/store-format.ts';
import { backOffMs, transact } from '../rows/transact.ts';
import {
  isMergeable,
  MERGED_MOVE,
  type MergingBlock,
  mergeCommitWrites,
  mergeIndexWrites,
  mergeNoteWrite,
  mergeTransactions,
} from '../steps/merge-steps.ts';
import type { VolumeStore } from '../volume-store.ts';
import { groupNeedBytes } from './move.ts';
import { writeGroup } from './write-group.ts';

/** A live record of a remnant whose source is draining under the run. */
export interface MergeRecord extends Omit<MergingBlock, 'to' | 'recordBytes'> {
  readonly source: VolumeId;
  readonly record: Uint8Array;
}

/** What becomes one bucket. */
export interface MergeTarget {
  readonly records: readonly MergeRecord[];
  /** Of the oldest of its remnants. */
  readonly createdAtMs: number;
}

export interface MergeResult {
  readonly destination: VolumeId;
  readonly buckets: readonly BucketId[];
  /** Block rows that changed; the others died, went to trash or were changed by others meanwhile. */
  readonly blockRows: number;
  readonly metadataWrites: number;
  readonly recordBytes: number;
  readonly storedBytes: number;
}

/**
 * One group. Throws `retry` DRIVES_MISSING, STORE_FULL, VOLUMES_BUSY or MERGE_FAILED: what is not merged stays where it
 * is.
 */
export async function mergeBuckets(
  store: VolumeStore,
  run: RunId,
  targets: readonly MergeTarget[],
  lane: Lane = SHARED_LANE,
): Promise<MergeResult> {
  const records = targets.flatMap((target) => target.records);
  assert(records.length > 0 && records.length <= GROUP_SLOTS_MAX, 'a merge has 1 to GROUP_SLOTS_MAX records');
  assert(targets.length <= MERGED_BUCKETS_MAX, 'a merge has at most MERGED_BUCKETS_MAX buckets');
  const { dataColumns } = codecShape(store.components.settings.warmCodec);
  const lengths = records.map(({ record }) => ({ length: record.length }));
  const spans = targets.map((target) => target.records.length);
  const needBytes = groupNeedBytes(lengths, spans, dataColumns);
  let last: unknown;
  for (let attempt = 0; attempt < GROUP_ATTEMPTS_MAX; attempt++) {
    const lease = await store.open.lease('warm', needBytes, targets.length, lane);
    try {
      return await new Merge(store, lease, run, targets).run();
    } catch (error) {
      if (!isPocketfulError(error) || !(error.code === 'GROUP_NOT_STORED' || isKind(error, 'conflict'))) throw error;
      last = error;
    }
  }
  throw retryLater('MERGE_FAILED', `${targets.length} buckets could not be merged`, last);
}

class Merge {
  readonly #store: VolumeStore;
  readonly #components: Components;
  readonly #lease: Lease;
  readonly #run: RunId;
  readonly #targets: readonly (MergeTarget & { readonly bucket: BucketId })[];
  #metadataWrites = 0;
  #blockRows = 0;

  constructor(store: VolumeStore, lease: Lease, run: RunId, targets: readonly MergeTarget[]) {
    this.#store = store;
    this.#components = store.components;
    this.#lease = lease;
    this.#run = run;
    this.#targets = targets.map((target) => ({ ...target, bucket: newBucketId(store.components.randomness) }));
  }

  async run(): Promise<MergeResult> {
    const { row, storedBytes } = await this.#commit();
    const buckets = this.#targets.map(({ bucket }) => bucket);
    try {
      await this.#index(row, await this.#note(buckets));
      await recoverPending(this.#components, row, this.#lease.token, true);
      this.#metadataWrites += 1;
      this.#lease.done({ ...row, pendingSeq: undefined, owner: undefined, expiresAtMs: 0 });
    } catch (error) {
      // Whoever leases the volume next settles the group, under a new token: a transaction of unknown outcome may still
      // come.
      this.#lease.done(undefined);
      if (!isKind(error, 'conflict')) throw error; // it was broken, and somebody else has settled it
    }
    const recordBytes = this.#targets.flatMap(({ records }) => records).reduce((sum, r) => sum + r.record.length, 0);
    const counts = { blockRows: this.#blockRows, metadataWrites: this.#metadataWrites, recordBytes, storedBytes };
    return { destination: row.id, buckets, ...counts };
  }

  /** PUT and COMMIT: the new buckets are in the store, and nothing names them. */
  async #commit(): Promise<{ readonly row: VolumeRow; readonly storedBytes: number }> {
    const { volume, seq, token } = this.#lease;
    const records = this.#targets.flatMap(({ bucket, records: of }) =>
      of.map(({ recordId, record }, slot) => ({ bucket, move: MERGED_MOVE, slot, recordId, record })),
    );
    const written = await writeGroup(this.#store, this.#lease, 'move', records).catch(async (error: unknown) => {
      if (isPocketfulError(error) && error.code !== 'GROUP_NOT_STORED') await this.#lease.release();
      throw error;
    });
    const spans = this.#targets.map((target) => target.records.length);
    const filled = filledBy(volume, written.objectBytes, directoryBytesOf(spans));
    const group: MergeGroupRow = {
      kind: 'merge',
      seq,
      token,
      columnBytes: written.columnBytes,
      run: this.#run,
      buckets: this.#targets.map(({ bucket, records: of }) => ({
        bucket,
        slots: of.map(({ blockId, recordId, record }) => ({ blockId, recordId, recordBytes: record.length })),
      })),
    };
    const createdAtMs = Math.min(...this.#targets.map((target) => target.createdAtMs));
    const writes = mergeCommitWrites(this.#components.settings.cell, volume, group, filled, createdAtMs);
    try {
      await this.#transact(writes, async () => (await readGroup(this.#components.panda, volume, seq))?.token === token);
    } catch (error) {
      this.#lease.done(undefined);
      throw error;
    }
    const buckets = new Set([...volume.buckets, ...group.buckets.map(({ bucket }) => bucket)]);
    const row = { ...volume, nextSeq: seq + 1, pendingSeq: seq, ...filled, buckets };
    this.#store.directories.put(row, seq, token, written.entries, written.columnBytes);
    return { row, storedBytes: written.objectBytes.reduce((sum, bytes) => sum + bytes, 0) };
  }

  /** The sources that are still the run's, noted where their blocks go. */
  async #note(buckets: readonly BucketId[]): Promise<ReadonlySet<VolumeId>> {
    const { cell } = this.#components.settings;
    const held = new Set<VolumeId>();
    for (const source of new Set(this.#targets.flatMap(({ records }) => records.map((record) => record.source)))) {
      const took = async (): Promise<boolean> => {
        const now = await readVolume(this.#components.panda, cell, source);
        return now?.run === this.#run && buckets.every((bucket) => now.moved.has(bucket));
      };
      try {
        await this.#transact([mergeNoteWrite(cell, source, this.#run, buckets)], took);
        held.add(source);
      } catch (error) {
        if (!isKind(error, 'conflict')) throw error; // another worker took it over
      }
    }
    return held;
  }

  async #index(row: VolumeRow, sources: ReadonlySet<VolumeId>): Promise<void> {
    await raiseStoreFormat(this.#components);
    const blocks = this.#targets.flatMap(({ bucket, records }) =>
      records.flatMap(({ source, record, blockId, recordId, from }, slot): MergingBlock[] =>
        sources.has(source) ? [{ blockId, recordId, recordBytes: record.length, from, to: { bucket, slot } }] : [],
      ),
    );
    for (const some of mergeTransactions(blocks, MERGE_ITEMS_MAX)) await this.#indexSome(row, some);
  }

  /**
   * One transaction of those that are still where they were copied from. Throws the conflict when the group is no
   * longer mine.
   */
  async #indexSome(row: VolumeRow, blocks: readonly MergingBlock[]): Promise<void> {
    const { cell } = this.#components.settings;
    const home = { volume: row.id, token: this.#lease.token, seq: this.#lease.seq };
    for (let attempt = 0; ; attempt++) {
      const now = await this.#rowsOf(blocks);
      const there = blocks.flatMap((block) => {
        const row = now.get(block.blockId);
        return isMergeable(row, block) ? [{ ...block, row }] : [];
      });
      const [first] = there;
      if (first === undefined) return;
      const deads = await this.#deadsOf(new Set(there.map(({ from }) => from.bucket)));
      const took = async (): Promise<boolean> => {
        const moved = (await this.#rowsOf([first])).get(first.blockId);
        return moved?.bucket === first.to.bucket && moved.slot === first.to.slot;
      };
      try {
        await this.#transact(mergeIndexWrites(cell, home, there, deads), took);
        this.#blockRows += there.length;
        return;
      } catch (error) {
        // A put, a delete or GC touched one of the rows: look again. The first write is the check of the group.
        if (!(error instanceof PandaConflict) || error.failed.includes(0) || attempt >= CONFLICT_ATTEMPTS_MAX)
          throw error;
        await this.#components.clock.sleep(
          backOffMs(Math.min(attempt, CONFLICT_BACK_OFF_STEPS_MAX), this.#components.randomness),
        );
      }
    }
  }

  async #rowsOf(blocks: readonly MergingBlock[]) {
    const ids: BlockId[] = blocks.map(({ blockId }) => blockId);
    const rows = await this.#components.panda.getMany(ids.map(blockKey));
    return new Map(ids.map((id, i) => [id, rows[i] === undefined ? undefined : blockFromRow(rows[i])]));
  }

  async #deadsOf(buckets: ReadonlySet<BucketId>): Promise<Map<BucketId, DeadRow>> {
    const ids = [...buckets];
    const rows = await this.#components.panda.getMany(ids.map((id) => deadKey(this.#components.settings.cell, id)));
    return new Map(ids.map((id, i) => [id, deadFromRow(rows[i])]));
  }

  async #transact(writes: readonly Write[], took: () => Promise<boolean>): Promise<void> {
    await transact(this.#components, writes, took);
    this.#metadataWrites += writes.filter(({ kind }) => kind !== 'check').length;
  }
}
