// What is claimed of the incident, over ten seeds, and where: an incident of 0.3 to 0.8 of the volumes that is found
// with at least twice the excess there was before, at 1.25 to 1.5 times the bytes. (Where L1 happens to mend the
// incident before it is found, there is nothing left to be better at.)
import { describe, expect, it } from 'vitest';
import { runIncident } from '../../lib/sim/incident/run.ts';
import { type Arm, type ArmResult, INCIDENT } from '../../lib/sim/incident/settings.ts';

const SEEDS = Array.from({ length: 10 }, (_, n) => n + 1);
const REGION = [
  { size: 0.3, byteBudget: 1.25 },
  { size: 0.5, byteBudget: 1.5 },
  { size: 0.8, byteBudget: 1.5 },
];
const ARMS: readonly Arm[] = ['l1', 'l2-many', 'all', 'shipped', 'shipped-static'];
/** Of ten seeds, so many incidents are found with twice the excess at the least. */
const FOUND_MIN = 8;

describe.each(REGION)('an incident of $size at $byteBudget times the bytes', ({ size, byteBudget }) => {
  const results = SEEDS.map((seed) => runIncident({ ...INCIDENT, seed, liveVolumes: 300, size, byteBudget }, ARMS));
  const found = results.filter(({ detected, baseline }) => detected.overhead - 1 >= 2 * (baseline.overhead - 1));
  const each = (arm: Arm, says: (result: ArmResult, baseline: number, seed: number) => void): void => {
    for (const { arms, baseline, settings } of found)
      for (const result of arms) if (result.arm === arm) says(result, baseline.overhead, settings.seed);
  };
  const shown = (arm: Arm, of: (result: ArmResult) => number | null): string =>
    found.map(({ arms }) => of(arms.find((one) => one.arm === arm) as ArmResult)?.toFixed(2) ?? '-').join(' ');

  it('is found with twice the excess, whatever the seed but one or two', () => {
    console.log(`excess after a week, L1 + L2: ${shown('l2-many', (r) => r.excessRatio)}`);
    console.log(
      `all three: ${shown('all', (r) => r.excessRatio)}; as shipped: ${shown('shipped', (r) => r.excessRatio)}`,
    );
    console.log(
      `speed as shipped: ${shown('shipped', (r) => r.speed)}; days: ${shown('shipped', (r) => r.daysToBaseline)}`,
    );
    expect(found.length).toBeGreaterThanOrEqual(FOUND_MIN);
  });

  it('L1 reclaims less than a volume a run, and has not mended it in a week', () => {
    each('l1', ({ l1VolumesPerRun, day7 }, baseline, seed) => {
      expect(l1VolumesPerRun, `seed ${seed}`).toBeLessThan(1);
      expect(day7, `seed ${seed}`).toBeGreaterThan(baseline);
    });
  });

  it('after a week the excess is at least 30 % lower by L1 + L2 (in all seeds but one), 40 % by all three, half as shipped', () => {
    const packed = found.flatMap(({ arms }) => arms.filter(({ arm }) => arm === 'l2-many'));
    expect(packed.filter(({ excessRatio }) => excessRatio > 0.7).length).toBeLessThanOrEqual(1);
    each('l2-many', ({ excessRatio }, _, seed) => expect(excessRatio, `seed ${seed}`).toBeLessThan(0.85));
    each('all', ({ excessRatio }, _, seed) => expect(excessRatio, `seed ${seed}`).toBeLessThan(0.6));
    each('shipped', ({ excessRatio }, _, seed) => expect(excessRatio, `seed ${seed}`).toBeLessThan(0.5));
  });

  it('is mended more than twice as fast as by L1, which mostly makes no headway at all', () => {
    each('shipped', ({ speed }, _, seed) => {
      if (speed !== null) expect(speed, `seed ${seed}`).toBeGreaterThan(2);
    });
  });

  it('gets below the overhead before within four weeks, as shipped, and stays there', () => {
    each('shipped', ({ daysToBaseline, end }, baseline, seed) => {
      expect(daysToBaseline, `seed ${seed}`).not.toBeNull();
      expect(end, `seed ${seed}`).toBeLessThan(baseline);
    });
  });

  it('is mended by the strategies: the controller has not moved the threshold in a week', () => {
    for (const { arms } of found) {
      const [shipped, fixed] = ['shipped', 'shipped-static'].map((name) => arms.find(({ arm }) => arm === name));
      expect(shipped?.day7).toBe(fixed?.day7);
    }
  });
});
