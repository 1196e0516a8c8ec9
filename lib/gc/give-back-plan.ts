// What GC does of a row of removed objects in one step (protocol 20), pure: references that are only counted are given
// back with the row, in one transaction; named ones by plain writes, once their slots are noted.
import type { BlockId, ObjectVersion } from '../foundation/ids.ts';
import { PAIRS_PER_TRANSACTION } from '../limits/panda.ts';
import type { Write } from '../panda/panda.ts';
import {
  type BlockRow,
  blockIs,
  blockKey,
  countedRefs,
  giveBackName,
  recordIs,
  refsAre,
  refsAtLeast,
  slotIs,
} from '../panda/rows/block-row.ts';
import {
  type HeldReference,
  type HoldingRow,
  type NotedSlot,
  noteGiven,
  referencesOf,
  stepIs,
} from '../panda/rows/removed/held-references.ts';
import { loseReferences } from '../volume/steps/reference-steps.ts';

export interface GiveBackPlan {
  /** Empty, or the row's own write with those of the blocks whose counted references go. */
  readonly writes: readonly Write[];
  /** The row once they are done. */
  readonly next: HoldingRow;
  /** Slots whose block row goes with them. */
  readonly left: readonly NotedSlot[];
  /** Nothing is left then but what `named` does. */
  readonly isLast: boolean;
  /** Plain writes, each of its own. */
  readonly named: readonly NamedWrite[];
}

export interface NamedWrite {
  readonly version: ObjectVersion;
  readonly write: Write;
  /** The slot that its block row leaves. */
  readonly left: NotedSlot | undefined;
}

/** Of the counted references that are still to be given back, as many as a transaction takes. */
export function nextCounted(gone: HoldingRow): HeldReference[] {
  const blocks = new Set<BlockId>();
  const some: HeldReference[] = [];
  for (const one of countedOf(gone).slice(gone.given)) {
    if (blocks.size === PAIRS_PER_TRANSACTION && !blocks.has(one.blockId)) break;
    blocks.add(one.blockId);
    some.push(one);
  }
  return some;
}

const countedOf = (gone: HoldingRow): HeldReference[] => referencesOf(gone).filter(({ object }) => !object.isNamed);

/** References that their block names, if it does: of one that does not, it was given back. */
export const namedOf = (gone: HoldingRow): HeldReference[] => referencesOf(gone).filter(({ object }) => object.isNamed);

/** `blocks`: as read, of those that are counted next and of all that are named. */
export function planGiveBack(gone: HoldingRow, blocks: ReadonlyMap<BlockId, BlockRow | undefined>): GiveBackPlan {
  const counted = nextCounted(gone);
  const left: NotedSlot[] = [];
  const writes: Write[] = [];
  const byBlock = Map.groupBy(counted, ({ blockId }) => blockId);
  for (const [id, references] of byBlock) {
    const row = blocks.get(id);
    // A reference keeps its block: that row was lost, and there is nothing to give back to.
    if (row === undefined) continue;
    const { isLast, change, if: asRead } = loseReferences(row, references.length);
    if (isLast) left.push(noteOf(references[0] as HeldReference, row));
    writes.push(
      isLast
        ? { kind: 'delete', ...blockKey(id), if: asRead }
        : { kind: 'update', ...blockKey(id), ...change, if: asRead },
    );
  }
  const held = namedOf(gone).filter(({ blockId, object }) => blocks.get(blockId)?.named === object.version);
  // A row that loses counted ones here is another one afterwards.
  const ready = held.filter(({ blockId }) => !byBlock.has(blockId));
  const named = ready.map((reference) => namedWrite(reference, blocks.get(reference.blockId) as BlockRow));
  const notes = withNew(gone.notes, [...left, ...named.flatMap(({ left: one }) => one ?? [])]);
  const kekVersion = Math.max(gone.kekVersion, ...[...blocks.values()].map((row) => row?.kekVersion ?? 0));
  const given = gone.given + counted.length;
  const isLast = given === countedOf(gone).length && ready.length === held.length;
  if (counted.length === 0 && notes.length === gone.notes.length)
    return { writes: [], next: gone, left: [], isLast, named };
  const next: HoldingRow = { ...gone, step: gone.step + 1, given, notes, kekVersion };
  const own: Write = {
    kind: 'update',
    partition: gone.partition,
    sort: gone.sort,
    ...noteGiven(next),
    if: [stepIs(gone)],
  };
  return { writes: [own, ...writes], next, left, isLast, named };
}

const noteOf = ({ reference }: HeldReference, { recordId, bucket, slot, recordBytes }: BlockRow): NotedSlot => ({
  reference,
  recordId,
  bucket,
  slot,
  recordBytes,
});

/** 20c: the row goes if nobody counts on it, from the slot that is noted; else only the name. */
function namedWrite(reference: HeldReference, row: BlockRow): NamedWrite {
  const { version } = reference.object;
  const key = blockKey(reference.blockId);
  const asRead = [recordIs(row.recordId), ...blockIs('live', row)];
  if (countedRefs(row) > 0)
    return {
      version,
      write: { kind: 'update', ...key, ...giveBackName, if: [...asRead, refsAtLeast(1)] },
      left: undefined,
    };
  const asNoted = [recordIs(row.recordId), ...slotIs(row), ...refsAre(row)];
  return { version, write: { kind: 'delete', ...key, if: asNoted }, left: noteOf(reference, row) };
}

export const isSameSlot = (one: NotedSlot, other: NotedSlot): boolean =>
  one.recordId === other.recordId && one.bucket === other.bucket && one.slot === other.slot;

/** A slot is noted once: who died after that had noted it too. */
function withNew(notes: readonly NotedSlot[], more: readonly NotedSlot[]): NotedSlot[] {
  const fresh = more.filter((one) => !notes.some((other) => isSameSlot(one, other)));
  return [...notes, ...fresh];
}
