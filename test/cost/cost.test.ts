// The price book and the arithmetic over it, against figures worked out by hand.

import { describe, expect, it } from 'vitest';
import {
  addWork,
  dollarsOf,
  earlyDeletionDollars,
  MS_PER_MONTH,
  NO_WORK,
  savedDollars,
  storageDollarsPerMonth,
} from '../../lib/cost/cost-of.ts';
import { PRICE_BOOK, parsePriceBook } from '../../lib/cost/price-book.ts';
import { DAY_MS } from '../../lib/foundation/durations.ts';

const GIB = 1024 ** 3;
const standard = { book: PRICE_BOOK, storageClass: 'standard', memoryMb: 1769 } as const;

describe('the price book', () => {
  it('is dated, named and frozen through and through', () => {
    expect(PRICE_BOOK.date).toMatch(/^\d{4}-\d{2}-\d{2}$/);
    expect(Object.isFrozen(PRICE_BOOK.storage['glacier-ir'])).toBe(true);
  });

  it('round-trips through JSON, and a wrong one is refused by name', () => {
    expect(parsePriceBook(JSON.parse(JSON.stringify(PRICE_BOOK)))).toEqual(PRICE_BOOK);
    const wrong = { ...PRICE_BOOK, sqs: { perMillionRequests: -1, freeRequests: 0 } };
    expect(() => parsePriceBook(wrong)).toThrow(/sqs\.perMillionRequests/);
    expect(() => parsePriceBook(null)).toThrowError(expect.objectContaining({ code: 'PRICE_BOOK_INVALID' }));
  });
});

describe('dollars', () => {
  it('moving 1 GiB of 64 KiB blobs with an index row each costs about 2 cents, nearly all of it index writes', () => {
    const perBlob = { ...NO_WORK, bytesRead: GIB, bytesWritten: GIB, getRequests: 256, metadataWrites: 16_384 };
    const cost = dollarsOf({ ...perBlob, putRequests: 16, computeMs: 12_800 }, standard);
    expect(cost.metadata).toBeCloseTo(0.02048, 5);
    expect(cost.metadata / cost.total).toBeGreaterThan(0.95);
    const perBucket = { ...perBlob, metadataWrites: 6, putRequests: 16, computeMs: 12_800 };
    expect(dollarsOf(perBucket, standard).total).toBeLessThan(0.001);
  });

  it('reading back from a cold class pays retrieval', () => {
    const work = { ...NO_WORK, bytesRead: 10e9 };
    expect(dollarsOf(work, { ...standard, storageClass: 'glacier-ir' }).retrieval).toBeCloseTo(0.3, 9);
    expect(dollarsOf(work, standard).total).toBe(0);
  });

  it('adds up: the parts are the total, and work added costs what it costs apart', () => {
    const a = { ...NO_WORK, bytesRead: 5e9, putRequests: 700, queueRequests: 40, crossRegionBytes: 1e9 };
    const b = { ...NO_WORK, metadataWrites: 90, metadataReads: 8, computeMs: 500, stateTransitions: 7 };
    const cost = dollarsOf(addWork(a, b), standard);
    expect(cost.total).toBeCloseTo(dollarsOf(a, standard).total + dollarsOf(b, standard).total, 12);
    const { total, ...parts } = cost;
    expect(Object.values(parts).reduce((sum, part) => sum + part, 0)).toBeCloseTo(total, 12);
    expect(cost.transfer).toBeCloseTo(0.02, 9);
  });

  it('short objects are billed as the minimum of their class, and archived ones carry an index', () => {
    const objects = 1e6;
    const bytes = objects * 16 * 1024;
    expect(storageDollarsPerMonth(bytes, objects, PRICE_BOOK, 'standard')).toBeCloseTo((bytes / 1e9) * 0.023, 9);
    expect(storageDollarsPerMonth(bytes, objects, PRICE_BOOK, 'glacier-ir')).toBeCloseTo((131.072e9 / 1e9) * 0.004, 9);
    expect(storageDollarsPerMonth(0, objects, PRICE_BOOK, 'deep-archive')).toBeCloseTo(40.96 * 0.00099, 9);
  });

  it('freeing bytes before the minimum duration saves nothing of it', () => {
    expect(earlyDeletionDollars(1e12, 30 * DAY_MS, PRICE_BOOK, 'glacier-ir')).toBeCloseTo(4 * 2, 9);
    expect(earlyDeletionDollars(1e12, 91 * DAY_MS, PRICE_BOOK, 'glacier-ir')).toBe(0);
    expect(earlyDeletionDollars(1e12, -5, PRICE_BOOK, 'glacier-ir')).toBeCloseTo(4 * 3, 9);
    expect(savedDollars(1e12, 0, 3 * MS_PER_MONTH, PRICE_BOOK, 'glacier-ir')).toBe(0);
    expect(savedDollars(1e12, 90 * DAY_MS, 6 * MS_PER_MONTH, PRICE_BOOK, 'glacier-ir')).toBeCloseTo(24, 9);
  });
});
