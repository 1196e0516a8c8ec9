// What one index transaction writes (protocols 4, 17-19): objects put or deleted, and the references of their blocks.
// Pure: rows that were read go in, writes with their conditions come out.
import { conflict, corrupt } from '../foundation/errors.ts';
import type { BlockId, ObjectVersion } from '../foundation/ids.ts';
import { OLD_BLOCKS_INLINE_MAX } from '../limits/panda.ts';
import type { Clause, Condition, Write } from '../panda/panda.ts';
import {
  addRefs,
  type BlockRow,
  blockAttributes,
  blockIs,
  blockKey,
  bringBack,
  countedRefs,
  formIs,
  giveBackName,
  recordIs,
  refsAre,
  refsAtLeast,
  sendToTrash,
  slotIs,
} from '../panda/rows/block-row.ts';
import { together } from '../panda/rows/change.ts';
import {
  type ObjectRow,
  objectAttributes,
  objectKey,
  releaseAttributes,
  releaseKey,
  versionIs,
} from '../panda/rows/object-row.ts';
import type { RemovedObject } from '../panda/rows/removed/removed-row.ts';
import { trashAttributes, trashKey } from '../panda/rows/trash-row.ts';
import { isLoss, removedWrites } from './removed/keep-removed.ts';

/** A block that was just stored: its row but for references and state. */
export type FreshBlock = Omit<BlockRow, 'refs' | 'state' | 'named' | 'isOld'>;

export interface ObjectChange {
  readonly namespace: string;
  readonly key: string;
  /** undefined: delete. */
  readonly next: ObjectRow | undefined;
  /** Required version of the object now; any if undefined. */
  readonly ifVersion?: string | undefined;
}

export interface PlanInput {
  readonly cell: string;
  readonly nowMs: number;
  readonly changes: readonly ObjectChange[];
  /** References besides those of `changes`: the blocks of a segment, or (negative) of a release. */
  readonly extra?: ReadonlyMap<BlockId, number>;
  /** By change, as read. */
  readonly objects: readonly (ObjectRow | undefined)[];
  /** As read; undefined: no row. */
  readonly blocks: ReadonlyMap<BlockId, BlockRow | undefined>;
  readonly fresh: ReadonlyMap<BlockId, FreshBlock>;
  /** Blocks whose row is void: they are stored anew. */
  readonly voids?: ReadonlySet<BlockId>;
  /** What is deleted or overwritten can be restored for a while. */
  readonly keepsRemoved?: boolean;
}

export interface IndexPlan {
  readonly writes: readonly Write[];
  /** Fresh blocks whose record the rows now name. */
  readonly used: readonly BlockId[];
  /** Known blocks that are gone: they must be stored again before this can be written. */
  readonly gone: readonly BlockId[];
}

/** Old objects whose references are given back in the same transaction; any other leaves a release row. */
export const isReleasedInline = (old: ObjectRow): boolean =>
  old.blocks !== undefined && old.blocks.length <= OLD_BLOCKS_INLINE_MAX;

export interface References {
  /** Net of those that are counted, per block; 0 where they cancel out. */
  readonly counted: ReadonlyMap<BlockId, number>;
  /** Versions of old objects that their block names, if it does: it gives that reference back. */
  readonly named: ReadonlyMap<BlockId, readonly ObjectVersion[]>;
}

export function referencesOf(input: Pick<PlanInput, 'changes' | 'objects' | 'extra'>): References {
  const counted = new Map<BlockId, number>(input.extra);
  const named = new Map<BlockId, ObjectVersion[]>();
  const add = (id: BlockId, delta: number): unknown => counted.set(id, (counted.get(id) ?? 0) + delta);
  for (const [i, change] of input.changes.entries()) {
    const old = input.objects[i];
    for (const id of change.next?.blocks ?? []) add(id, 1);
    if (old === undefined || !isReleasedInline(old)) continue;
    for (const id of old.blocks ?? [])
      if (old.isNamed) named.set(id, [...(named.get(id) ?? []), old.version]);
      else add(id, -1);
  }
  return { counted, named };
}

/**
 * An object that was put plain is void unless its block, read after it, names it: as good as absent. So it stays, for
 * a block names a version from before its object is there (docs/decisions/0018).
 */
export const isVoidObject = (object: ObjectRow, blocks: ReadonlyMap<BlockId, BlockRow | undefined>): boolean =>
  object.isNamed === true && blocks.get(object.blocks?.[0] as BlockId)?.named !== object.version;

