// Policies at equal bytes: the lower hull, and that nothing is topped off where it does not pay. The comparison of what
// ships with other policies is policies.long.test.ts and `npm run bench -- policies`.
import { describe, expect, it } from 'vitest';
import { lowerHull, overheadAgainst, overheadAt } from '../../lib/sim/policies/compare.ts';
import { sizeFor, tried } from '../../lib/sim/policies/trial.ts';
import { WORKLOADS, type Workload } from '../../lib/sim/policies/workloads.ts';

describe('the lower hull', () => {
  const points = [
    { moved: 0, overhead: 2 },
    { moved: 1, overhead: 1.9 },
    { moved: 2, overhead: 1.2 },
    { moved: 3, overhead: 1.3 },
    { moved: 6, overhead: 1.1 },
  ];

  it('leaves out what others, or a mixture of them, beat', () => {
    expect(lowerHull(points).map(({ moved }) => moved)).toEqual([0, 2, 6]);
    expect(overheadAt(lowerHull(points), 1)).toBeCloseTo(1.6, 12);
    expect(overheadAt(lowerHull(points), 9)).toBe(1.1);
    expect(overheadAt(lowerHull(points.slice(1)), 0.5)).toBe(Number.POSITIVE_INFINITY);
    expect(overheadAgainst(points, { moved: 1, overhead: 1.76 })).toBeCloseTo(1.1, 12);
  });
});

describe('what ships', () => {
  it('moves no byte by top-offs where they gain less than the same bytes would elsewhere', () => {
    const workload = WORKLOADS.find(({ name }) => name === 'uniform 2 %/day') as Workload;
    const size = sizeFor(20, 5);
    const always = tried(workload, { changes: { topOffs: 'always' }, threshold: 0.08 }, size);
    const paying = tried(workload, { threshold: 0.08 }, size);
    expect(always.by.l1.bytes).toBeGreaterThan(0);
    expect(paying.by.l1.bytes).toBe(0);
    const asPoint = ({ movedPerLive: moved, overhead }: typeof paying) => ({ moved, overhead });
    const without = tried(workload, { threshold: 0.2 }, size);
    // At equal bytes the top-offs hold no less.
    expect(overheadAgainst([paying, without].map(asPoint), asPoint(always))).toBeGreaterThan(1);
  });
});
