// APPEND (protocols 1-3, and the ends of 4 and 5): LEASE, PUT, COMMIT of one group into the open bucket of a volume.
// What comes back is stored but not yet acknowledged: the caller indexes it, then finishes or settles it. What fits one
// transaction is committed, indexed and settled in one.
import { codecShape } from '../../codec/shape.ts';
import { assert } from '../../foundation/assert.ts';
import { conflict, isKind, isPocketfulError, retryLater } from '../../foundation/errors.ts';
import { newBucketId } from '../../foundation/ids.ts';
import { type Lane, SHARED_LANE } from '../../foundation/lane.ts';
import { GROUP_SLOTS_MAX } from '../../limits/panda.ts';
import { GROUP_ATTEMPTS_MAX } from '../../limits/volume.ts';
import type { Panda, Write } from '../../panda/panda.ts';
import { retiringKey } from '../../panda/rows/retiring-kek-row.ts';
import type { VolumeClass } from '../../panda/rows/volume-row.ts';
import type { Settings } from '../../settings/settings.ts';
import type { Lease } from '../open/lease.ts';
import { directoryBytesOf, writesDirectories } from '../rows/directory-room.ts';
import { readBucket } from '../rows/read-rows.ts';
import type { VolumeStore } from '../volume-store.ts';
import { AppendedGroup } from './appended-group.ts';
import { commitAppend, commitWhole, type NewRecord, type Target } from './commit-append.ts';
import { groupOverheadBytes, type WrittenGroup, writeGroup } from './write-group.ts';

export const KEK_RETIRING = 'KEK_RETIRING';

/**
 * What is to be written with the group in one transaction, all its records indexed by it; undefined: it is indexed
 * afterwards.
 */
export type IndexAlong = (placed: AppendedGroup['placed']) => readonly Write[] | undefined;

/** Where puts go: hot volumes, or straight to warm ones where there is no hot tier. */
export const putClass = (settings: Settings): VolumeClass =>
  settings.hotCodec === settings.warmCodec ? 'warm' : 'hot';

/** Record bytes one append should carry at most; a single longer record is taken too. */
export const appendBytesMax = (settings: Settings): number => Math.floor((settings.bucketBytes * 15) / 16);

/**
 * Records whose keys are wrapped by the KEK version. Throws `conflict` KEK_RETIRING if that is about to be destroyed,
 * `retry` DRIVES_MISSING, STORE_FULL, VOLUMES_BUSY or APPEND_FAILED; nothing is acknowledged then.
 */
export async function appendGroup(
  store: VolumeStore,
  records: readonly NewRecord[],
  kekVersion: number,
  along: IndexAlong = () => undefined,
  lane: Lane = SHARED_LANE,
): Promise<AppendedGroup> {
  assert(records.length > 0 && records.length <= GROUP_SLOTS_MAX, 'an append has 1 to GROUP_SLOTS_MAX records');
  const totalBytes = records.reduce((sum, { record }) => sum + record.length, 0);
  const longest = records.reduce((max, { record }) => Math.max(max, record.length), 0);
  assert(records.length === 1 || totalBytes <= store.components.settings.bucketBytes, 'an append fits a bucket');
  const cls = putClass(store.components.settings);
  const { dataColumns } = codecShape(store.components.settings.hotCodec);
  const perExtent = dataColumns === 1 ? totalBytes : Math.ceil(totalBytes / dataColumns) + longest;
  const directoryBytes = writesDirectories(store.components, cls) ? directoryBytesOf([records.length]) : 0;
  const needBytes = perExtent + groupOverheadBytes(records.length, 1) + directoryBytes;
  let last: unknown;
  for (let attempt = 0; attempt < GROUP_ATTEMPTS_MAX; attempt++) {
    const lease = await store.open.lease(cls, needBytes, 1, lane);
    try {
      return await appendUnder(store, lease, { records, totalBytes, kekVersion, along });
    } catch (error) {
      // Columns that could not be stored, or a lease that ran out meanwhile: another volume. Anything else is the
      // caller's.
      if (!isPocketfulError(error) || error.code === KEK_RETIRING) throw error;
      if (error.code !== 'GROUP_NOT_STORED' && !isKind(error, 'conflict')) throw error;
      last = error;
    }
  }
  const why = last instanceof Error ? last.message : 'no volume took it';
  throw retryLater('APPEND_FAILED', `${records.length} records could not be stored: ${why}`, last);
}

export interface AppendRequest {
  readonly records: readonly NewRecord[];
  readonly totalBytes: number;
  readonly kekVersion: number;
  readonly along: IndexAlong;
}

/** PUT and COMMIT under a lease, into the open bucket of its volume. Gives the lease back where it fails. */
export async function appendUnder(store: VolumeStore, lease: Lease, request: AppendRequest): Promise<AppendedGroup> {
  const { records, totalBytes, kekVersion, along } = request;
  let written: WrittenGroup;
  let target: Target;
  try {
    [target] = await Promise.all([
      chooseBucket(store, lease, records.length, totalBytes),
      assertNotRetiring(store.components.panda, kekVersion),
    ]);
    written = await writeGroup(
      store,
      lease,
      'append',
      records.map(({ recordId, record }, i) => ({
        bucket: target.bucket,
        move: 0,
        slot: target.firstSlot + i,
        recordId,
        record,
      })),
    );
  } catch (error) {
    if (isPocketfulError(error) && error.code !== 'GROUP_NOT_STORED') await lease.release();
    throw error;
  }
  const { id, generation } = lease.volume;
  const placed = written.entries.map(({ bucket, slot, column, offset }) => ({
    bucket,
    slot,
    hint: { volume: id, generation, seq: lease.seq, token: lease.token, column, offset },
  }));
  const proposal = { lease, target, records, totalBytes, written };
  const index = along(placed);
  const whole = index === undefined ? undefined : await commitWhole(store, proposal, index);
  const row = whole ?? (await commitAppend(store, proposal));
  store.directories.put(row, lease.seq, lease.token, written.entries, written.columnBytes);
  return new AppendedGroup(store, lease, row, placed);
}

/** Read under the lease: who retires a version ends the leases from before (lib/gc/retire-kek.ts). */
export async function assertNotRetiring(panda: Panda, kekVersion: number): Promise<void> {
  if ((await panda.get(retiringKey(kekVersion))) === undefined) return;
  throw conflict(KEK_RETIRING, `key version ${kekVersion} is about to be destroyed`);
}

async function chooseBucket(store: VolumeStore, lease: Lease, slots: number, bytes: number): Promise<Target> {
  const { settings, panda, randomness } = store.components;
  const open = lease.volume.openBucket;
  const bucket = open === undefined ? undefined : await readBucket(panda, settings.cell, open);
  if (
    bucket !== undefined &&
    bucket.volume === lease.volume.id &&
    bucket.usedBytes + bytes <= settings.bucketBytes &&
    bucket.slots + slots <= settings.slotsPerBucketMax
  )
    return { bucket: bucket.id, firstSlot: bucket.slots, isNew: false };
  return { bucket: newBucketId(randomness), firstSlot: 0, isNew: true };
}
