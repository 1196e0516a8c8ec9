import { describe, expect, it } from 'vitest';
import { lambertBound } from '../../lib/compaction/worth.ts';
import { boundOf, runFloors, runSteady } from '../../lib/sim/steady.ts';

const SMALL = { size: { liveVolumes: 100, unitsPerVolume: 128 }, warmUp: 1, counted: 1 };

describe('a steady fleet against the closed forms', () => {
  it.each([1.1, 1.15, 1.25, 1.5])('uniform deletes at overhead %s: within 5 % of the Lambert bound', (target) => {
    const point = runSteady(target, SMALL);
    expect(Math.abs(point.overhead / target - 1)).toBeLessThan(0.01);
    expect(Math.abs(point.writeAmplification / lambertBound(point.overhead) - 1)).toBeLessThan(0.05);
  });

  it('packing k -> 1 stalls at 1.386 although nothing limits it; k -> m goes under', () => {
    const [one, many] = runFloors({ ...SMALL, warmUp: 1.5, counted: 0.4 });
    expect(one?.overhead).toBeGreaterThan(1.36);
    expect(one?.overhead).toBeLessThan(1.43);
    expect(many?.overhead).toBeLessThan(1.08);
  });

  it('has the bounds of the survey for skewed deletes', () => {
    expect(boundOf('80/20', 1.15)).toBeCloseTo(2.83, 2);
    expect(boundOf('80/20', 1.5)).toBeCloseTo(1.4, 2);
    expect(boundOf('90/10', 1.25)).toBeCloseTo(1.48, 2);
    expect(boundOf('uniform', 1.1)).toBeCloseTo(5.68, 2);
  });
});
