import { describe, expect, it } from 'vitest';
import { lambertBound } from '../../lib/compaction/plan/worth.ts';
import { deletesOf, deletesOfTrace } from '../../lib/sim/fleet/deletes.ts';
import { runFixedThreshold, runRecovery } from '../../lib/sim/limits.ts';
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

  it('80/20 deletes: draining by own death rates moves much less than the sparsest first, a hint at ingest less again', () => {
    const skewed = { ...SMALL, size: { liveVolumes: 400 }, warmUp: 2, pattern: '80/20' as const };
    const greedy = runSteady(1.15, { ...skewed, policy: 'greedy' }).writeAmplification;
    const worth = runSteady(1.15, { ...skewed, policy: 'worth' }).writeAmplification;
    const hinted = runSteady(1.15, { ...skewed, policy: 'worth', hintRight: 0.9 }).writeAmplification;
    expect(worth).toBeLessThan(3.5);
    expect(greedy).toBeGreaterThan(worth + 0.5);
    expect(hinted).toBeLessThan(worth - 0.1);
  });

  it('a fixed threshold settles at ln(1/t) / (1 - t) and 1 / (1 - t)', () => {
    const point = runFixedThreshold(0.6, 3);
    expect(Math.abs(point.overhead / point.overheadLimit - 1)).toBeLessThan(0.02);
    expect(Math.abs(point.writeAmplification / point.writeLimit - 1)).toBeLessThan(0.06);
  });

  it('mends a fleet as shipped for 0.94 % of the live bytes to 1.25, 9.3 % to 1.10', () => {
    for (let seed = 1; seed <= 10; seed++) {
      const [easy, hard] = runRecovery([1.25, 1.1], seed);
      for (const [point, goal] of [
        [easy, 0.0094],
        [hard, 0.093],
      ] as const) {
        expect(point?.moved, `seed ${seed}`).toBeGreaterThanOrEqual((point?.least ?? 1) * 0.99);
        expect(point?.moved, `seed ${seed}`).toBeLessThanOrEqual(goal);
      }
    }
  });

  it('lives a trace', () => {
    const days = Array.from({ length: 60 }, (_, day) => `${day},0.02,${day % 2 === 0 ? 0.04 : 0}`).join('\n');
    const point = runSteady(1.2, { ...SMALL, trace: deletesOfTrace('every other day', days) });
    expect(point.pattern).toBe('every other day');
    expect(point.overhead).toBeGreaterThan(1.1);
    expect(Math.abs(point.writeAmplification / point.bound - 1)).toBeLessThan(0.2);
  });

  it('has the bounds of the survey for skewed deletes', () => {
    expect(boundOf(deletesOf('80/20', 0.01), 1.15)).toBeCloseTo(2.83, 2);
    expect(boundOf(deletesOf('80/20', 0.01), 1.5)).toBeCloseTo(1.4, 2);
    expect(boundOf(deletesOf('90/10', 0.01), 1.25)).toBeCloseTo(1.48, 2);
    expect(boundOf(deletesOf('uniform', 0.01), 1.1)).toBeCloseTo(5.68, 2);
  });
});
