// A target is hit from above: the last run of a plan frees less than a volume more than it takes.
import { describe, expect, it } from 'vitest';
import { sealedTotals } from '../../lib/compaction/facts/fleet.ts';
import { OBJECTIVES, planSettingsOf } from '../../lib/compaction/facts/plan-settings.ts';
import { planCompaction } from '../../lib/compaction/plan/planner.ts';
import { DAY_MS } from '../../lib/foundation/durations.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { deletesOf } from '../../lib/sim/fleet/deletes.ts';
import { FleetRun } from '../../lib/sim/fleet/fleet-run.ts';
import { FLEET_SIZE, startFleet } from '../../lib/sim/fleet/start-fleet.ts';
import { fleetOfFills } from './fleets.ts';
import { uniformFills } from './packing-oracle.ts';

const fleet = (seed: number) => fleetOfFills(uniformFills(new SeededRandomness(seed), 60, 0.05, 0.9));

describe('a plan to a target', () => {
  it.each(OBJECTIVES)('frees within one volume of what it takes (%s)', (objective) => {
    for (let seed = 1; seed <= 6; seed++) {
      const settings = planSettingsOf({ objective, targetOverhead: 1.6 });
      const { before, after } = planCompaction({ view: fleet(seed), settings, threshold: 0.1 });
      expect(before.overhead).toBeGreaterThan(1.7);
      expect(after.overhead).toBeLessThanOrEqual(1.6);
      expect(after.overhead).toBeGreaterThan(1.6 - before.capacityBytes / before.volumes / before.liveBytes);
    }
  });

  it.each([
    { strategies: ['l3' as const], l3UpTo: 0.98, l2UpTo: 0.99 },
    { strategies: ['l2' as const], unpacked: 'wait' as const },
    { strategies: ['l1' as const], minFill: 0.001, l3UpTo: 0.0001, l2UpTo: 0.0002 },
  ])('by one strategy alone, too ($strategies)', (changes) => {
    for (let seed = 1; seed <= 6; seed++) {
      const view = fleet(seed);
      const { allocatedOverhead, volumes, capacityBytes, liveBytes } = sealedTotals(view);
      const aVolume = capacityBytes / volumes / liveBytes;
      const targetOverhead = allocatedOverhead - 1.2 * aVolume;
      const settings = planSettingsOf({ ...changes, targetOverhead });
      const { after, runs } = planCompaction({ view, settings, threshold: 0.1 });
      expect(runs.length).toBeGreaterThan(0);
      expect(after.overhead).toBeGreaterThan(targetOverhead - aVolume);
    }
  });
});

it('a simulated fleet of forty volumes is held within one volume of its target', () => {
  const deletes = deletesOf('uniform', 0.02);
  const size = { ...FLEET_SIZE, liveVolumes: 40 };
  const world = {
    deletes,
    stepMs: 5 * DAY_MS,
    shards: 1,
    writing: { mergeBelow: 0.5 },
    destinations: 'store' as const,
  };
  const run = new FleetRun(startFleet(size, deletes, 1.1), world, { plan: {}, threshold: 0.05, targetOverhead: 1.15 });
  for (let step = 0; step < 12; step++) {
    run.step();
    expect(run.model.overhead).toBeLessThan(1.15 + 1 / size.liveVolumes);
    if (step > 2) expect(run.model.overhead).toBeGreaterThan(1.15 - 1 / size.liveVolumes);
  }
});
