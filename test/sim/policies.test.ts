// Policies at equal bytes: the lower hull. The comparison of what ships with other policies is policies.long.test.ts and
// `npm run bench -- policies`.
import { describe, expect, it } from 'vitest';
import { lowerHull, overheadAgainst, overheadAt } from '../../lib/sim/policies/compare.ts';

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
