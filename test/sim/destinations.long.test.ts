// Whether survivors of different age classes should have open volumes of their own (docs/decisions/0012): steady fleets whose data dies
// in different ways, with one open volume for all and with one per class. The figures are printed.

import { describe, expect, it } from 'vitest';
import type { PlanSettings } from '../../lib/compaction/facts/plan-settings.ts';
import { DAY_MS } from '../../lib/foundation/durations.ts';
import { totalOf } from '../../lib/sim/fleet/apply-plan.ts';
import { type DeletePattern, deletesOf } from '../../lib/sim/fleet/deletes.ts';
import { FleetRun } from '../../lib/sim/fleet/fleet-run.ts';
import { FLEET_SIZE, startFleet } from '../../lib/sim/fleet/start-fleet.ts';
import type { Destinations } from '../../lib/sim/fleet/world.ts';

const PER_DAY = 0.02;
const LIVE_VOLUMES = 300;
const TARGET = 1.15;
const DEFAULT: Partial<PlanSettings> = { tableRunsMax: 0, reserve: 0.02 };
const L3_ONLY: Partial<PlanSettings> = { strategies: ['l3'], l3UpTo: 0.98, l2UpTo: 0.99, candidatesMax: 2 };

/** Write amplification at the target, open volumes counted. `everyVolumes`: a plan for every so many volumes' worth of deletes. */
function held(name: string, pattern: DeletePattern, everyVolumes: number, plan: Partial<PlanSettings>) {
  const amplification = (destinations: Destinations): number => {
    const deletes = deletesOf(pattern, PER_DAY);
    const size = { ...FLEET_SIZE, liveVolumes: LIVE_VOLUMES, relocation: 'bucket' as const };
    const stepMs = (everyVolumes * DAY_MS) / (PER_DAY * LIVE_VOLUMES);
    const world = { deletes, stepMs, shards: 1, writing: { mergeBelow: 0.5 }, destinations };
    const run = new FleetRun(startFleet(size, deletes, TARGET), world, {
      plan,
      threshold: 0.1,
      targetOverhead: TARGET,
    });
    const warmUp = 1.5 / PER_DAY;
    while (run.day < 2 * warmUp) {
      const wasWarm = run.day >= warmUp;
      run.step();
      if (!wasWarm && run.day >= warmUp) run.startCounting();
    }
    expect(run.model.overhead).toBeLessThan(TARGET + 0.01);
    return 1 + totalOf(run.moved, 'bytes') / run.ingestedBytes;
  };
  const figures = { perClass: amplification('class'), shared: amplification('shared') };
  const shown = `per class ${figures.perClass.toFixed(2)}, shared ${figures.shared.toFixed(2)}`;
  console.log(`${name}, ${pattern}, a plan every ${everyVolumes} volumes: WA ${shown}`);
  return figures;
}

const EVERY = [1, 5, 20];

describe('open volumes per age class', () => {
  for (const pattern of ['80/20', 'age', 'uniform'] as const)
    it(`move no less than one for all, with all strategies and ${pattern} deletes`, () => {
      const all = EVERY.map((every) => held('all strategies', pattern, every, DEFAULT));
      for (const { perClass, shared } of all) expect(shared).toBeLessThan(1.02 * perClass);
    });

  it('would save a few per cent where L3 moves everything, by death rates', () => {
    const all = EVERY.map((every) => held('L3 alone', '80/20', every, L3_ONLY));
    for (const { perClass, shared } of all) expect(shared).toBeLessThan(1.08 * perClass);
    expect(all[0]?.perClass).toBeLessThan(all[0]?.shared ?? 0);
  });
});
