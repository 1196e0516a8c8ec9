// Operating settings as data: what is refused, what a rate comes to in a period, and what nobody has set.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { budgetsOf, UNLIMITED } from '../../lib/compaction/plan/budget.ts';
import {
  budgetsFor,
  derivedRates,
  NONE_NAMES,
  OPERATING_NAMES,
  parseOperating,
  plannedOf,
  runsAtOnce,
} from '../../lib/compaction/plan/operating-settings.ts';
import { DAY_MS, HOUR_MS } from '../../lib/foundation/durations.ts';

const GIB = 1024 ** 3;

describe('operating settings', () => {
  it.each([
    [{ granularity: 7 }, 'OPERATING_INVALID', 'granularity'],
    [{ objective: 'best' }, 'OPERATING_INVALID', 'objective'],
    [{ blockBytesMax: 5 }, 'OPERATING_INVALID', 'blockBytesMax'],
    [{ bytesWrittenPerDay: 0 }, 'OPERATING_INVALID', 'bytesWrittenPerDay'],
    [{ namespacesApart: '' }, 'OPERATING_INVALID', 'namespacesApart'],
    [{ namespacesApart: 'a,,b' }, 'OPERATING_INVALID', 'namespacesApart'],
    [{ namespacesApart: 'a,b,a' }, 'OPERATING_INVALID', 'each namespace once'],
    [{ namespacesApart: '1,2,3,4,5,6,7,8,9' }, 'OPERATING_INVALID', 'at most 8'],
    [{ objective: null }, 'OPERATING_INVALID', 'objective'],
    [{ runsAtOnce: 41 }, 'OPERATING_INVALID', 'runsAtOnce'],
    [{ l3UpTo: 0.9 }, 'BOUNDARIES_INVALID', 'overlaps'],
    [{ sourcesMax: 4 }, 'BOUNDARIES_INVALID', 'nobody'],
    [{ l1Share: 0.9 }, 'BUDGET_INVALID', 'add up'],
  ])('refuse %j', (input, code, text) => {
    expect(() => parseOperating(input)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(text) }),
    );
  });

  it('may lift every limit, and nothing but limits', () => {
    for (const name of OPERATING_NAMES) {
      if (NONE_NAMES.has(name)) expect(parseOperating({ [name]: null })).toEqual({ [name]: null });
      else expect(() => parseOperating({ [name]: null }), name).toThrow();
    }
  });

  it('give planners what was set, and only that', () => {
    expect(plannedOf(parseOperating({ objective: 'money', bytesWrittenPerDay: 5 }))).toEqual({ objective: 'money' });
    expect(plannedOf({})).toEqual({});
  });
});

describe('budgets of a period', () => {
  it('are its part of the rates', () => {
    const operating = parseOperating({
      bytesWrittenPerDay: 24 * GIB,
      metadataWritesPerSecond: 10,
      dollarsPerMonth: null,
      l1Share: 0.5,
      l2Share: 0.3,
      l3Share: 0.2,
    });
    expect(budgetsFor(operating, 0, HOUR_MS)).toEqual({
      ...UNLIMITED,
      bytesWritten: GIB,
      metadataWrites: 36_000,
      dollars: null,
      shares: { l1: 0.5, l2: 0.3, l3: 0.2 },
    });
  });

  it('follow from the size where nobody has set them, and never limit a small store much', () => {
    expect(budgetsFor({}, 0, DAY_MS)).toMatchObject({ bytesWritten: 64 * GIB, bytesRead: null, requests: null });
    fc.assert(
      fc.property(fc.nat(2 ** 50), fc.nat(2 ** 50), (a, b) => {
        const [small, large] = [derivedRates(Math.min(a, b)), derivedRates(Math.max(a, b))];
        expect(large.bytesWrittenPerDay).toBeGreaterThanOrEqual(small.bytesWrittenPerDay ?? 0);
        expect(large.bytesWrittenPerDay).toBeGreaterThanOrEqual(Math.max(a, b) / 10);
        expect(large.dollarsPerMonth).toBeGreaterThanOrEqual(small.dollarsPerMonth ?? 0);
      }),
    );
  });

  it('are as deployed where they are not set', () => {
    const base = budgetsOf({ requests: 100, bytesWritten: 7 });
    expect(budgetsFor({}, 1e15, HOUR_MS, base)).toEqual(base);
    expect(budgetsFor({ requestsPerDay: 24 }, 1e15, HOUR_MS, base)).toEqual({ ...base, requests: 1 });
    expect(budgetsFor({ bytesWrittenPerDay: null }, 1e15, HOUR_MS, base).bytesWritten).toBeNull();
  });
});

it('no more workers run at once than the budget keeps busy', () => {
  const limits = { moveBytesPerSecond: 100, atMost: 4 };
  const of = (bytesWritten: number | null): number => runsAtOnce({}, { ...UNLIMITED, bytesWritten }, HOUR_MS, limits);
  expect([of(1), of(360_000), of(360_001), of(720_001), of(1e15), of(null)]).toEqual([1, 1, 2, 3, 4, 4]);
  expect(runsAtOnce({ runsAtOnce: 9 }, UNLIMITED, HOUR_MS, limits)).toBe(9);
});
