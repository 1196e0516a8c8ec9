// The closed form: its stopping point is where the modelled bill is least, its limits are the published ones.
import { describe, expect, it } from 'vitest';
import {
  fillWorthRewriting,
  holePrice,
  lambertBound,
  packingFloor,
  victimFill,
  worthIndex,
  worthRank,
} from '../../lib/compaction/plan/worth.ts';

describe('the worth index', () => {
  it('falls from infinity to nothing as a volume gets denser', () => {
    expect(worthIndex(0)).toBe(Number.POSITIVE_INFINITY);
    expect(worthIndex(1)).toBe(0);
    for (let u = 0.01; u < 0.99; u += 0.01) expect(worthIndex(u)).toBeGreaterThan(worthIndex(u + 0.01));
  });

  it('stops where the bill S ln(1/u)/(1-u) + c L u/(1-u) is least', () => {
    for (const ratio of [0.005, 0.02, 0.3, 2, 10]) {
      const bill = (u: number): number => (Math.log(1 / u) + ratio * u) / (1 - u);
      const u = fillWorthRewriting(ratio);
      expect(bill(u)).toBeLessThan(bill(u * 1.001));
      expect(bill(u)).toBeLessThan(bill(u * 0.999));
    }
    expect(fillWorthRewriting(0)).toBe(1);
  });

  it('gives the study its thresholds: 2, 15 and 60 % deletes a month at two prices of a move', () => {
    const at = (moveMonths: number) =>
      [0.02, 0.15, 0.6].map((perMonth) => Math.round(100 * fillWorthRewriting(moveMonths * perMonth)) / 100);
    expect(at(0.85)).toEqual([0.84, 0.63, 0.42]);
    expect(at(12.6)).toEqual([0.53, 0.23, 0.09]);
  });

  it('ranks like greedy for one delete rate, and lets fast-dying volumes wait', () => {
    expect(worthRank(0.3, 0.01)).toBeGreaterThan(worthRank(0.4, 0.01));
    expect(worthRank(0.4, 0.001)).toBeGreaterThan(worthRank(0.3, 0.1));
    expect(Number.isFinite(worthRank(0.5, 0))).toBe(true);
  });
});

describe('limits', () => {
  it('k sources into k-1 destinations: 1.386, 1.216, 1.151, 1.054', () => {
    expect([2, 3, 4, 10].map((k) => packingFloor(k).toFixed(3))).toEqual(['1.386', '1.216', '1.151', '1.054']);
  });

  it('write amplification: 5.68 at 1.10, 4.02 at 1.15, 2.69 at 1.25, 1.72 at 1.50', () => {
    expect([1.1, 1.15, 1.25, 1.5].map((o) => lambertBound(o).toFixed(2))).toEqual(['5.68', '4.02', '2.69', '1.72']);
    expect(lambertBound(1)).toBe(Number.POSITIVE_INFINITY);
    expect(victimFill(1.386)).toBeCloseTo(0.5, 2);
  });

  it('a hole costs what regaining it elsewhere would, and never less than two bytes a byte', () => {
    expect(holePrice(0.25)).toBe(3);
    expect(holePrice(0.9)).toBe(2);
  });
});
