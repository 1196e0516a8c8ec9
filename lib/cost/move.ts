// What a GiB of live bytes costs that is moved into new volumes: by the encoder, or by compaction out of half-live
// ones. Requests follow from the code and the size of its groups, rows from buckets; both are held to what the real
// store is counted to do (test/cost/figures.long.test.ts). Compute is reckoned.
import { dollarsOf, NO_WORK, type Work } from './cost-of.ts';
import type { PriceBook, StorageClass } from './price-book.ts';
import { RECKONED, WORKER_MEMORY_MIB } from './usage.ts';

export interface MovedCode {
  readonly columns: number;
  readonly dataColumns: number;
}

const GIB = 1024 ** 3;
/** Objects stored for a column of a group: now and then a group is smaller, and a sealed volume has its directories. */
const PUTS_PER_COLUMN = 1.2;
/** Ranges of a bucket's live records: one or two in each of its columns. */
const GETS_PER_GIB = 150;
const GETS_PER_GIB_AND_COLUMN = 25;
const ROWS_WRITTEN_PER_GIB = 250;
const ROWS_READ_PER_GIB = 740;
/** A run has four, and moves half a GiB or more. */
const TRANSITIONS_PER_GIB = 7;

/** The classes it is read from and written to. */
export interface MovedBetween {
  readonly from: StorageClass;
  readonly to: StorageClass;
}
const WITHIN_STANDARD: MovedBetween = { from: 'standard', to: 'standard' };

export function moveDollarsPerGib(
  { columns, dataColumns }: MovedCode,
  groupBytes: number,
  book: PriceBook,
  { from, to }: MovedBetween = WITHIN_STANDARD,
): number {
  const reading = {
    ...NO_WORK,
    bytesRead: GIB,
    getRequests: GETS_PER_GIB + GETS_PER_GIB_AND_COLUMN * dataColumns,
    metadataReads: ROWS_READ_PER_GIB,
  };
  const writing = {
    ...NO_WORK,
    putRequests: columns * (GIB / groupBytes) * PUTS_PER_COLUMN,
    metadataWrites: ROWS_WRITTEN_PER_GIB,
    stateTransitions: TRANSITIONS_PER_GIB,
    computeMs: ((GIB * (1 + columns / dataColumns)) / RECKONED.moveBytesPerSecond) * 1000,
  };
  const dollars = (work: Work, storageClass: StorageClass): number =>
    dollarsOf(work, { book, storageClass, memoryMb: WORKER_MEMORY_MIB }).total;
  return dollars(reading, from) + dollars(writing, to);
}
