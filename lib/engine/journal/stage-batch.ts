// A batch of a stage's stream onto its drives, and its key versions beside it. docs/decisions/0029 has the steps.
import { isKind } from '../../foundation/errors.ts';
import type { Shelves } from '../../journal/shelves.ts';
import type { ChangedRow, ShippedTo } from '../../panda/journal-source.ts';
import type { Panda } from '../../panda/panda.ts';
import { cursorKey, shippingFromRow } from '../../panda/rows/journal-rows.ts';
import type { Components } from '../../volume/rows/components.ts';
import type { ShelfAt } from '../ship/store-journal.ts';
import { StreamJournal } from '../ship/stream-journal.ts';
import { keksFromRow, keksKey } from '../wire/keks-row.ts';
import { openStageJournal } from './open-stage-journal.ts';
import { keepStageKeys } from './stage-keys.ts';

export interface BatchReport {
  /** Rows of the batch. */
  readonly rows: number;
  /** The revision of the key versions, if they were written beside the segments. */
  readonly keys: number | undefined;
}

/** Throws `retry` JOURNAL_UNSHIPPED: the batch is to be delivered again. */
export async function shipBatch(
  components: Components,
  shelfAt: ShelfAt,
  changed: readonly ChangedRow[],
  atMs: number,
): Promise<BatchReport> {
  const { panda } = components;
  const source = new StreamJournal(components, changed, atMs);
  const journal = openStageJournal(components, shelfAt, source);
  const isFirst = (await stageCursor(panda)) === undefined;
  const hasNewKeys = changed.some(({ partition, sort }) => partition === keksKey.partition && sort === keksKey.sort);
  // Before any segment is under a key that nobody could unwrap without the table.
  const keys = isFirst || hasNewKeys ? await keepKeys(components, await journal.shelves()) : undefined;
  await journal.shipNow();
  try {
    await journal.tend();
  } catch (error) {
    // It is shipped; the next batch tends.
    if (!isKind(error, 'retry', 'unknown', 'missing', 'corrupt')) throw error;
  }
  return { rows: changed.length, keys };
}

/**
 * Of all that was shipped, read back from the drives; what was shipped before is not needed any more. `scansAnew`: of
 * the table as it is, which mends what the stream has lost.
 */
export async function shipStageSnapshot(
  components: Components,
  shelfAt: ShelfAt,
  scansAnew = false,
): Promise<{ readonly sequence: number }> {
  // What another began to write under the key of before must not be what all that follows leads on from.
  const source = new StreamJournal(components, [], components.clock.nowMs(), { movesOn: true, scansAnew });
  await openStageJournal(components, shelfAt, source).snapshotNow();
  return { sequence: (await stageCursor(components.panda))?.sequence ?? 0 };
}

async function stageCursor(panda: Panda): Promise<ShippedTo | undefined> {
  const row = await panda.get(cursorKey);
  return row === undefined ? undefined : shippingFromRow(row).cursor;
}

async function keepKeys({ panda }: Components, shelves: Shelves): Promise<number | undefined> {
  const row = await panda.get(keksKey);
  if (row === undefined) return undefined;
  await keepStageKeys(shelves, row);
  return keksFromRow(row).revision;
}
