// GC (protocol 20): what was deleted gives its references back when its grace is over, and blocks that nobody came back
// for are shredded: their rows, and with them the wrapped keys, are deleted, and their slots marked dead. GC marks;
// compaction frees. Blocks in trash are those of long objects, and of earlier releases.

import { isKind } from '../foundation/errors.ts';
import { type BucketId, hexOf } from '../foundation/ids.ts';
import { isAhead } from '../limits/clock-skew.ts';
import { PAIRS_PER_TRANSACTION } from '../limits/panda.ts';
import { CONFLICT_ATTEMPTS_MAX } from '../limits/volume.ts';
import type { Key, Write } from '../panda/panda.ts';
import {
  type BlockRow,
  blockFromRow,
  blockIs,
  blockKey,
  formOf,
  recordIs,
  type StoredForm,
} from '../panda/rows/block-row.ts';
import { type DeadRow, deadFromRow, deadKey } from '../panda/rows/bucket-row.ts';
import { readOrTell } from '../panda/rows/row-reader.ts';
import {
  inTrashSince,
  restartGrace,
  shredAttributes,
  shredKey,
  type TrashRow,
  trashFromRow,
  trashKey,
  trashPartitions,
} from '../panda/rows/trash-row.ts';
import type { Components } from '../volume/rows/components.ts';
import { rowsOf } from '../volume/rows/read-rows.ts';
import { backOffMs, transact } from '../volume/rows/transact.ts';
import { diedWrites } from '../volume/steps/recover-steps.ts';
import { endVoids } from './end-voids.ts';
import { expireRemoved } from './expire-removed.ts';

export interface GarbageReport {
  readonly slots: number;
  readonly recordBytes: number;
  readonly buckets: number;
  /** References to blocks whose grace has not passed. */
  readonly waiting: number;
}

export const NOTHING_SHREDDED: GarbageReport = { slots: 0, recordBytes: 0, buckets: 0, waiting: 0 };

/** What waits was counted by the last. */
export const shreddedTogether = (one: GarbageReport, next: GarbageReport): GarbageReport => ({
  slots: one.slots + next.slots,
  recordBytes: one.recordBytes + next.recordBytes,
  buckets: one.buckets + next.buckets,
  waiting: next.waiting,
});

export interface CollectOptions {
  readonly onProgress?: (slots: number) => void;
  readonly signal?: AbortSignal;
  /** Whatever is in trash, since whenever. */
  readonly ignoreGrace?: boolean;
  /** Given back in one step. */
  readonly referencesAtOnce?: number;
  /** Objects that cannot be restored any more. */
  readonly onForgotten?: (objects: number) => void;
}

/**
 * One pass over all trash. Safe to run twice, and beside puts, deletes and moves. Cut off by the signal it says what it
 * shredded until then.
 */
export async function collectGarbage(components: Components, options: CollectOptions = {}): Promise<GarbageReport> {
  let slots = 0;
  let recordBytes = 0;
  let waiting = 0;
  const graceMs = options.ignoreGrace ? Number.NEGATIVE_INFINITY : components.settings.deleteGraceMs;
  const buckets = new Set<BucketId>();
  const count = (gone: readonly Pick<TrashRow, 'bucket' | 'recordBytes'>[]): void => {
    for (const row of gone) {
      slots += 1;
      recordBytes += row.recordBytes;
      buckets.add(row.bucket);
    }
    options.onProgress?.(slots);
  };
  const shred = async (batch: readonly TrashRow[]): Promise<void> => {
    if (batch.length > 0 && !options.signal?.aborted) count(await shredReadable(components, batch));
  };
  const expired = await expireRemoved(components, {
    ignoreGrace: options.ignoreGrace,
    signal: options.signal,
    referencesAtOnce: options.referencesAtOnce,
    onShredded: count,
  });
  waiting += expired.waiting;
  options.onForgotten?.(expired.objects);
  for (const partition of trashPartitions(components.settings.cell)) {
    if (options.signal?.aborted) break;
    let batch: TrashRow[] = [];
    for await (const row of rowsOf(components.panda, partition)) {
      const trash = readOrTell(row, trashFromRow, components.badRow);
      if (trash === undefined) continue;
      if (isAhead(trash.sinceMs, components.clock.nowMs())) await beginGraceNow(components, trash);
      if (trash.sinceMs + graceMs > components.clock.nowMs()) {
        waiting += 1;
        continue;
      }
      if (batch.length === PAIRS_PER_TRANSACTION || (batch[0] !== undefined && batch[0].bucket !== trash.bucket)) {
        await shred(batch);
        batch = [];
        if (options.signal?.aborted) break;
      }
      batch.push(trash);
    }
    await shred(batch);
  }
  await endVoids(components, options.signal);
  return { slots, recordBytes, buckets: buckets.size, waiting };
}

