// MERGE (protocol 21), pure: rows that were read go in, writes with their conditions come out. A merge copies live
// records out of bucket remnants into new buckets by a group like any other; then the block rows change, a few at a
// time, each with the slot it leaves: a block is in its old slot, alive there, or in its new one, alive there, and
// never in both.
import { assert } from '../../foundation/assert.ts';
import type { BlockId, BucketId, RecordId, RunId, VolumeId } from '../../foundation/ids.ts';
import type { Write } from '../../panda/panda.ts';
import {
  type BlockRow,
  type BlockSlot,
  blockIs,
  blockKey,
  formIs,
  formOf,
  moveToSlot,
  recordIs,
  slotIs,
} from '../../panda/rows/block-row.ts';
import { bucketAttributes, bucketKey, type DeadRow, NO_DEAD } from '../../panda/rows/bucket-row.ts';
import { together } from '../../panda/rows/change.ts';
import { groupAttributes, groupKey, type MergeGroupRow } from '../../panda/rows/group-row.ts';
import {
  addBuckets,
  addGroup,
  fillExtents,
  nextSeqIs,
  noteMoved,
  ownedBy,
  pendingIs,
  tokenIs,
} from '../../panda/rows/volume-changes.ts';
import { type VolumeRow, volumeKey } from '../../panda/rows/volume-row.ts';
import type { filledBy } from '../rows/directory-room.ts';
import { diedWrites } from './recover-steps.ts';

/**
 * A bucket is born by a merge as if it had been moved once: its records are looked for in the group that its row names.
 */
export const MERGED_MOVE = 1;

/** A block on its way from a remnant to a new bucket. */
export interface MergingBlock {
  readonly blockId: BlockId;
  readonly recordId: RecordId;
  readonly recordBytes: number;
  readonly from: BlockSlot;
  readonly to: BlockSlot;
}

/** One that is where it was copied from, by its row. */
export interface MergeableBlock extends MergingBlock {
  readonly row: BlockRow;
}

interface Home {
  readonly volume: VolumeId;
  readonly token: number;
  readonly seq: number;
}

/** COMMIT: the group is part of the store, and so are its new buckets; no block row names a slot of theirs yet. */
export function mergeCommitWrites(
  cell: string,
  volume: VolumeRow,
  group: MergeGroupRow,
  filled: ReturnType<typeof filledBy>,
  createdAtMs: number,
): Write[] {
  const { seq, token } = group;
  return [
    {
      kind: 'update',
      ...volumeKey(cell, volume.id),
      ...together(addGroup(seq), fillExtents(filled), addBuckets(group.buckets.map(({ bucket }) => bucket))),
      if: [tokenIs(token), nextSeqIs(seq)],
    },
    {
      kind: 'put',
      ...groupKey(volume.id, volume.generation, seq),
      attributes: groupAttributes(group),
      if: ['absent'],
    },
    ...group.buckets.map(({ bucket, slots }): Write => {
      const bytes = slots.reduce((sum, { recordBytes }) => sum + recordBytes, 0);
      return {
        kind: 'put',
        ...bucketKey(cell, bucket),
        attributes: bucketAttributes({
          volume: volume.id,
          move: MERGED_MOVE,
          seq,
          token,
          usedBytes: bytes,
          liveBytes: bytes,
          slots: slots.length,
          createdAtMs,
        }),
        if: ['absent'],
      };
    }),
  ];
}

/** Before any block leaves a source: whoever frees it is to see these buckets readable first. */
export const mergeNoteWrite = (cell: string, source: VolumeId, run: RunId, buckets: readonly BucketId[]): Write => ({
  kind: 'update',
  ...volumeKey(cell, source),
  ...noteMoved(buckets),
  if: [ownedBy(run)],
});

/**
 * Whether a block can still be merged: a row that is in trash stays where its trash row says, until GC or a put has it.
 */
export const isMergeable = (row: BlockRow | undefined, { recordId, from }: MergingBlock): row is BlockRow =>
  row?.state === 'live' && row.recordId === recordId && row.bucket === from.bucket && row.slot === from.slot;

/**
 * INDEX: blocks get their new slots, and their old ones die, all in one transaction. No condition names a volume but
 * the new one.
 */
export function mergeIndexWrites(
  cell: string,
  home: Home,
  blocks: readonly MergeableBlock[],
  deads: ReadonlyMap<BucketId, DeadRow>,
): Write[] {
  assert(blocks.length > 0, 'a merge transaction has blocks');
  return [
    {
      kind: 'check',
      ...volumeKey(cell, home.volume),
      if: [tokenIs(home.token), pendingIs(home.seq)],
    },
    ...blocks.map(
      ({ blockId, recordId, from, to, row }): Write => ({
        kind: 'update',
        ...blockKey(blockId),
        ...moveToSlot(row, to),
        if: [recordIs(recordId), ...slotIs({ ...from, ...formOf(row) }), ...formIs(row), ...blockIs('live', row)],
      }),
    ),
    ...[...Map.groupBy(blocks, ({ from }) => from.bucket)].flatMap(([bucket, of]) =>
      diedWrites(
        cell,
        bucket,
        deads.get(bucket) ?? NO_DEAD,
        of.map(({ from, recordBytes }) => ({ slot: from.slot, recordBytes })),
      ),
    ),
  ];
}

/** Cut so that no transaction has more than so many items. */
export function mergeTransactions(blocks: readonly MergingBlock[], itemsMax: number): MergingBlock[][] {
  const out: MergingBlock[][] = [];
  let sources = new Set<BucketId>();
  let current: MergingBlock[] = [];
  for (const block of blocks) {
    const items = 1 + current.length + 1 + 2 * (sources.size + (sources.has(block.from.bucket) ? 0 : 1));
    if (current.length > 0 && items > itemsMax) {
      out.push(current);
      current = [];
      sources = new Set();
    }
    current.push(block);
    sources.add(block.from.bucket);
  }
  if (current.length > 0) out.push(current);
  return out;
}
