// COMMIT of an append (protocol 3): what is on the drives becomes part of the store, by itself or in one transaction
// with what indexes it.
import { isKind, unknownOutcome } from '../../foundation/errors.ts';
import type { BlockId, BucketId, RecordId } from '../../foundation/ids.ts';
import { PandaConflict } from '../../panda/conflict.ts';
import type { Write } from '../../panda/panda.ts';
import { addSlots, bucketAttributes, bucketIsIn, bucketKey, slotCountIs } from '../../panda/rows/bucket-row.ts';
import { type Change, together } from '../../panda/rows/change.ts';
import { type AppendGroupRow, type GroupIntent, groupAttributes, groupKey } from '../../panda/rows/group-row.ts';
import {
  addBuckets,
  addGroup,
  addSettledGroup,
  appendTo,
  fillExtents,
  nextSeqIs,
  tokenIs,
} from '../../panda/rows/volume-changes.ts';
import { type VolumeRow, volumeKey } from '../../panda/rows/volume-row.ts';
import type { Lease } from '../open/lease.ts';
import { directoryBytesOf, filledBy, moreDirectoryBytes } from '../rows/directory-room.ts';
import { readGroup, readVolume } from '../rows/read-rows.ts';
import { LateConflict, transact } from '../rows/transact.ts';
import type { VolumeStore } from '../volume-store.ts';
import type { WrittenGroup } from './write-group.ts';

/** A sealed block as the volume takes it: its wrapped key goes into the block's row only. */
export interface NewRecord {
  readonly blockId: BlockId;
  readonly recordId: RecordId;
  readonly record: Uint8Array;
  /** The object that is to be put plain with it, and nothing else. */
  readonly intent?: Omit<GroupIntent, 'slot'> | undefined;
}

export interface Target {
  readonly bucket: BucketId;
  readonly firstSlot: number;
  readonly isNew: boolean;
}

/** What is on the drives, and in no row yet. */
export interface Proposal {
  readonly lease: Lease;
  readonly target: Target;
  readonly records: readonly NewRecord[];
  readonly totalBytes: number;
  readonly written: WrittenGroup;
}

/** COMMIT: the proposal becomes part of the store, its slots not yet named by any block row. */
export async function commitAppend(
  store: VolumeStore,
  proposal: Proposal,
  took = tookOf(store, proposal.lease),
): Promise<VolumeRow> {
  const { lease } = proposal;
  try {
    await transact(store.components, commitWrites(store, proposal, addGroup(lease.seq)), took);
  } catch (error) {
    lease.done(undefined);
    throw error;
  }
  return { ...rowAfter(proposal), pendingSeq: lease.seq };
}

/**
 * COMMIT, INDEX and SETTLE in one, and the LEASE after it if that is kept: all of it, or nothing. Undefined if a
 * condition did not hold: the group is committed by itself then, which shows whether the lease still holds.
 */
export async function commitWhole(
  store: VolumeStore,
  proposal: Proposal,
  index: readonly Write[],
): Promise<VolumeRow | undefined> {
  const { lease } = proposal;
  const next = lease.next();
  const writes = [...commitWrites(store, proposal, addSettledGroup(lease.seq, next)), ...index];
  try {
    await transact(store.components, writes, tookOf(store, lease));
  } catch (error) {
    if (error instanceof LateConflict) return commitInstead(store, proposal);
    if (error instanceof PandaConflict) return undefined;
    lease.done(undefined);
    throw error;
  }
  const row = { ...rowAfter(proposal), ...(next ?? { owner: undefined, expiresAtMs: 0 }) };
  lease.done(row);
  return row;
}

/**
 * COMMIT where a first sending of the whole may still come: once the number is used it never will. If that cannot be
 * had, nobody knows which of the two it was.
 */
async function commitInstead(store: VolumeStore, proposal: Proposal): Promise<VolumeRow> {
  const { components } = store;
  const { lease } = proposal;
  const isPending = async (): Promise<boolean> => {
    const now = await readVolume(components.panda, components.settings.cell, lease.volume.id);
    return now?.token === lease.token && now.pendingSeq === lease.seq;
  };
  try {
    return await commitAppend(store, proposal, isPending);
  } catch (error) {
    if (!isKind(error, 'conflict')) throw error;
    throw unknownOutcome('PANDA_UNKNOWN', 'it is not known whether it was put: read it, or put it again', error);
  }
}

/** A token writes one group of a number. */
const tookOf =
  (store: VolumeStore, { volume, seq, token }: Lease) =>
  async (): Promise<boolean> =>
    (await readGroup(store.components.panda, volume, seq))?.token === token;

const filledAfter = ({ lease, target, records, written }: Proposal): ReturnType<typeof filledBy> =>
  filledBy(
    lease.volume,
    written.objectBytes,
    target.isNew ? directoryBytesOf([records.length]) : moreDirectoryBytes(records.length),
  );

function rowAfter(proposal: Proposal): VolumeRow {
  const { lease, target } = proposal;
  const { volume } = lease;
  return {
    ...volume,
    nextSeq: lease.seq + 1,
    ...filledAfter(proposal),
    openBucket: target.bucket,
    buckets: target.isNew ? new Set([...volume.buckets, target.bucket]) : volume.buckets,
  };
}

function commitWrites(store: VolumeStore, proposal: Proposal, add: Change): Write[] {
  const { clock, settings } = store.components;
  const { lease, target, records, totalBytes, written } = proposal;
  const { volume } = lease;
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
  return [
    {
      kind: 'update',
      ...volumeKey(settings.cell, volume.id),
      ...together(
        add,
        fillExtents(filledAfter(proposal)),
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
