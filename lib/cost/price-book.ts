// The one dated price book: list prices of one region as plain data. Everything that speaks of money (planner,
// simulator, bill preview) reads it, so a price is changed in one place and every figure names the book it came from.
import * as z from 'zod';
import { notMet } from '../foundation/errors.ts';

export const STORAGE_CLASSES = ['standard', 'standard-ia', 'one-zone-ia', 'glacier-ir', 'deep-archive'] as const;
export type StorageClass = (typeof STORAGE_CLASSES)[number];

const dollars = z.number().nonnegative();
const storagePrices = z.strictObject({
  /** $ per GB (10^9 bytes) and month of 30 days. */
  perGbMonth: dollars,
  perMillionPuts: dollars,
  perMillionGets: dollars,
  /** $ per GB read back. */
  retrievalPerGb: dollars,
  /** An object is billed as at least this long … */
  objectBytesMin: z.int().nonnegative(),
  /** … carries this many bytes on top … */
  objectBytesExtra: z.int().nonnegative(),
  /** … and is billed for at least this long after it was written. */
  daysMin: z.int().nonnegative(),
});

const schema = z.strictObject({
  name: z.string().min(1),
  region: z.string().min(1),
  /** The day the prices were read, YYYY-MM-DD. */
  date: z.string().regex(/^\d{4}-\d{2}-\d{2}$/),
  source: z.string().min(1),
  storage: z.strictObject({
    standard: storagePrices,
    'standard-ia': storagePrices,
    'one-zone-ia': storagePrices,
    'glacier-ir': storagePrices,
    'deep-archive': storagePrices,
  }),
  transfer: z.strictObject({ crossRegionPerGb: dollars, internetPerGb: dollars }),
  dynamo: z.strictObject({
    perMillionWriteUnits: dollars,
    perMillionReadUnits: dollars,
    perGbMonth: dollars,
    /** Added to the bytes of each row that is kept. */
    itemBytesExtra: z.int().nonnegative(),
    /** Point-in-time recovery, of the same bytes. */
    recoveryPerGbMonth: dollars,
    /** Units a transaction uses for each unit of the plain call. */
    transactionFactor: z.number().min(1),
    writeUnitBytes: z.int().positive(),
    readUnitBytes: z.int().positive(),
  }),
  lambda: z.strictObject({ perMillionCalls: dollars, perGbSecond: dollars }),
  stepFunctions: z.strictObject({ perMillionTransitions: dollars, freeTransitions: z.int().nonnegative() }),
  sqs: z.strictObject({ perMillionRequests: dollars, freeRequests: z.int().nonnegative() }),
  kms: z.strictObject({ perKeyMonth: dollars, perMillionRequests: dollars }),
  cloudWatch: z.strictObject({
    /** A custom metric. */
    perMetricMonth: dollars,
    /** An alarm, for every metric it reads. */
    perAlarmMonth: dollars,
    perMillionRequests: dollars,
    logsPerGb: dollars,
  }),
});

export type PriceBook = z.infer<typeof schema>;

const KIB = 1024;

const US_EAST_1: PriceBook = {
  name: 'us-east-1 list prices',
  region: 'us-east-1',
  date: '2026-11-21',
  source:
    'public AWS price pages (S3, DynamoDB, Lambda, Step Functions, SQS, KMS, CloudWatch); check again before you quote them',
  storage: {
    standard: {
      perGbMonth: 0.023,
      perMillionPuts: 5,
      perMillionGets: 0.4,
      retrievalPerGb: 0,
      objectBytesMin: 0,
      objectBytesExtra: 0,
      daysMin: 0,
    },
    'standard-ia': {
      perGbMonth: 0.0125,
      perMillionPuts: 10,
      perMillionGets: 1,
      retrievalPerGb: 0.01,
      objectBytesMin: 128 * KIB,
      objectBytesExtra: 0,
      daysMin: 30,
    },
    'one-zone-ia': {
      perGbMonth: 0.01,
      perMillionPuts: 10,
      perMillionGets: 1,
      retrievalPerGb: 0.01,
      objectBytesMin: 128 * KIB,
      objectBytesExtra: 0,
      daysMin: 30,
    },
    'glacier-ir': {
      perGbMonth: 0.004,
      perMillionPuts: 20,
      perMillionGets: 10,
      retrievalPerGb: 0.03,
      objectBytesMin: 128 * KIB,
      objectBytesExtra: 0,
      daysMin: 90,
    },
    'deep-archive': {
      perGbMonth: 0.00099,
      perMillionPuts: 50,
      perMillionGets: 0.4,
      retrievalPerGb: 0.02,
      objectBytesMin: 0,
      objectBytesExtra: 40 * KIB,
      daysMin: 180,
    },
  },
  transfer: { crossRegionPerGb: 0.02, internetPerGb: 0.09 },
  dynamo: {
    perMillionWriteUnits: 0.625,
    perMillionReadUnits: 0.125,
    perGbMonth: 0.25,
    itemBytesExtra: 100,
    recoveryPerGbMonth: 0.2,
    transactionFactor: 2,
    writeUnitBytes: KIB,
    readUnitBytes: 4 * KIB,
  },
  lambda: { perMillionCalls: 0.2, perGbSecond: 0.0000133334 },
  stepFunctions: { perMillionTransitions: 25, freeTransitions: 4000 },
  sqs: { perMillionRequests: 0.4, freeRequests: 1_000_000 },
  kms: { perKeyMonth: 1, perMillionRequests: 3 },
  cloudWatch: { perMetricMonth: 0.3, perAlarmMonth: 0.1, perMillionRequests: 10, logsPerGb: 0.5 },
};

/** The price book in use unless another one is given. */
export const PRICE_BOOK: PriceBook = deepFreeze(US_EAST_1);

/** A price book read from a file, for another region or an agreed discount. Throws `invalid` PRICE_BOOK_INVALID. */
export function parsePriceBook(input: unknown): PriceBook {
  const parsed = schema.safeParse(input);
  if (parsed.success) return deepFreeze(parsed.data);
  throw notMet('PRICE_BOOK_INVALID', 'price book', parsed.error);
}

function deepFreeze<T extends object>(value: T): T {
  for (const inner of Object.values(value)) if (typeof inner === 'object' && inner !== null) deepFreeze(inner);
  return Object.freeze(value);
}
