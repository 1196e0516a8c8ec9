// `worth` against `max-fill` over whole recoveries on the study's shapes: never more bytes moved, never later at the target.
// More seeds, and a lower target, in recovery.long.test.ts.
import { describe, expect, it } from 'vitest';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { fleetOfFills, shapedFills } from './fleets.ts';
import { recover } from './recovery.ts';

describe.each(['severe', 'mixed', 'mid'] as const)('recovery of the %s shape', (shape) => {
  it('by worth moves no more and takes no longer than by max-fill', () => {
    const view = fleetOfFills(shapedFills(new SeededRandomness(1), shape, 1000));
    const worth = recover(view, 'worth', 1.15, 40);
    const maxFill = recover(view, 'max-fill', 1.15, 40);
    expect(worth.overhead).toBeLessThanOrEqual(1.151);
    expect(worth.moved).toBeLessThanOrEqual(maxFill.moved);
    expect(worth.rounds).toBeLessThanOrEqual(maxFill.rounds);
  });
});
