// `worth` against `max-fill` over whole recoveries on the study's shapes: never more bytes moved, never later at the target, whatever the seed.
import { describe, expect, it } from 'vitest';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { fleetOfFills, shapedFills } from './fleets.ts';
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