/** Deleted in the future, by a clock that had jumped: its grace begins now, for otherwise it would end in years. */
async function beginGraceNow(components: Components, { bucket, slot, sinceMs }: TrashRow): Promise<void> {
  const nowMs = Math.max(0, components.clock.nowMs());
  const write: Write = {
    kind: 'update',
    ...trashKey(components.settings.cell, bucket, slot),
    ...restartGrace(nowMs),
    if: [inTrashSince(sinceMs)],
  };
  try {
    await transact(components, [write], async () => true);
  } catch (error) {
    if (!isKind(error, 'conflict')) throw error; // it came back, or another worker was here
  }
}

/** What a damaged row is in the way of stays in trash. */
async function shredReadable(components: Components, batch: readonly TrashRow[]): Promise<readonly TrashRow[]> {
  try {
    return await shredSlots(components, batch);
  } catch (error) {
    const first = batch[0];
    if (components.badRow === undefined || first === undefined || !isKind(error, 'corrupt')) throw error;
    components.badRow({ ...trashKey(components.settings.cell, first.bucket, first.slot), error });
    return [];
  }
}

/** Shreds slots of one bucket in one transaction; those that came back meanwhile are left alone. */
async function shredSlots(components: Components, batch: readonly TrashRow[]): Promise<readonly TrashRow[]> {
  const id = hexOf(components.randomness.bytes(6));
  const { cell } = components.settings;
  let waiting = batch;
  for (let attempt = 0; ; attempt++) {
    const rows = await components.panda.getMany(waiting.map(({ blockId }) => blockKey(blockId)));
    const blocks = rows.map((row) => (row === undefined ? undefined : blockFromRow(row)));
    const doomed = waiting.flatMap((trash, i) => {
      const block = blocks[i];
      return isDoomed(block, trash) ? [{ ...trash, ...formOf(block) }] : [];
    });
    const [first] = doomed;
    if (first === undefined) return [];
    const kekVersion = Math.max(...blocks.map((block) => block?.kekVersion ?? 0));
    const key = shredKey(cell, Math.max(0, components.clock.nowMs()), id);
    const dead = deadFromRow(await components.panda.get(deadKey(cell, first.bucket)));
    try {
      const took = async (): Promise<boolean> => (await components.panda.get(key)) !== undefined;
      await transact(components, shredWrites(cell, doomed, dead, kekVersion, key), took);
      return doomed;
    } catch (error) {
      // A put took a block back, or a delete, a merge or a recovery touched the dead row: look again.
      if (!isKind(error, 'conflict') || attempt >= CONFLICT_ATTEMPTS_MAX) throw error;
      await components.clock.sleep(backOffMs(attempt, components.randomness));
      waiting = await stillInTrash(components, waiting);
    }
  }
}

/** Those whose trash row is the one that was read: a block may come back, and go to trash again elsewhere. */
async function stillInTrash(components: Components, batch: readonly TrashRow[]): Promise<readonly TrashRow[]> {
  const rows = await components.panda.getMany(
    batch.map(({ bucket, slot }) => trashKey(components.settings.cell, bucket, slot)),
  );
  return batch.filter((trash, i) => {
    const row = rows[i];
    return row !== undefined && trashFromRow(row).sinceMs === trash.sinceMs;
  });
}

/** Of a block whose row is stored in this form. */
type DoomedRow = TrashRow & StoredForm;

export function isDoomed(block: BlockRow | undefined, trash: TrashRow): block is BlockRow {
  if (block?.state !== 'trash' || block.refs !== 0) return false;
  return block.recordId === trash.recordId && block.bucket === trash.bucket && block.slot === trash.slot;
}

/** Pure: what one transaction of GC writes, of slots of one bucket. */
export function shredWrites(
  cell: string,
  doomed: readonly DoomedRow[],
  dead: DeadRow,
  kekVersion: number,
  shred: Key,
): Write[] {
  const { bucket } = doomed[0] as DoomedRow;
  return [
    ...doomed.flatMap(({ blockId, recordId, slot, sinceMs, ...form }): Write[] => [
      {
        kind: 'delete',
        ...blockKey(blockId),
        if: [...blockIs('trash', { refs: 0, ...form }), recordIs(recordId)],
      },
      { kind: 'delete', ...trashKey(cell, bucket, slot), if: [inTrashSince(sinceMs)] },
    ]),
    ...diedWrites(cell, bucket, dead, doomed),
    {
      kind: 'put',
      ...shred,
      attributes: shredAttributes({ recordIds: doomed.map(({ recordId }) => recordId), kekVersion }),
      if: ['absent'],
    },
  ];
}
