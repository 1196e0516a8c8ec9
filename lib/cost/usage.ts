// What use of a stage costs: dollars of a million blobs of 64 KiB, from what one of them takes. Units of the metadata
// are counted from the calls of the real store (test/cost/figures.test.ts holds these to them); requests follow from
// the codec; compute is reckoned, as drives and metadata are as slow on AWS as they are.
import { dollarsOf, MS_PER_MONTH, NO_WORK, storedRowsDollarsPerMonth } from './cost-of.ts';
import type { PriceBook, StorageClass } from './price-book.ts';
import { scrubSweepMs } from './scrub-sweep.ts';

export const BLOBS_PER_CALL = 64;
/** Puts of one blob that a client has under way, and how many of them go in a call then. */
export const GATHERED_CALLERS = 8;
const GATHERED_PER_CALL = 2.9;
/** What a call takes, reckoned. */
export const RECKONED = {
  /** 4 MiB: sealing records, columns stored side by side, and five rounds of writes, most of them side by side. */
  put64Ms: 400,
  put1Ms: 120,
  /** Two rows and one range. */
  getMs: 60,
  /** The rows of 64, two transactions. */
  delete64Ms: 150,
  delete1Ms: 50,
  /** By one function: plain writes, many at once. */
  shreddedPerSecond: 1500,
  /** By the function `gc`, with a third of a processor: reading, and a checksum of every byte twice. */
  scrubBytesPerSecond: 50e6,
  /** One function reads, codes and writes: both ways together. */
  moveBytesPerSecond: 150e6,
};
/** Of a call with so many blobs: what each adds to the first. */
export const putMs = (blobs: number): number =>
  RECKONED.put1Ms + ((RECKONED.put64Ms - RECKONED.put1Ms) * (blobs - 1)) / (BLOBS_PER_CALL - 1);
export const FRONTEND_MEMORY_MIB = 1024;
export const WORKER_MEMORY_MIB = 1769;
/** Of one blob. A row of a transaction is written for each unit it has; one that is written plainly is half of one. */
export interface BlobUnits {
  readonly rowsWritten: number;
  readonly rowsRead: number;
}

export const UNITS = {
  put64: { rowsWritten: 1.125, rowsRead: 1.06 },
  put1: { rowsWritten: 5.5, rowsRead: 4 },
  /** Eight at once, joined by their client (test/cost/gathered.ts). */
  put1Gathered: { rowsWritten: 2.48, rowsRead: 2.6 },
  get: { rowsWritten: 0, rowsRead: 2.03 },
  delete64: { rowsWritten: 1.11, rowsRead: 2 },
  /** Of blobs that were put one a call: a transaction and a row of removed ones for each. */
  delete1: { rowsWritten: 2, rowsRead: 1 },
  shred: { rowsWritten: 0.66, rowsRead: 1.05 },
  shred1: { rowsWritten: 2.55, rowsRead: 1.34 },
} as const satisfies Record<string, BlobUnits>;

/**
 * Requests of a sweep of the scrubber for a GB as it is stored, at the most: groups are read whole, each zone is listed
 * once.
 */
export const SCRUB_REQUESTS = { gets: 140, lists: 24 };

/** Of the rows of one blob that was put 64 a call, as they are billed when kept. */
export const ROW_BYTES_KEPT = 560;

const MILLION = 1e6;
const GB = 1e9;

/** Dollars of a million blobs; those that are kept by the month. */
export interface UsageDollars {
  readonly put64: number;
  readonly put1: number;
  readonly put1Gathered: number;
  readonly get: number;
  readonly deleted: number;
  readonly deleted1: number;
  readonly rowsKept: number;
  readonly rowsRecoverable: number;
}

/** `columns`: objects that an append stores. */
export function usageDollars(columns: number, book: PriceBook): UsageDollars {
  const of = (
    units: BlobUnits,
    perBlob: { puts?: number; gets?: number; calls: number; ms: number },
    mib: number,
  ): number => {
    const work = {
      ...NO_WORK,
      metadataWrites: units.rowsWritten,
      metadataReads: units.rowsRead,
      putRequests: perBlob.puts ?? 0,
      getRequests: perBlob.gets ?? 0,
      computeMs: perBlob.ms,
    };
    const { total } = dollarsOf(work, { book, storageClass: 'standard', memoryMb: mib });
    return total * MILLION + perBlob.calls * book.lambda.perMillionCalls;
  };
  const share = 1 / BLOBS_PER_CALL;
  const together = 1 / GATHERED_PER_CALL;
  const rows = storedRowsDollarsPerMonth(ROW_BYTES_KEPT * MILLION, book);
  return {
    put64: of(UNITS.put64, { puts: columns * share, calls: share, ms: RECKONED.put64Ms * share }, FRONTEND_MEMORY_MIB),
    put1: of(UNITS.put1, { puts: columns, calls: 1, ms: RECKONED.put1Ms }, FRONTEND_MEMORY_MIB),
    put1Gathered: of(
      UNITS.put1Gathered,
      { puts: columns * together, calls: together, ms: putMs(GATHERED_PER_CALL) * together },
      FRONTEND_MEMORY_MIB,
    ),
    get: of(UNITS.get, { gets: 1, calls: 1, ms: RECKONED.getMs }, FRONTEND_MEMORY_MIB),
    deleted:
      of(UNITS.delete64, { calls: share, ms: RECKONED.delete64Ms * share }, FRONTEND_MEMORY_MIB) +
      of(UNITS.shred, { calls: 0, ms: 1000 / RECKONED.shreddedPerSecond }, WORKER_MEMORY_MIB),
    deleted1:
      of(UNITS.delete1, { calls: 1, ms: RECKONED.delete1Ms }, FRONTEND_MEMORY_MIB) +
      of(UNITS.shred1, { calls: 0, ms: 1000 / RECKONED.shreddedPerSecond }, WORKER_MEMORY_MIB),
    rowsKept: rows.kept,
    rowsRecoverable: rows.recoverable,
  };
}

/**
 * Dollars of a month of sweeps over bytes as they are stored, by a function of so much memory: as often as it is done
 * in their class, and with what that asks for reading.
 */
export function scrubDollarsPerMonth(
  storedBytes: number,
  memoryMib: number,
  book: PriceBook,
  storageClass: StorageClass = 'standard',
): number {
  const work = {
    ...NO_WORK,
    bytesRead: storedBytes,
    getRequests: (SCRUB_REQUESTS.gets * storedBytes) / GB,
    putRequests: (SCRUB_REQUESTS.lists * storedBytes) / GB,
    computeMs: (storedBytes / RECKONED.scrubBytesPerSecond) * 1000,
  };
  const { total } = dollarsOf(work, { book, storageClass, memoryMb: memoryMib });
  return (total * MS_PER_MONTH) / scrubSweepMs(storageClass);
}
