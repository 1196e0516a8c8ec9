// RECOVER (protocol 5), pure: which slots of a committed group no block row names, and what makes them dead.
import type { BlockId, BucketId, ObjectVersion } from '../../foundation/ids.ts';
import { GUARD_ROWS_MAX, TRANSACTION_ITEMS_MAX } from '../../limits/panda.ts';
import type { Write } from '../../panda/panda.ts';
import {
  type BlockRow,
  type BlockSlot,
  blockKey,
  countedRefs,
  giveBackName,
  recordIs,
  refsAre,
  slotIs,
} from '../../panda/rows/block-row.ts';
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
import type { AppendGroupRow, GroupIntent, GroupSlot, MergeGroupRow } from '../../panda/rows/group-row.ts';
import { type ObjectRow, objectKey, versionIs } from '../../panda/rows/object-row.ts';
import { type VoidRow, voidKey, voidNamespaceWrite, voidWrite } from '../../panda/rows/void-row.ts';
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

/** What recovery of a group with intents has read: the objects before the blocks. */
export interface IntentRows {
  /** By the version an intent would give them. */
  readonly objects: ReadonlyMap<ObjectVersion, ObjectRow | undefined>;
  /** What is void already of its name, by the same version. */
  readonly voids: ReadonlyMap<ObjectVersion, VoidRow | undefined>;
  readonly blocks: ReadonlyMap<BlockId, BlockRow | undefined>;
  readonly dead: DeadRow;
  readonly nowMs: number;
}

/** A slot of such a group that is not as it is to be. */
interface SlotPlan {
  readonly slot: number;
  readonly recordBytes: number;
  readonly dies: boolean;
  /** Beside its dead bit. */
  readonly writes: readonly Write[];
  /** What is void of it from now on. */
  readonly voided: GroupIntent | undefined;
}

/**
 * Pure: the same of a group with objects that were to be put plain, for as many slots as a transaction takes. What such
 * an object's block says of it counts if the object is there. If it is not, the block gives the named reference back,
 * and its version is void from then on, whenever its row may come;
 * and a slot without a block row dies under the condition that there is none, for the row may still come.
 */
export function intentWrites(
  cell: string,
  group: AppendGroupRow,
  rows: IntentRows,
): { readonly writes: Write[]; readonly isAll: boolean } {
  const intents = new Map((group.intents ?? []).map((one) => [one.slot, one]));
  const some: SlotPlan[] = [];
  const namespaces = new Map<string, Write>();
  let items = 0;
  let isAll = true;
  for (const [i, slot] of group.slots.entries()) {
    const place = { bucket: group.bucket, slot: group.firstSlot + i };
    const plan = slotPlan(place, slot, intents.get(i), rows);
    if (plan === undefined) continue;
    const { writes, voided } = plan;
    isAll &&= items + writes.length + 1 <= TRANSACTION_ITEMS_MAX - GUARD_ROWS_MAX;
    if (!isAll) break;
    some.push(plan);
    if (voided !== undefined && !namespaces.has(voided.namespace)) {
      namespaces.set(voided.namespace, voidNamespaceWrite(voided.namespace, voided.version));
      items += 1;
    }
    items += writes.length;
  }
  const dying = some.filter(({ dies }) => dies);
  const bits = dying.length === 0 ? [] : diedWrites(cell, group.bucket, rows.dead, dying);
  return { writes: [...some.flatMap(({ writes }) => writes), ...namespaces.values(), ...bits], isAll };
}

function slotPlan(
  place: BlockSlot,
  { blockId, recordId, recordBytes }: GroupSlot,
  intent: GroupIntent | undefined,
  { objects, voids, blocks, dead, nowMs }: IntentRows,
): SlotPlan | undefined {
  const row = blocks.get(blockId);
  const plan = (writes: readonly Write[], dies = true, voided?: GroupIntent): SlotPlan => ({
    slot: place.slot,
    recordBytes,
    dies,
    writes,
    voided,
  });
  if (row?.recordId !== recordId || row.bucket !== place.bucket || row.slot !== place.slot) {
    if (isDead(dead, place.slot)) return undefined;
    const asRead: Write = { kind: 'check', ...blockKey(blockId), if: row ? [recordIs(row.recordId)] : ['absent'] };
    return plan(intent === undefined ? [] : [asRead]);
  }
  if (intent === undefined || row.named !== intent.version) return undefined;
  const object = objects.get(intent.version);
  if (object?.version === intent.version) return undefined;
  const { namespace, key, version } = intent;
  const unseen: Write[] = [
    { kind: 'check', ...objectKey(namespace, key), if: versionIs(object) },
    voidWrite(voidKey(namespace, key), voids.get(version), version, nowMs),
  ];
  const asRead = [recordIs(recordId), ...slotIs(row), ...refsAre(row)];
  if (countedRefs(row) > 0)
    return plan([...unseen, { kind: 'update', ...blockKey(blockId), ...giveBackName, if: asRead }], false, intent);
  return plan([...unseen, { kind: 'delete', ...blockKey(blockId), if: asRead }], true, intent);
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