/** Throws `conflict` VERSION_MISMATCH if a change does not find the version it requires. */
export function planIndex(input: PlanInput): IndexPlan {
  const writes: Write[] = [];
  const used: BlockId[] = [];
  const gone: BlockId[] = [];
  const removed: RemovedObject[] = [];
  const { counted, named } = referencesOf(input);
  for (const id of new Set([...counted.keys(), ...named.keys()])) {
    const delta = counted.get(id) ?? 0;
    const row = input.blocks.get(id);
    const givesName = row?.named !== undefined && (named.get(id)?.includes(row.named) ?? false);
    if (delta === 0 && !givesName) continue;
    const fresh = input.fresh.get(id);
    if (row !== undefined && input.voids?.has(id) !== true) writes.push(...referWrites(input, row, delta, givesName));
    else if (delta < 0) throw corrupt('BLOCK_ROW_MISSING', 'a block that an object refers to has no row: run doctor');
    else if (fresh === undefined) gone.push(id);
    else {
      used.push(id);
      writes.push({
        kind: 'put',
        ...blockKey(id),
        attributes: blockAttributes({ ...fresh, refs: delta, state: 'live' }),
        if: unknownAs(row),
      });
    }
  }
  for (const [i, change] of input.changes.entries()) {
    const found = input.objects[i];
    const old = found && isVoidObject(found, input.blocks) ? undefined : found;
    const isKept = input.keepsRemoved === true && old !== undefined && isLoss(old, change.next);
    if (isKept) removed.push({ object: old, isOverwritten: change.next !== undefined, isRestored: false });
    writes.push(...objectWrites(change, found, old, isKept));
  }
  writes.push(...removedWrites(input.cell, input.nowMs, removed));
  return { writes, used, gone };
}

/** No row, or still that void one: a merge makes a slot die that its block has just left, so the slot is asked for. */
export const unknownAs = (row: BlockRow | undefined): Condition =>
  row === undefined ? ['absent'] : [recordIs(row.recordId), ...slotIs(row)];

function referWrites(input: PlanInput, row: BlockRow, delta: number, givesName: boolean): Write[] {
  const key = blockKey(row.id);
  const same = recordIs(row.recordId);
  const trashRow = trashKey(input.cell, row.bucket, row.slot);
  if (row.state === 'trash') {
    if (row.refs !== 0 || delta < 0)
      throw corrupt('REFERENCES_WRONG', 'a block in trash was still referred to: run doctor');
    const back: Clause[] = [same, ...slotIs(row), ...formIs(row), ...blockIs('trash', row)];
    return [
      { kind: 'update', ...key, ...bringBack(row, delta), if: back },
      { kind: 'delete', ...trashRow },
    ];
  }
  const next = row.refs + delta - (givesName ? 1 : 0);
  if (next < 0 || countedRefs(row) + delta < 0)
    throw corrupt('REFERENCES_WRONG', 'a block has fewer references than objects: run doctor');
  const live: Clause[] = [same, ...formIs(row), ...blockIs('live', row)];
  if (next > 0) {
    const change = together(delta === 0 ? {} : addRefs(row, delta), givesName ? giveBackName : {});
    // Those that are left: a name that stays, or one at least that is counted.
    const left = row.named === undefined || givesName ? 1 : 0;
    const enough = delta > 0 && !givesName ? [] : [refsAtLeast(left - delta)];
    return [{ kind: 'update', ...key, ...change, if: [...live, ...enough] }];
  }
  return [
    {
      kind: 'update',
      ...key,
      ...sendToTrash(row),
      if: [...live, ...slotIs(row), ...refsAre(row)],
    },
    {
      kind: 'put',
      ...trashRow,
      attributes: trashAttributes({
        blockId: row.id,
        recordId: row.recordId,
        recordBytes: row.recordBytes,
        sinceMs: input.nowMs,
      }),
    },
  ];
}

/** `found`: as read, void or not; `old`: what it was to clients. */
function objectWrites(
  change: ObjectChange,
  found: ObjectRow | undefined,
  old: ObjectRow | undefined,
  isKept: boolean,
): Write[] {
  const key = objectKey(change.namespace, change.key);
  if (change.ifVersion !== undefined && (old?.version ?? 'absent') !== change.ifVersion)
    throw conflict('VERSION_MISMATCH', `the object is at version ${old?.version ?? 'absent'}, not ${change.ifVersion}`);
  const asRead = versionIs(found);
  const write: Write =
    change.next === undefined
      ? { kind: 'delete', ...key, if: asRead }
      : { kind: 'put', ...key, attributes: objectAttributes(change.next), if: asRead };
  if (old === undefined || isReleasedInline(old)) return [write];
  return [
    write,
    {
      kind: 'put',
      ...releaseKey(old.version),
      attributes: releaseAttributes({
        version: old.version,
        namespace: old.namespace,
        key: old.key,
        blocks: old.blocks ?? [],
        cursor: '0:0',
        keepsSegments: isKept ? true : undefined,
      }),
      if: ['absent'],
    },
  ];
}

/** Items a change needs in a transaction, at the most, as long as the rows are as they were read. */
export function itemsOf(change: ObjectChange, old: ObjectRow | undefined, inTrash: (id: BlockId) => boolean): number {
  const added = new Set(change.next?.blocks ?? []);
  const back = [...added].filter(inTrash).length;
  if (old === undefined) return 1 + added.size + back;
  if (!isReleasedInline(old)) return 2 + added.size + back;
  return 1 + added.size + back + 2 * new Set(old.blocks ?? []).size;
}
