// MOVE (protocols 10-11): buckets copied as ciphertext into a group of a warm volume, then their rows changed in one
// transaction. No block row is written. What died during the copy is dead weight in the destination.
import { codecShape } from '../../codec/shape.ts';
import { layOut } from '../../format/placement.ts';
import { assert } from '../../foundation/assert.ts';
import { isKind, isPocketfulError, retryLater } from '../../foundation/errors.ts';
import type { BucketId, RunId, VolumeId } from '../../foundation/ids.ts';
import { PAIRS_PER_TRANSACTION, VOLUME_BUCKETS_MAX } from '../../limits/panda.ts';
import { GROUP_ATTEMPTS_MAX } from '../../limits/volume.ts';
import type { Write } from '../../panda/panda.ts';
import { type BucketRow, bucketIsIn, bucketKey, moveIs, moveTo } from '../../panda/rows/bucket-row.ts';
import { together } from '../../panda/rows/change.ts';
import { groupAttributes, groupKey, type MoveGroupRow } from '../../panda/rows/group-row.ts';
import {
  addBuckets,
  addGroup,
  dropBuckets,
  fillExtents,
  nextSeqIs,
  noteMoved,
  ownedBy,
  pendingIs,
  tokenIs,
} from '../../panda/rows/volume-changes.ts';
import { laneOf, type VolumeRow, volumeKey } from '../../panda/rows/volume-row.ts';
import type { Lease } from '../open/lease.ts';
import type { BucketContent } from '../read/collect-bucket.ts';
import type { Components } from '../rows/components.ts';
import { directoryBytesOf, filledBy, slotSpan } from '../rows/directory-room.ts';
import { readBucket, readGroup, readVolume } from '../rows/read-rows.ts';
import { transact } from '../rows/transact.ts';
import { settledWrite } from '../steps/recover-steps.ts';
import type { VolumeStore } from '../volume-store.ts';
import { groupOverheadBytes, type WrittenGroup, writeGroup } from './write-group.ts';

export interface MoveResult {
  readonly destination: VolumeId;
  readonly moved: readonly BucketId[];
  /** Deleted, moved by somebody else, or their source lost its run, while they were copied. */
  readonly skipped: readonly BucketId[];
  readonly recordBytes: number;
  readonly storedBytes: number;
}

/**
 * What a group of these records adds to its fullest extent at the most, directories at seal included. `spans`: of its
 * buckets' slots.
 */
export function groupNeedBytes(
  records: readonly { readonly length: number }[],
  spans: readonly number[],
  dataColumns: number,
): number {
  const layout = layOut(records, dataColumns, new Array<number>(dataColumns).fill(0));
  const overheadBytes = groupOverheadBytes(records.length, spans.length) + directoryBytesOf(spans);
  return Math.max(...layout.columnBytes) + overheadBytes;
}

export const moveNeedBytes = (contents: readonly BucketContent[], dataColumns: number): number =>
  groupNeedBytes(
    contents.flatMap((content) => content.records.map(({ record }) => ({ length: record.length }))),
    spansOf(contents),
    dataColumns,
  );

const spansOf = (contents: readonly BucketContent[]): number[] => contents.map(({ records }) => slotSpan(records));

/**
 * Moves buckets whose sources are all draining under `run`, and of one lane. Buckets without records are dropped by
 * `dropEmptyBucket` instead. Throws `retry` DRIVES_MISSING, STORE_FULL, VOLUMES_BUSY or MOVE_FAILED, nothing moved.
 */
export async function moveBuckets(
  store: VolumeStore,
  run: RunId,
  contents: readonly BucketContent[],
): Promise<MoveResult> {
  assert(contents.length > 0 && contents.length <= VOLUME_BUCKETS_MAX, 'a move has 1 to VOLUME_BUCKETS_MAX buckets');
  assert(
    contents.every(({ records }) => records.length > 0),
    'buckets without records are dropped, not moved',
  );
  const [lane, ...others] = new Set(contents.map(({ source }) => laneOf(source)));
  assert(others.length === 0, 'buckets of different lanes are moved apart');
  const { dataColumns } = codecShape(store.components.settings.warmCodec);
  const needBytes = moveNeedBytes(contents, dataColumns);
  let last: unknown;
  for (let attempt = 0; attempt < GROUP_ATTEMPTS_MAX; attempt++) {
    const lease = await store.open.lease('warm', needBytes, contents.length, lane);
    try {
      return await moveUnder(store, lease, run, contents);
    } catch (error) {
      if (!isPocketfulError(error) || !(error.code === 'GROUP_NOT_STORED' || isKind(error, 'conflict'))) throw error;
      last = error;
    }
  }
  throw retryLater('MOVE_FAILED', `${contents.length} buckets could not be moved`, last);
}

