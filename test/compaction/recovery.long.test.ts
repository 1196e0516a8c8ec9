// The comparisons of recovery.test.ts and l2-pack.test.ts over more seeds, larger fleets and a lower target.
import { describe, expect, it } from 'vitest';
import { maxFillScore, PackTable, worthScore } from '../../lib/compaction/l2-pack.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { fleetOfFills, shapedFills } from './fleets.ts';
import { bestExhaustively, uniformFills } from './packing-oracle.ts';
import { recover } from './recovery.ts';

describe.each(['severe', 'mixed', 'mid'] as const)('recovery of the %s shape', (shape) => {
  it.each([1.15, 1.12])('to %d by worth moves no more and takes no longer than by max-fill', (target) => {
    for (let seed = 1; seed <= 4; seed++) {
      const view = fleetOfFills(shapedFills(new SeededRandomness(seed), shape, 4000));
      const worth = recover(view, 'worth', target, 60);
      const maxFill = recover(view, 'max-fill', target, 60);
      expect(worth.overhead, `seed ${seed}`).toBeLessThanOrEqual(target + 0.001);
      expect(worth.moved, `seed ${seed}`).toBeLessThanOrEqual(maxFill.moved);
      expect(worth.rounds, `seed ${seed}`).toBeLessThanOrEqual(maxFill.rounds);
    }
  });
});

describe('packing', () => {
  it.each([
    { count: 18, sourcesMax: 8, destinationsMax: 1, low: 0.05, high: 0.7 },
    { count: 16, sourcesMax: 6, destinationsMax: 5, low: 0.1, high: 0.95 },
  ])('is within 0.5 % of the exact optimum on average, never worse than K/256, on 200 instances', (shape) => {
    const { count, sourcesMax, destinationsMax, low, high } = shape;
    const table = new PackTable({ candidatesMax: 20, sourcesMax, destinationsMax, granularity: 256, exact: true });
    for (const score of [maxFillScore, worthScore(3)]) {
      let lost = 0;
      for (let seed = 1; seed <= 200; seed++) {
        const fills = uniformFills(new SeededRandomness(seed), count, low, high);
        const best = bestExhaustively(fills, sourcesMax, destinationsMax, score);
        const loss = 1 - (table.pack(fills, count, score)?.score ?? 0) / best.score;
        expect(loss, `seed ${seed}`).toBeLessThanOrEqual(sourcesMax / 256);
        lost += loss / 200;
      }
      expect(lost).toBeLessThanOrEqual(0.005);
    }
  });
});
