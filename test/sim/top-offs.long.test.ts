// Nothing is topped off where it does not pay.
import { describe, expect, it } from 'vitest';
import { overheadAgainst } from '../../lib/sim/policies/compare.ts';
import { sizeFor, tried } from '../../lib/sim/policies/trial.ts';
import { WORKLOADS, type Workload } from '../../lib/sim/policies/workloads.ts';

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
