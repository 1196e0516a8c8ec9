// What work and storage cost under a price book: pure arithmetic, marginal list prices, no free tiers (a store must not
// look free because it is small today).
import { DAY_MS } from '../foundation/durations.ts';
import type { PriceBook, StorageClass } from './price-book.ts';

/** Work of a run, as counted or as planned. All fields are totals over all drives. */
export interface Work {
  /** Bytes read from drives. */
  readonly bytesRead: number;
  /** Raw bytes written to drives, parity included. */
  readonly bytesWritten: number;
  readonly getRequests: number;
  readonly putRequests: number;
  /** Panda rows written inside transactions, each at most one write unit long. */
  readonly metadataWrites: number;
  /** Panda rows read, each at most one read unit long. */
  readonly metadataReads: number;
  readonly computeMs: number;
  readonly queueRequests: number;
  readonly stateTransitions: number;
  /** Bytes that cross a region border. */
  readonly crossRegionBytes: number;
}

export const NO_WORK: Work = Object.freeze({
  bytesRead: 0,
  bytesWritten: 0,
  getRequests: 0,
  putRequests: 0,
  metadataWrites: 0,
  metadataReads: 0,
  computeMs: 0,
  queueRequests: 0,
  stateTransitions: 0,
  crossRegionBytes: 0,
});

export interface WorkDollars {
  readonly requests: number;
  readonly retrieval: number;
  readonly metadata: number;
  readonly compute: number;
  readonly messages: number;
  readonly transfer: number;
  readonly total: number;
}

/** Where the bytes lie and what runs the work. */
export interface Pricing {
  readonly book: PriceBook;
  readonly storageClass: StorageClass;
  /** Memory of the function that does the work; 1,769 MB is one vCPU. */
  readonly memoryMb: number;
}

const MILLION = 1e6;
const GB = 1e9;
const DAYS_PER_MONTH = 30;
export const MS_PER_MONTH = DAYS_PER_MONTH * DAY_MS;

export function addWork(a: Work, b: Work): Work {
  return {
    bytesRead: a.bytesRead + b.bytesRead,
    bytesWritten: a.bytesWritten + b.bytesWritten,
    getRequests: a.getRequests + b.getRequests,
    putRequests: a.putRequests + b.putRequests,
    metadataWrites: a.metadataWrites + b.metadataWrites,
    metadataReads: a.metadataReads + b.metadataReads,
    computeMs: a.computeMs + b.computeMs,
    queueRequests: a.queueRequests + b.queueRequests,
    stateTransitions: a.stateTransitions + b.stateTransitions,
    crossRegionBytes: a.crossRegionBytes + b.crossRegionBytes,
  };
}

/** Dollars of doing `work` once. */
export function dollarsOf(work: Work, { book, storageClass, memoryMb }: Pricing): WorkDollars {
  const storage = book.storage[storageClass];
  const requests = (work.getRequests * storage.perMillionGets + work.putRequests * storage.perMillionPuts) / MILLION;
  const retrieval = (work.bytesRead * storage.retrievalPerGb) / GB;
  const metadata =
    (work.metadataWrites * book.dynamo.transactionFactor * book.dynamo.perMillionWriteUnits +
      work.metadataReads * book.dynamo.perMillionReadUnits) /
    MILLION;
  const compute = (work.computeMs / 1000) * (memoryMb / 1024) * book.lambda.perGbSecond;
  const messages =
    (work.queueRequests * book.sqs.perMillionRequests +
      work.stateTransitions * book.stepFunctions.perMillionTransitions) /
    MILLION;
  const transfer = (work.crossRegionBytes * book.transfer.crossRegionPerGb) / GB;
  const total = requests + retrieval + metadata + compute + messages + transfer;
  return { requests, retrieval, metadata, compute, messages, transfer, total };
}

/**
 * Dollars a month of keeping `rawBytes` in `objects` objects of equal size: short objects are billed as their class's
 * minimum.
 */
export function storageDollarsPerMonth(
  rawBytes: number,
  objects: number,
  book: PriceBook,
  storageClass: StorageClass,
): number {
  const prices = book.storage[storageClass];
  const billed = Math.max(rawBytes, objects * prices.objectBytesMin) + objects * prices.objectBytesExtra;
  return (billed * prices.perGbMonth) / GB;
}

/** Dollars a month of keeping rows, as DynamoDB counts their bytes, and of being able to go back to any second. */
export const storedRowsDollarsPerMonth = (
  bytes: number,
  { dynamo }: PriceBook,
): { readonly kept: number; readonly recoverable: number } => ({
  kept: (bytes * dynamo.perGbMonth) / GB,
  recoverable: (bytes * dynamo.recoveryPerGbMonth) / GB,
});

/** Dollars still owed when `rawBytes` are deleted at `ageMs`: the class bills its minimum duration in any case. */
export function earlyDeletionDollars(
  rawBytes: number,
  ageMs: number,
  book: PriceBook,
  storageClass: StorageClass,
): number {
  const prices = book.storage[storageClass];
  const remainingMs = Math.max(0, prices.daysMin * DAY_MS - Math.max(0, ageMs));
  return ((rawBytes * prices.perGbMonth) / GB) * (remainingMs / MS_PER_MONTH);
}

/**
 * Dollars saved over `horizonMs` by not keeping `rawBytes` of age `ageMs` any longer: nothing before the minimum
 * duration has passed.
 */
export function savedDollars(
  rawBytes: number,
  ageMs: number,
  horizonMs: number,
  book: PriceBook,
  storageClass: StorageClass,
): number {
  const kept = storageDollarsPerMonth(rawBytes, 0, book, storageClass) * (horizonMs / MS_PER_MONTH);
  return Math.max(0, kept - earlyDeletionDollars(rawBytes, ageMs, book, storageClass));
}
