// What one index transaction writes (protocols 4, 17-19): objects put or deleted, and the references of their blocks.
// Pure: rows that were read go in, writes with their conditions come out.
import { conflict, corrupt } from '../foundation/errors.ts';
import type { BlockId } from '../foundation/ids.ts';
import type { Clause, Condition, Write } from '../panda/panda.ts';
import {
  addRefs,
  type BlockRow,
  blockAttributes,
  blockIs,
  blockKey,
  bringBack,
  formIs,
  recordIs,
  sendToTrash,
  slotIs,
} from '../panda/rows/block-row.ts';
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
import { loseReferences } from '../volume/steps/reference-steps.ts';
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

/**
 * An old object that lists its blocks is listed with the others of its transaction, in a row that holds their
 * references until their grace is over (protocol 19); one with more has a release row of its own (8).
 */
export const listsBlocks = (old: ObjectRow): boolean => old.blocks !== undefined;

export interface References {
  /** Net of those that are counted, per block; 0 where they cancel out. */
  readonly counted: ReadonlyMap<BlockId, number>;
  /** Blocks of old objects that were put plain: what they say of it counts. */
  readonly named: ReadonlySet<BlockId>;
}

export function referencesOf(input: Pick<PlanInput, 'changes' | 'objects' | 'extra'>): References {
  const counted = new Map<BlockId, number>(input.extra);
  const named = new Set<BlockId>();
  const add = (id: BlockId, delta: number): unknown => counted.set(id, (counted.get(id) ?? 0) + delta);
  for (const [i, change] of input.changes.entries()) {
    const old = input.objects[i];
    for (const id of change.next?.blocks ?? []) add(id, 1);
    if (old?.isNamed) for (const id of old.blocks ?? []) named.add(id);
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
  for (const [id, delta] of referencesOf(input).counted) {
    const row = input.blocks.get(id);
    if (delta === 0) continue;
    const fresh = input.fresh.get(id);
    if (row !== undefined && input.voids?.has(id) !== true) writes.push(...referWrites(input, row, delta));
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
    if (old !== undefined && (isKept || listsBlocks(old)))
      removed.push({ object: old, isOverwritten: change.next !== undefined, isRestored: !isKept });
    writes.push(...objectWrites(change, found, old, isKept));
  }
  // In the very transaction that takes the names away: it is there exactly if they went.
  writes.push(...removedWrites(input.cell, input.nowMs, removed));
  return { writes, used, gone };
}

/** No row, or still that void one: a merge makes a slot die that its block has just left, so the slot is asked for. */
export const unknownAs = (row: BlockRow | undefined): Condition =>
  row === undefined ? ['absent'] : [recordIs(row.recordId), ...slotIs(row)];

function referWrites(input: PlanInput, row: BlockRow, delta: number): Write[] {
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
  if (delta > 0)
    return [{ kind: 'update', ...key, ...addRefs(row, delta), if: [same, ...formIs(row), ...blockIs('live', row)] }];
  const lost = loseReferences(row, -delta);
  if (!lost.isLast) return [{ kind: 'update', ...key, ...lost.change, if: lost.if }];
  return [
    { kind: 'update', ...key, ...sendToTrash(row), if: lost.if },
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
  if (old === undefined || listsBlocks(old)) return [write];
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

/**
 * Items a change needs in a transaction, at the most, as long as the rows are as they were read; that in which old
 * objects are listed is one for all.
 */
export function itemsOf(change: ObjectChange, old: ObjectRow | undefined, inTrash: (id: BlockId) => boolean): number {
  const added = new Set(change.next?.blocks ?? []);
  const back = [...added].filter(inTrash).length;
  return 1 + added.size + back + (old === undefined || listsBlocks(old) ? 0 : 1);
}
