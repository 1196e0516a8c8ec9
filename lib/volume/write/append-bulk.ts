// APPEND of much at once (protocols 1-3): the records of several batches as one large group of an erasure-coded volume,
// past the hot tier. Each batch indexes its own records, under the group's token; whoever is the last of them ends it.
// What fits one bucket is an append like any other; more is written as a merge writes its new buckets
// (docs/decisions/0008), so that recovering, reading, sealing and rebuilding know nothing new.
import { codecShape } from '../../codec/shape.ts';
import { assert } from '../../foundation/assert.ts';
import { Semaphore } from '../../foundation/concurrency.ts';
import { isKind, isPocketfulError, retryLater } from '../../foundation/errors.ts';
import { newBucketId } from '../../foundation/ids.ts';
import { type Lane, SHARED_LANE } from '../../foundation/lane.ts';
import { GROUP_SLOTS_MAX, MERGED_BUCKETS_MAX } from '../../limits/panda.ts';
import { GROUP_ATTEMPTS_MAX } from '../../limits/volume.ts';
import type { Write } from '../../panda/panda.ts';
import type { MergeGroupRow } from '../../panda/rows/group-row.ts';
import type { Settings } from '../../settings/settings.ts';
import type { Lease } from '../open/lease.ts';
import { directoryBytesOf, filledBy } from '../rows/directory-room.ts';
import { readGroup } from '../rows/read-rows.ts';
import { raiseStoreFormat } from '../rows/store-format.ts';
import { transact } from '../rows/transact.ts';
import { MERGED_MOVE, mergeCommitWrites } from '../steps/merge-steps.ts';
import type { VolumeStore } from '../volume-store.ts';
import { appendUnder, assertNotRetiring, KEK_RETIRING } from './append.ts';
import { AppendedGroup } from './appended-group.ts';
import type { NewRecord } from './commit-append.ts';
import { groupNeedBytes } from './move.ts';
import { writeGroup } from './write-group.ts';

export interface BulkGroup {
  /** One for each part, in their order. */
  readonly shares: readonly GroupShare[];
  readonly recordBytes: number;
  readonly storedBytes: number;
}

/** Records of one batch: they stay together in one bucket. */
export type BulkPart = readonly NewRecord[];

/**
 * One group for all parts, whose keys are wrapped by one KEK version; an answer for each. Throws `conflict`
 * KEK_RETIRING, `retry` DRIVES_MISSING, STORE_FULL, VOLUMES_BUSY or APPEND_FAILED; nothing is acknowledged then.
 */
export async function appendBulk(
  store: VolumeStore,
  parts: readonly BulkPart[],
  kekVersion: number,
  lane: Lane = SHARED_LANE,
): Promise<BulkGroup> {
  const { settings } = store.components;
  const buckets = bucketsOf(parts, settings);
  const records = parts.flat();
  assert(records.length > 0 && records.length <= GROUP_SLOTS_MAX, 'a group has 1 to GROUP_SLOTS_MAX records');
  assert(buckets.length <= MERGED_BUCKETS_MAX, 'a group is settled in one transaction');
  const lengths = records.map(({ record }) => ({ length: record.length }));
  const spans = buckets.map((bucket) => bucket.length);
  const needBytes = groupNeedBytes(lengths, spans, codecShape(settings.warmCodec).dataColumns);
  let last: unknown;
  for (let attempt = 0; attempt < GROUP_ATTEMPTS_MAX; attempt++) {
    const lease = await store.open.lease('warm', needBytes, buckets.length, lane);
    try {
      const group = await appendBuckets(store, lease, buckets, kekVersion);
      const { shares } = new SharedGroup(group, parts);
      return { shares, recordBytes: bytesOf(records), storedBytes: group.storedBytes };
    } catch (error) {
      if (!isPocketfulError(error) || error.code === KEK_RETIRING) throw error;
      if (error.code !== 'GROUP_NOT_STORED' && !isKind(error, 'conflict')) throw error;
      last = error;
    }
  }
  throw retryLater('APPEND_FAILED', `a group of ${records.length} records could not be stored`, last);
}

/** Parts one behind the other, as many to a bucket as it takes. */
function bucketsOf(parts: readonly BulkPart[], { bucketBytes, slotsPerBucketMax }: Settings): NewRecord[][] {
  const buckets: NewRecord[][] = [];
  let bytes = 0;
  for (const part of parts) {
    const more = bytesOf(part);
    const open = buckets.at(-1);
    if (open !== undefined && bytes + more <= bucketBytes && open.length + part.length <= slotsPerBucketMax) {
      open.push(...part);
      bytes += more;
    } else {
      buckets.push([...part]);
      bytes = more;
    }
  }
  return buckets;
}

const bytesOf = (records: BulkPart): number => records.reduce((sum, { record }) => sum + record.length, 0);

function appendBuckets(
  store: VolumeStore,
  lease: Lease,
  buckets: readonly BulkPart[],
  kekVersion: number,
): Promise<AppendedGroup> {
  const [records = []] = buckets;
  if (buckets.length > 1) return appendNewBuckets(store, lease, buckets, kekVersion);
  return appendUnder(store, lease, { records, totalBytes: bytesOf(records), kekVersion, along: () => undefined });
}