async function moveUnder(
  store: VolumeStore,
  lease: Lease,
  run: RunId,
  contents: readonly BucketContent[],
): Promise<MoveResult> {
  const records = contents.flatMap(({ bucket, records: of }) =>
    of.map(({ slot, recordId, record }) => ({ bucket: bucket.id, move: bucket.move + 1, slot, recordId, record })),
  );
  let written: WrittenGroup;
  try {
    written = await writeGroup(store, lease, 'move', records);
  } catch (error) {
    if (isPocketfulError(error) && error.code !== 'GROUP_NOT_STORED') await lease.release();
    throw error;
  }
  const filled = filledBy(lease.volume, written.objectBytes, directoryBytesOf(spansOf(contents)));
  const row = await commitGroup(store, lease, run, written, filled);
  store.directories.put(row, lease.seq, lease.token, written.entries, written.columnBytes);
  const moved: BucketId[] = [];
  try {
    for (let at = 0; at < contents.length; at += PAIRS_PER_TRANSACTION)
      moved.push(
        ...(await commitBuckets(store.components, row, lease, run, contents.slice(at, at + PAIRS_PER_TRANSACTION))),
      );
    await settle(store.components, row, lease);
  } catch (error) {
    lease.done(undefined); // what is committed is; the next lease holder settles the rest
    throw error;
  }
  lease.done({
    ...row,
    pendingSeq: undefined,
    owner: undefined,
    expiresAtMs: 0,
    buckets: new Set([...row.buckets, ...moved]),
  });
  const took = new Set(moved);
  return {
    destination: row.id,
    moved,
    skipped: contents.map(({ bucket }) => bucket.id).filter((id) => !took.has(id)),
    recordBytes: records.reduce((sum, { record }) => sum + record.length, 0),
    storedBytes: written.objectBytes.reduce((sum, bytes) => sum + bytes, 0),
  };
}

/** COMMIT of the group: it is stored, but no bucket is in it yet. */
async function commitGroup(
  store: VolumeStore,
  lease: Lease,
  run: RunId,
  written: WrittenGroup,
  filled: ReturnType<typeof filledBy>,
): Promise<VolumeRow> {
  const volume = lease.volume;
  const group: MoveGroupRow = {
    kind: 'move',
    seq: lease.seq,
    token: lease.token,
    columnBytes: written.columnBytes,
    run,
  };
  const writes = moveCommitWrites(store.components.settings.cell, volume, group, filled);
  try {
    const took = async (): Promise<boolean> =>
      (await readGroup(store.components.panda, volume, lease.seq))?.token === lease.token;
    await transact(store.components, writes, took);
  } catch (error) {
    lease.done(undefined);
    throw error;
  }
  return { ...volume, nextSeq: lease.seq + 1, pendingSeq: lease.seq, ...filled };
}

/** Step 11 for some buckets: all of them, or one by one when somebody else changed one. The buckets that moved. */
async function commitBuckets(
  components: Components,
  destination: VolumeRow,
  lease: Lease,
  run: RunId,
  contents: readonly BucketContent[],
): Promise<BucketId[]> {
  const ids = contents.map(({ bucket }) => bucket.id);
  const arrived = async (): Promise<boolean> => {
    const first = contents[0]?.bucket;
    assert(first !== undefined, 'a commit has buckets');
    const now = await readBucket(components.panda, components.settings.cell, first.id);
    return now?.volume === destination.id && now.move === first.move + 1;
  };
  try {
    await transact(components, moveWrites(components.settings.cell, destination, lease, run, contents), arrived);
    return ids;
  } catch (error) {
    if (!isKind(error, 'conflict')) throw error;
    const now = await readVolume(components.panda, components.settings.cell, destination.id);
    if (now?.token !== lease.token || contents.length === 1) return [];
  }
  const moved: BucketId[] = [];
  for (const content of contents) moved.push(...(await commitBuckets(components, destination, lease, run, [content])));
  return moved;
}

/** Pure: the COMMIT of a move group. */
export const moveCommitWrites = (
  cell: string,
  volume: Pick<VolumeRow, 'id' | 'generation'>,
  group: MoveGroupRow,
  filled: ReturnType<typeof filledBy>,
): Write[] => [
  {
    kind: 'update',
    ...volumeKey(cell, volume.id),
    ...together(addGroup(group.seq), fillExtents(filled)),
    if: [tokenIs(group.token), nextSeqIs(group.seq)],
  },
  {
    kind: 'put',
    ...groupKey(volume.id, volume.generation, group.seq),
    attributes: groupAttributes(group),
    if: ['absent'],
  },
];

/** Pure: step 11 in one transaction. */
export function moveWrites(
  cell: string,
  destination: Pick<VolumeRow, 'id'>,
  lease: Pick<Lease, 'token' | 'seq'>,
  run: RunId,
  contents: readonly {
    readonly source: Pick<VolumeRow, 'id'>;
    readonly bucket: Pick<BucketRow, 'id' | 'volume' | 'move'>;
  }[],
): Write[] {
  const bySource = new Map<VolumeId, BucketId[]>();
  for (const { source, bucket } of contents) bySource.set(source.id, [...(bySource.get(source.id) ?? []), bucket.id]);
  return [
    {
      kind: 'update',
      ...volumeKey(cell, destination.id),
      ...addBuckets(contents.map(({ bucket }) => bucket.id)),
      if: [tokenIs(lease.token), pendingIs(lease.seq)],
    },
    ...[...bySource].map(
      ([source, ids]): Write => ({
        kind: 'update',
        ...volumeKey(cell, source),
        ...together(dropBuckets(ids), noteMoved(ids)),
        if: [ownedBy(run)],
      }),
    ),
    ...contents.map(
      ({ bucket }): Write => ({
        kind: 'update',
        ...bucketKey(cell, bucket.id),
        ...moveTo({ volume: destination.id, move: bucket.move + 1, seq: lease.seq, token: lease.token }),
        if: [bucketIsIn(bucket.volume), moveIs(bucket.move)],
      }),
    ),
  ];
}

async function settle(components: Components, row: VolumeRow, lease: Lease): Promise<void> {
  const took = async (): Promise<boolean> => {
    const now = await readVolume(components.panda, components.settings.cell, row.id);
    return now !== undefined && (now.token !== lease.token || now.pendingSeq === undefined);
  };
  try {
    await transact(components, [settledWrite(components.settings.cell, row, lease.token, lease.seq, true)], took);
  } catch (error) {
    if (!isKind(error, 'conflict')) throw error; // the lease was broken, and the group settled by whoever did
  }
}
