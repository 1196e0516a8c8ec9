// RECOVER (protocol 5), pure: which slots of a committed group no block row names, and what makes them dead.
import type { BlockId, BucketId } from '../../foundation/ids.ts';
import type { Write } from '../../panda/panda.ts';
import type { BlockRow } from '../../panda/rows/block-row.ts';
import {
  bucketKey,
  type DeadRow,
  deadAttributes,
  deadIsAsRead,
  deadKey,
  isDead,
  loseLiveBytes,
  NO_DEAD,
  withDead,
} from '../../panda/rows/bucket-row.ts';
import { together } from '../../panda/rows/change.ts';
import type { AppendGroupRow, GroupSlot, MergeGroupRow } from '../../panda/rows/group-row.ts';
import { endLease, pendingIs, settleGroup, tokenIs } from '../../panda/rows/volume-changes.ts';
import { type VolumeRow, volumeKey } from '../../panda/rows/volume-row.ts';

/** A group whose row lists its slots. */
export type ListedGroup = AppendGroupRow | MergeGroupRow;

/** The write that makes a volume's pending group settled and, if `release`, gives the lease back. */
export function settledWrite(
  cell: string,
  volume: Pick<VolumeRow, 'id'>,
  token: number,
  seq: number,
  release: boolean,
): Write {
  return {
    kind: 'update',
    ...volumeKey(cell, volume.id),
    ...(release ? together(settleGroup, endLease) : settleGroup),
    if: [tokenIs(token), pendingIs(seq)],
  };
}

/** Slots of one bucket that a group added. */
interface Part {
  readonly bucket: BucketId;
  readonly firstSlot: number;
  readonly slots: readonly GroupSlot[];
}

export const partsOf = (group: ListedGroup): Part[] =>
  group.kind === 'append' ? [group] : group.buckets.map((part) => ({ ...part, firstSlot: 0 }));

/**
 * Pure: the slots no block row names become dead. It is not enough that a row names the record: a merge copies records,
 * and the row says which of the copies is the one. Live bytes fall only for bits that flip.
 */
export function unnamedWrites(
  cell: string,
  parts: readonly Part[],
  rows: ReadonlyMap<BlockId, Pick<BlockRow, 'recordId' | 'bucket' | 'slot'> | undefined>,
  deads: ReadonlyMap<BucketId, DeadRow>,
): Write[] {
  return parts.flatMap(({ bucket, firstSlot, slots }) => {
    const dead = deads.get(bucket) ?? NO_DEAD;
    const unnamed = slots
      .map((slot, i) => ({ ...slot, slot: firstSlot + i }))
      .filter(({ blockId, recordId, slot }) => {
        const row = rows.get(blockId);
        const isNamed = row?.recordId === recordId && row.bucket === bucket && row.slot === slot;
        return !isNamed && !isDead(dead, slot);
      });
    return unnamed.length === 0 ? [] : diedWrites(cell, bucket, dead, unnamed);
  });
}

/** Slots of one bucket that die: their bits, if the dead row is as it was read, and the bytes of the bits that flip. */
export function diedWrites(
  cell: string,
  bucket: BucketId,
  dead: DeadRow,
  slots: readonly { readonly slot: number; readonly recordBytes: number }[],
): Write[] {
  const flipping = slots.filter(({ slot }) => !isDead(dead, slot));
  const bytes = flipping.reduce((sum, { recordBytes }) => sum + recordBytes, 0);
  const numbers = slots.map(({ slot }) => slot);
  return [
    { kind: 'update', ...bucketKey(cell, bucket), ...loseLiveBytes(bytes) },
    {
      kind: 'put',
      ...deadKey(cell, bucket),
      attributes: deadAttributes({ version: dead.version + 1, bits: withDead(dead, numbers) }),
      if: deadIsAsRead(dead),
    },
  ];
}
