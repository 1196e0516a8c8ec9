// APPEND (protocols 1-3, and the ends of 4 and 5): LEASE, PUT, COMMIT of one group into the open bucket of a volume.
// What comes back is stored but not yet acknowledged: the caller indexes it, then finishes or settles it.
import { codecShape } from '../../codec/shape.ts';
import { assert } from '../../foundation/assert.ts';
import { conflict, isKind, isPocketfulError, retryLater } from '../../foundation/errors.ts';
import { type BlockId, type BucketId, newBucketId, type RecordId } from '../../foundation/ids.ts';
import { GROUP_SLOTS_MAX } from '../../limits/panda.ts';
import { GROUP_ATTEMPTS_MAX } from '../../limits/volume.ts';
import type { Panda, Write } from '../../panda/panda.ts';
import { addSlots, bucketAttributes, bucketIsIn, bucketKey, slotCountIs } from '../../panda/rows/bucket-row.ts';
import { together } from '../../panda/rows/change.ts';
import { type AppendGroupRow, type GroupIntent, groupAttributes, groupKey } from '../../panda/rows/group-row.ts';
import { retiringKey } from '../../panda/rows/retiring-kek-row.ts';
import { addBuckets, addGroup, appendTo, fillExtents, nextSeqIs, tokenIs } from '../../panda/rows/volume-changes.ts';
import { type VolumeClass, type VolumeRow, volumeKey } from '../../panda/rows/volume-row.ts';
import type { Settings } from '../../settings/settings.ts';
import type { Lease } from '../open/lease.ts';

import { directoryBytesOf, filledBy, moreDirectoryBytes, writesDirectories } from '../rows/directory-room.ts';
import { readBucket, readGroup } from '../rows/read-rows.ts';
import { transact } from '../rows/transact.ts';
import type { VolumeStore } from '../volume-store.ts';
import { AppendedGroup } from './appended-group.ts';
import { groupOverheadBytes, type WrittenGroup, writeGroup } from './write-group.ts';

export const KEK_RETIRING = 'KEK_RETIRING';

/** A sealed block as the volume takes it: its wrapped key goes into the block's row only. */
export interface NewRecord {
  readonly blockId: BlockId;
  readonly recordId: RecordId;
  readonly record: Uint8Array;
  /** The object that is to be put plain with it, and nothing else. */
  readonly intent?: Omit<GroupIntent, 'slot'> | undefined;
}

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
    const lease = await store.open.lease(cls, needBytes);
    try {
      return await appendUnder(store, lease, records, totalBytes, kekVersion);
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

interface Target {
  readonly bucket: BucketId;
  readonly firstSlot: number;
  readonly isNew: boolean;
}

async function appendUnder(
  store: VolumeStore,
  lease: Lease,
  records: readonly NewRecord[],
  totalBytes: number,
  kekVersion: number,
): Promise<AppendedGroup> {
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
  const row = await commitAppend(store, lease, target, records, totalBytes, written);
  store.directories.put(row, lease.seq, lease.token, written.entries, written.columnBytes);
  const placed = written.entries.map(({ bucket, slot, column, offset }) => ({
    bucket,
    slot,
    hint: { volume: row.id, generation: row.generation, seq: lease.seq, token: lease.token, column, offset },
  }));
  return new AppendedGroup(store, lease, row, placed);
}

/** Read under the lease: who retires a version ends the leases from before (lib/gc/retire-kek.ts). */
async function assertNotRetiring(panda: Panda, kekVersion: number): Promise<void> {
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

/** COMMIT: the proposal becomes part of the store, its slots not yet named by any block row. */
async function commitAppend(
  store: VolumeStore,
  lease: Lease,
  target: Target,
  records: readonly NewRecord[],
  totalBytes: number,
  written: WrittenGroup,
): Promise<VolumeRow> {
  const { panda, clock, settings } = store.components;
  const volume = lease.volume;
  const group: AppendGroupRow = {
    kind: 'append',
    seq: lease.seq,
    token: lease.token,
    columnBytes: written.columnBytes,
    bucket: target.bucket,
    firstSlot: target.firstSlot,
    slots: records.map(({ blockId, recordId, record }) => ({ blockId, recordId, recordBytes: record.length })),
    intents: records.flatMap(({ intent }, slot) => (intent === undefined ? [] : [{ slot, ...intent }])),
  };
  const directoryBytes = target.isNew ? directoryBytesOf([records.length]) : moreDirectoryBytes(records.length);
  const filled = filledBy(volume, written.objectBytes, directoryBytes);
  const writes: Write[] = [
    {
      kind: 'update',
      ...volumeKey(settings.cell, volume.id),
      ...together(
        addGroup(lease.seq),
        fillExtents(filled),
        appendTo(target.bucket),
        target.isNew ? addBuckets([target.bucket]) : {},
      ),
      if: [tokenIs(lease.token), nextSeqIs(lease.seq)],
    },
    {
      kind: 'put',
      ...groupKey(volume.id, volume.generation, lease.seq),
      attributes: groupAttributes(group),
      if: ['absent'],
    },
    bucketWrite(settings.cell, volume, target, records.length, totalBytes, Math.max(0, clock.nowMs())),
  ];
  const took = async (): Promise<boolean> => (await readGroup(panda, volume, lease.seq))?.token === lease.token;
  try {
    await transact(store.components, writes, took);
  } catch (error) {
    lease.done(undefined);
    throw error;
  }
  return {
    ...volume,
    nextSeq: lease.seq + 1,
    pendingSeq: lease.seq,
    ...filled,
    openBucket: target.bucket,
    buckets: target.isNew ? new Set([...volume.buckets, target.bucket]) : volume.buckets,
  };
}

function bucketWrite(
  cell: string,
  volume: VolumeRow,
  target: Target,
  slots: number,
  bytes: number,
  nowMs: number,
): Write {
  const key = bucketKey(cell, target.bucket);
  if (target.isNew)
    return {
      kind: 'put',
      ...key,
      attributes: bucketAttributes({
        volume: volume.id,
        move: 0,
        seq: 0,
        token: 0,
        usedBytes: bytes,
        liveBytes: bytes,
        slots,
        createdAtMs: nowMs,
      }),
      if: ['absent'],
    };
  return {
    kind: 'update',
    ...key,
    ...addSlots(slots, bytes),
    if: [bucketIsIn(volume.id), slotCountIs(target.firstSlot)],
  };
}
