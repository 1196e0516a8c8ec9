// What one index transaction writes (protocols 4, 17-19): objects put or deleted, and the references of their blocks.
// Pure: rows that were read go in, writes with their conditions come out.
import { conflict, corrupt } from '../foundation/errors.ts';
import type { BlockId } from '../foundation/ids.ts';
import { OLD_BLOCKS_INLINE_MAX } from '../limits/panda.ts';
import type { Clause, Write } from '../panda/panda.ts';
import {
  addRefs,
  type BlockRow,
  blockAttributes,
  blockIs,
  blockKey,
  bringBack,
  formIs,
  recordIs,
  refsAre,
  refsAtLeast,
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
import { trashAttributes, trashKey } from '../panda/rows/trash-row.ts';

/** A block that was just stored: its row but for references and state. */
export type FreshBlock = Omit<BlockRow, 'refs' | 'state' | 'isOld'>;

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

/** Net references per block; 0 where they cancel out. */
export function referenceDeltas(input: Pick<PlanInput, 'changes' | 'objects' | 'extra'>): Map<BlockId, number> {
  const deltas = new Map<BlockId, number>(input.extra);
  const add = (id: BlockId, delta: number): unknown => deltas.set(id, (deltas.get(id) ?? 0) + delta);
  for (const [i, change] of input.changes.entries()) {
    const old = input.objects[i];
    for (const id of change.next?.blocks ?? []) add(id, 1);
    if (old !== undefined && isReleasedInline(old)) for (const id of old.blocks ?? []) add(id, -1);
  }
  return deltas;
}

/** Throws `conflict` VERSION_MISMATCH if a change does not find the version it requires. */
export function planIndex(input: PlanInput): IndexPlan {
  const writes: Write[] = [];
  const used: BlockId[] = [];
  const gone: BlockId[] = [];
  for (const [id, delta] of referenceDeltas(input)) {
    if (delta === 0) continue;
    const row = input.blocks.get(id);
    const fresh = input.fresh.get(id);
    if (row !== undefined) writes.push(...referWrites(input, row, delta));
    else if (delta < 0) throw corrupt('BLOCK_ROW_MISSING', 'a block that an object refers to has no row: run doctor');
    else if (fresh === undefined) gone.push(id);
    else {
      used.push(id);
      writes.push({
        kind: 'put',
        ...blockKey(id),
        attributes: blockAttributes({ ...fresh, refs: delta, state: 'live' }),
        if: ['absent'],
      });
    }
  }
  for (const [i, change] of input.changes.entries()) writes.push(...objectWrites(change, input.objects[i]));
  return { writes, used, gone };
}

function referWrites(input: PlanInput, row: BlockRow, delta: number): Write[] {
  const key = blockKey(row.id);
  const same = recordIs(row.recordId);
  const trashRow = trashKey(input.cell, row.bucket, row.slot);
  if (row.state === 'trash') {
    if (row.refs !== 0 || delta < 0)
      throw corrupt('REFERENCES_WRONG', 'a block in trash was still referred to: run doctor');
    const back: Clause[] = [same, ...slotIs(row), ...formIs(row), blockIs('trash', row)];
    return [
      { kind: 'update', ...key, ...bringBack(row, delta), if: back },
      { kind: 'delete', ...trashRow },
    ];
  }
  const next = row.refs + delta;
  if (next < 0) throw corrupt('REFERENCES_WRONG', 'a block has fewer references than objects: run doctor');
  const live: Clause[] = [same, ...formIs(row), blockIs('live', row)];
  if (delta > 0) return [{ kind: 'update', ...key, ...addRefs(row, delta), if: live }];
  if (next > 0) return [{ kind: 'update', ...key, ...addRefs(row, delta), if: [...live, refsAtLeast(1 - delta)] }];
  return [
    {
      kind: 'update',
      ...key,
      ...sendToTrash(row),
      if: [...live, ...slotIs(row), refsAre(row.refs)],
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

function objectWrites(change: ObjectChange, old: ObjectRow | undefined): Write[] {
  const key = objectKey(change.namespace, change.key);
  if (change.ifVersion !== undefined && (old?.version ?? 'absent') !== change.ifVersion)
    throw conflict('VERSION_MISMATCH', `the object is at version ${old?.version ?? 'absent'}, not ${change.ifVersion}`);
  const asRead = versionIs(old);
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
