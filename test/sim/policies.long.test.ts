// What ships, on every declared workload and on other seeds than the bench's: no fixed policy holds 5 % less for the
// same bytes, 2 % on average, and none that does without a strategy 2 % less.
import { describe, expect, it } from 'vitest';
import { compared } from '../../lib/sim/policies/comparison.ts';
import { ABLATIONS } from '../../lib/sim/policies/policies.ts';
import { tenantsCompared } from '../../lib/sim/policies/tenants.ts';
import { WORKLOADS } from '../../lib/sim/policies/workloads.ts';

const LIVE_VOLUMES = 40;
const SEED = 5;

describe('what ships', () => {
  const against: number[] = [];
  it.each([...WORKLOADS])('holds its own: $name', (workload) => {
    const { againstFixed, againstAblations } = compared(workload, LIVE_VOLUMES, SEED);
    console.log(`${workload.name}: ${[againstFixed, ...againstAblations].map((ratio) => ratio.toFixed(3)).join(' ')}`);
    against.push(againstFixed);
    expect(againstFixed).toBeLessThan(1.05);
    for (const [at, ratio] of againstAblations.entries()) expect(ratio, ABLATIONS[at]?.name).toBeLessThan(1.02);
  });

  it('is within 2 % of the best on average', () => {
    expect(against.length).toBe(WORKLOADS.length);
    expect(against.reduce((sum, ratio) => sum + ratio, 0) / against.length).toBeLessThan(1.02);
  });
});

// docs/decisions/0039.
describe('one of two tenants leaves', () => {
  const curves = tenantsCompared(LIVE_VOLUMES, SEED);
  const atHalf = (separated: string): number[] =>
    curves.filter((curve) => curve.separated === separated).map(({ againstMixed }) => againstMixed[1] as number);

  it('holds at least 15 % less for half the live bytes, where tenants have a lane each, by the planner as it ships', () => {
    expect(atHalf('lane').length).toBe(2);
    for (const ratio of atHalf('lane')) expect(ratio).toBeLessThan(0.85);
  });

  it('gains less by packing survivors by tenant, and nothing where all that lives may be moved', () => {
    for (const [at, ratio] of atHalf('bucket').entries()) expect(ratio).toBeGreaterThan(atHalf('lane')[at] as number);
    for (const { againstMixed } of curves) expect(againstMixed[3]).toBeGreaterThan(0.97);
  });
});
