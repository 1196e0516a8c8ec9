// Budgets: shares, spill-over, and what is refused.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { budgetsOf, Ledger, type Spending } from '../../lib/compaction/plan/budget.ts';

const spending = (bytesRead: number, metadataWrites = 0): Spending => ({
  bytesRead,
  bytesWritten: bytesRead,
  metadataWrites,
  requests: 0,
  computeMs: 0,
  dollars: 0,
});

describe('budgets', () => {
  it('refuse zero, less, what is no number, shares that are no whole, and unknown lines', () => {
    const wrong: object[] = [
      { bytesRead: 0 },
      { dollars: -1 },
      { computeMs: Number.NaN },
      { requests: Number.POSITIVE_INFINITY },
      { metadataWrites: '12' },
      { shares: { l1: 0.5, l2: 0.5, l3: 0.5 } },
      { shares: { l1: 1, l2: 0, l3: 0 } },
      { bytes: 5 },
    ];
    for (const changes of wrong)
      expect(() => budgetsOf(changes), JSON.stringify(changes)).toThrowError(
        expect.objectContaining({ kind: 'invalid', code: 'BUDGET_INVALID' }),
      );
  });

  it('a strategy is sure of its share, and takes the others’ only when spilling', () => {
    const ledger = new Ledger(budgetsOf({ bytesRead: 100 }), ['l1', 'l2', 'l3']);
    expect(ledger.affords('l3', spending(20), false)).toBe(true);
    expect(ledger.affords('l3', spending(21), false)).toBe(false);
    expect(ledger.affords('l3', spending(21), true)).toBe(true);
    ledger.charge('l3', spending(20));
    expect(ledger.affords('l1', spending(40), false)).toBe(true);
    expect(ledger.affords('l1', spending(81), true)).toBe(false);
  });

  it('shares of strategies not asked for go to those that are', () => {
    const ledger = new Ledger(budgetsOf({ bytesRead: 100 }), ['l2']);
    expect(ledger.affords('l2', spending(100), false)).toBe(true);
  });

  it('never overspends any line, and reports the scarcest one', () => {
    const steps = fc.array(fc.tuple(fc.constantFrom('l1', 'l2', 'l3'), fc.nat(60), fc.nat(9), fc.boolean()));
    fc.assert(
      fc.property(steps, (list) => {
        const ledger = new Ledger(budgetsOf({ bytesRead: 100, metadataWrites: 10 }), ['l1', 'l2', 'l3']);
        for (const [strategy, bytes, writes, spilling] of list) {
          const cost = spending(bytes, writes);
          if (ledger.affords(strategy, cost, spilling)) ledger.charge(strategy, cost);
        }
        expect(ledger.total.bytesRead).toBeLessThanOrEqual(100);
        expect(ledger.total.metadataWrites).toBeLessThanOrEqual(10);
        expect(ledger.used).toBe(Math.max(ledger.total.bytesRead / 100, ledger.total.metadataWrites / 10));
      }),
    );
  });
});