async function appendNewBuckets(
  store: VolumeStore,
  lease: Lease,
  buckets: readonly BulkPart[],
  kekVersion: number,
): Promise<AppendedGroup> {
  const { components } = store;
  const { volume, seq, token } = lease;
  const named = buckets.map((records) => ({ bucket: newBucketId(components.randomness), records }));
  const placing = named.flatMap(({ bucket, records }) =>
    records.map(({ recordId, record }, slot) => ({ bucket, move: MERGED_MOVE, slot, recordId, record })),
  );
  let written: Awaited<ReturnType<typeof writeGroup>>;
  try {
    await assertNotRetiring(components.panda, kekVersion);
    await raiseStoreFormat(components);
    written = await writeGroup(store, lease, 'move', placing);
  } catch (error) {
    if (isPocketfulError(error) && error.code !== 'GROUP_NOT_STORED') await lease.release();
    throw error;
  }
  const filled = filledBy(volume, written.objectBytes, directoryBytesOf(buckets.map(({ length }) => length)));
  const group: MergeGroupRow = {
    kind: 'merge',
    seq,
    token,
    columnBytes: written.columnBytes,
    run: `put/${components.owner}`,
    buckets: named.map(({ bucket, records }) => ({
      bucket,
      slots: records.map(({ blockId, recordId, record }) => ({ blockId, recordId, recordBytes: record.length })),
    })),
  };
  const nowMs = Math.max(0, components.clock.nowMs());
  const took = async (): Promise<boolean> => (await readGroup(components.panda, volume, seq))?.token === token;
  try {
    await transact(components, mergeCommitWrites(components.settings.cell, volume, group, filled, nowMs), took);
  } catch (error) {
    lease.done(undefined);
    throw error;
  }
  const row = {
    ...volume,
    nextSeq: seq + 1,
    pendingSeq: seq,
    ...filled,
    buckets: new Set([...volume.buckets, ...named.map(({ bucket }) => bucket)]),
  };
  store.directories.put(row, seq, token, written.entries, written.columnBytes);
  const placed = written.entries.map(({ bucket, slot, column, offset }) => ({
    bucket,
    slot,
    hint: { volume: volume.id, generation: volume.generation, seq, token, column, offset },
  }));
  return new AppendedGroup(store, lease, row, placed);
}

/**
 * A committed group whose records several batches index. It ends with the last of them: settled by one write if every
 * slot is named, recovered if not, and left to the next lease if the outcome of a transaction is not known.
 */
class SharedGroup {
  readonly shares: readonly GroupShare[];
  readonly #group: AppendedGroup;
  /** Where two transactions that name one row are in each other's way: one batch after the other. */
  readonly #turns = new Semaphore(1);
  #open: number;
  #areAllUsed = true;
  #isLeft = false;
  #recovered: Promise<boolean> | undefined;

  constructor(group: AppendedGroup, parts: readonly BulkPart[]) {
    this.#group = group;
    this.#open = parts.length;
    let first = 0;
    this.shares = parts.map((part) => {
      const placed = group.placed.slice(first, first + part.length);
      first += part.length;
      return new GroupShare(this, placed);
    });
  }

  turn(): Promise<() => void> {
    return this.#turns.acquire();
  }

  check(): Write {
    return this.#group.check();
  }

  async end(how: { readonly areAllUsed: boolean; readonly isLeft: boolean }): Promise<void> {
    this.#areAllUsed &&= how.areAllUsed;
    this.#isLeft ||= how.isLeft;
    this.#open -= 1;
    if (this.#open > 0 || this.#recovered !== undefined) return;
    if (this.#isLeft) this.#group.leave();
    else if (this.#areAllUsed) await this.#group.tryFinish();
    else await this.#group.settle();
  }

  /** At once, and under a new token: what the other batches have not indexed by then they store anew. */
  recover(): Promise<boolean> {
    this.#open -= 1;
    this.#recovered ??= this.#group.recover();
    return this.#recovered;
  }
}

/** The part of one batch in a committed group, its index transactions still to be done. */
export class GroupShare {
  /** What placing a record says of its block's row, in the order of the records. */
  readonly placed: AppendedGroup['placed'];
  readonly isIndexed = false;
  /** No transaction of this batch may settle the group: others may not have indexed theirs. */
  readonly isShared = true;
  readonly #whole: SharedGroup;

  constructor(whole: SharedGroup, placed: AppendedGroup['placed']) {
    this.#whole = whole;
    this.placed = placed;
  }

  /** Of batches whose transactions are in each other's way; the answer gives it back. */
  turn(): Promise<() => void> {
    return this.#whole.turn();
  }

  check(): Write {
    return this.#whole.check();
  }

  /** Its transactions are done; `areAllUsed`: and name every slot. */
  settle(areAllUsed: boolean): Promise<void> {
    return this.#whole.end({ areAllUsed, isLeft: false });
  }

  leave(): void {
    // Nothing is awaited: a group that is left is only forgotten by this process.
    void this.#whole.end({ areAllUsed: false, isLeft: true });
  }

  recover(): Promise<boolean> {
    return this.#whole.recover();
  }
}
