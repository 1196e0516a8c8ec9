// Two hundred packings, of two shapes, against the exact optimum.
import { expect, it } from 'vitest';
import { lossesOf, SOLVER_GAP } from './packing-optimum.ts';

it.each([
  { count: 100, candidates: 16, sourcesMax: 6, destinationsMax: 1 },
  { count: 100, candidates: 14, sourcesMax: 6, destinationsMax: 3 },
])(
  'is within 0.5 % of the exact optimum on average and never worse than K/256 ($count instances, $destinationsMax destinations)',
  async (instances) => {
    const losses = await lossesOf(instances);
    expect(Object.keys(losses)).toEqual(['max-fill', 'worth']);
    for (const { mean, worst, least } of Object.values(losses)) {
      expect(mean).toBeLessThanOrEqual(0.005);
      expect(worst).toBeLessThanOrEqual(6 / 256);
      expect(least).toBeGreaterThan(-10 * SOLVER_GAP);
    }
  },
);
