// What the journal of a stage costs for a million blobs put: batches of the table's stream by how many or how long, a
// segment of each on several drives, and the merges after them. Reading the stream costs a function nothing.
import { DAY_MS, SECOND_MS } from '../foundation/durations.ts';
import { STAGE_TEND_MS_MIN, STAGE_TEND_SHIPPINGS } from '../limits/journal.ts';
import { dollarsOf, NO_WORK } from './cost-of.ts';
import type { PriceBook } from './price-book.ts';

export interface JournalShape {
  /** Rows of a batch, and how long it is waited for. */
  readonly batch: { readonly rows: number; readonly seconds: number };
  readonly copies: number;
  readonly drives: number;
  readonly memoryMiB: number;
}

/** Block, object, and now and then a bucket, a volume, a zone. */
const ROWS_A_BLOB = 2.2;
/** A batch of a few rows, warm, and what each row adds. */
const MS_A_BATCH = 150;
const MS_A_ROW = 0.05;
/** For a byte that is shipped, merged and in snapshots (`npm run bench -- journal`). */
const WRITTEN_AGAIN = 4;
/** Rows read by a batch: cursor, store, drives, key versions. */
const ROWS_READ = 5;
/** The claim, and the cursor: plain, so each half of one in a transaction. */
const ROWS_WRITTEN = 2 / 2;

/** At so many blobs a second, all the time. */
export function journalDollars(shape: JournalShape, blobsPerSecond: number, book: PriceBook): number {
  const { batch, copies, drives, memoryMiB } = shape;
  const blobs = 1e6;
  const seconds = blobs / blobsPerSecond;
  const batches = Math.max((blobs * ROWS_A_BLOB) / batch.rows, Math.min(seconds / batch.seconds, blobs * ROWS_A_BLOB));
  const lookedAt = Math.max(
    Math.min(batches / STAGE_TEND_SHIPPINGS, (seconds * SECOND_MS) / STAGE_TEND_MS_MIN),
    (seconds * SECOND_MS) / DAY_MS,
  );
  const ms = batches * MS_A_BATCH + blobs * ROWS_A_BLOB * MS_A_ROW * WRITTEN_AGAIN;
  const work = {
    ...NO_WORK,
    putRequests: batches * copies * 1.5 + lookedAt * drives,
    metadataReads: batches * ROWS_READ,
    metadataWrites: batches * ROWS_WRITTEN,
    computeMs: ms,
  };
  const { total } = dollarsOf(work, { book, storageClass: 'standard', memoryMb: memoryMiB });
  return total + (batches * book.lambda.perMillionCalls) / 1e6;
}
