// Whole plans: deterministic, checked, within budgets, every volume explained; and the recovery figures that need no clock.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestOf, FLEET_STATES, fleetOf } from '../../lib/compaction/facts/fleet.ts';
import { OBJECTIVES, planSettingsOf, STRATEGIES } from '../../lib/compaction/facts/plan-settings.ts';
import { BUDGET_LINES, budgetsOf } from '../../lib/compaction/plan/budget.ts';
import { LEGEND, parsePlan, planJson } from '../../lib/compaction/plan/plan.ts';
import { checkPlan } from '../../lib/compaction/plan/plan-check.ts';
import { planCompaction } from '../../lib/compaction/plan/planner.ts';
import { SeededRandomness, shuffled } from '../../lib/foundation/randomness.ts';
import { applyOnPaper, bytesMoved, CAPACITY, fleetOfFills, overheadOf, shapedFills, volumeOf } from './fleets.ts';

const THRESHOLD = 0.1;
const smallFleet = (seed: number, count = 300) =>
  fleetOfFills(shapedFills(new SeededRandomness(seed), 'incident', count));

describe('a plan', () => {
  it('is the same, byte for byte, for the same snapshot in any order of listing, and survives its file', () => {
    const fills = [...shapedFills(new SeededRandomness(3), 'mixed', 200)];
    const volumes = fills.map((fill, n) => volumeOf(n + 1, fill));
    const one = fleetOf('s', 'c0', volumes);
    const other = fleetOf('s', 'c0', shuffled(volumes, new SeededRandomness(9)));
    const plan = (view: typeof one) =>
      planJson(planCompaction({ view, settings: planSettingsOf(), threshold: THRESHOLD }));
    expect(plan(other)).toBe(plan(one));
    expect(planJson(parsePlan(plan(one)))).toBe(plan(one));
    expect(JSON.parse(plan(one)).snapshot).toBe(digestOf(other));
  });

  it('holds together for random fleets, states, objectives, budgets and thresholds, with a word for every volume', () => {
    const volume = fc.record({
      fill: fc.double({ min: 0, max: 1, noNaN: true }),
      state: fc.constantFrom('sealed', 'sealed', 'sealed', ...FLEET_STATES),
      bucketCount: fc.integer({ min: 1, max: 256 }),
      ageDays: fc.integer({ min: 0, max: 100 }),
      codec: fc.constantFrom('rs-6-3' as const, 'lrc-12-2-2' as const),
    });
    fc.assert(
      fc.property(
        fc.array(volume, { maxLength: 80 }),
        fc.constantFrom(...OBJECTIVES),
        fc.subarray([...STRATEGIES], { minLength: 1 }),
        fc.boolean(),
        fc.option(fc.integer({ min: 1, max: 20 })),
        fc.double({ min: 0.02, max: 0.9, noNaN: true }),
        (list, objective, strategies, finish, volumesOfBudget, threshold) => {
          const view = fleetOf(
            's',
            'c0',
            list.map(({ fill, ageDays, ...rest }, n) =>
              volumeOf(n + 1, fill, { ...rest, ageMs: ageDays * 86_400_000 }),
            ),
          );
          const bytesRead = volumesOfBudget === null ? null : volumesOfBudget * CAPACITY;
          const plan = planCompaction({
            view,
            settings: planSettingsOf({ objective, strategies, finish }),
            threshold,
            budgets: budgetsOf({ bytesRead, metadataWrites: bytesRead === null ? null : 5000 }),
          });
          expect(checkPlan(view, plan)).toEqual([]);
          expect(plan.runs.every((run) => strategies.includes(run.strategy))).toBe(true);
          expect(plan.verdicts.length).toBe(view.count);
          expect([...plan.verdicts].filter((letter) => !(letter in LEGEND))).toEqual([]);
          for (const letter of plan.verdicts) expect(['1', '2', '3']).not.toContain(letter);
          const planned = plan.runs.reduce((sum, run) => sum + run.sources.length + (run.host === null ? 0 : 1), 0);
          expect([...plan.verdicts].filter((letter) => letter === 'p').length).toBe(planned);
          const read = plan.spent.l1.bytesRead + plan.spent.l2.bytesRead + plan.spent.l3.bytesRead;
          if (bytesRead !== null) expect(read).toBeLessThanOrEqual(bytesRead);
          if (objective === 'money') for (const run of plan.runs) expect(run.savedDollars).toBeGreaterThan(run.dollars);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('conserves live bytes when carried out, and lands where it said', () => {
    const view = smallFleet(7);
    const plan = planCompaction({ view, settings: planSettingsOf(), threshold: THRESHOLD });
    const after = applyOnPaper(view, plan);
    const live = after.reduce((sum, volume) => sum + volume.liveBytes, 0);
    expect(Math.abs(live - plan.before.liveBytes)).toBeLessThan(after.length);
    // The last volumes of streams count whole on paper, and by their part in the plan.
    const open = after.filter(({ state }) => state === 'open').length;
    expect(open).toBeLessThanOrEqual(2);
    expect(overheadOf(after) - plan.after.overhead).toBeGreaterThan(-1e-4);
    expect(overheadOf(after) - plan.after.overhead).toBeLessThanOrEqual(open / (live / CAPACITY) + 1e-4);
    expect(plan.after.overhead).toBeLessThan(plan.before.overhead - 0.3);
  });

  it('no strategy starves another: each gets its share of a scarce budget, and what one leaves the others use', () => {
    const view = smallFleet(11, 3000);
    const bytesRead = 60 * CAPACITY;
    const plan = planCompaction({
      view,
      settings: planSettingsOf({ topOffs: 'always' }),
      threshold: THRESHOLD,
      budgets: budgetsOf({ bytesRead }),
    });
    expect(plan.spent.l1.bytesRead).toBeGreaterThan(0.38 * bytesRead);
    expect(plan.spent.l2.bytesRead).toBeGreaterThan(0.35 * bytesRead);
    expect(plan.spent.l3.bytesRead).toBeGreaterThan(0.19 * bytesRead);
    expect(plan.budgetUsed).toBeGreaterThan(0.97);
    // 0.28 fills in L2's range only: the whole budget is L2's.
    const middle = fleetOfFills(Float64Array.from({ length: 400 }, (_, n) => 0.2 + (n % 40) / 100));
    const alone = planCompaction({
      view: middle,
      settings: planSettingsOf({ topOffs: 'always' }),
      threshold: THRESHOLD,
      budgets: budgetsOf({ bytesRead }),
    });
    expect(alone.spent.l2.bytesRead).toBeGreaterThan(0.95 * bytesRead);
  });

  it('every line of the budgets binds', () => {
    const view = smallFleet(13);
    const free = planCompaction({ view, settings: planSettingsOf(), threshold: THRESHOLD });
    for (const line of BUDGET_LINES) {
      const all = free.spent.l1[line] + free.spent.l2[line] + free.spent.l3[line];
      const budgets = budgetsOf({ [line]: all / 3 });
      const bound = planCompaction({ view, settings: planSettingsOf(), threshold: THRESHOLD, budgets });
      const spent = bound.spent.l1[line] + bound.spent.l2[line] + bound.spent.l3[line];
      expect(spent, line).toBeLessThanOrEqual(all / 3);
      expect(spent, line).toBeGreaterThan(0);
      expect(bound.verdicts, line).toContain('b');
    }
  });

  it('L3 takes the sparsest first; L1 says where L2 would do better; partial donors stay sealed', () => {
    const view = smallFleet(17);
    const plan = planCompaction({ view, settings: planSettingsOf({ topOffs: 'always' }), threshold: THRESHOLD });
    const drained = plan.runs
      .filter((run) => run.strategy === 'l3')
      .flatMap((run) => run.sources.map((s) => s.liveBytes));
    expect(drained.length).toBe(60);
    // Of one age the sparsest is the one most worth draining; a batch is of one class, so batches overlap a little.
    for (const [at, run] of plan.runs.filter(({ strategy }) => strategy === 'l3').entries()) {
      const its = run.sources.map((s) => s.liveBytes);
      expect(its, `batch ${at}`).toEqual([...its].sort((a, b) => a - b));
    }
    const toppedOff = plan.runs.filter((run) => run.strategy === 'l1');
    expect(toppedOff.length).toBeGreaterThan(0);
    expect(toppedOff.some((run) => run.better?.code === 'PACKING_FREES_MORE')).toBe(true);
    for (const run of toppedOff) expect(run.work.bytesRead).toBeGreaterThan(run.host?.liveBytes ?? 0);
    expect(toppedOff.some((run) => run.freedVolumes < run.sources.length)).toBe(true);
  });

  it('a thicket of bucket remnants is never packed past what a volume can list', () => {
    const volumes = Array.from({ length: 60 }, (_, n) => volumeOf(n + 1, 0.15 + n / 1000, { bucketCount: 120 }));
    const view = fleetOf('s', 'c0', volumes);
    const plan = planCompaction({ view, settings: planSettingsOf({ finish: true }), threshold: THRESHOLD });
    for (const run of plan.runs) {
      const buckets = run.sources.reduce((sum, source) => sum + source.takeBuckets, 0);
      expect(buckets).toBeLessThanOrEqual(256 * run.newVolumes);
    }
  });

  it('money: an expensive class waits, a cheap move is made, and a young volume of a class with a minimum is left', () => {
    const volumes = (ageMs: number) =>
      Array.from({ length: 40 }, (_, n) => volumeOf(n + 1, 0.2 + n / 100, { ageMs, bucketCount: 24 }));
    const planned = (storageClass: 'standard' | 'glacier-ir', ageDays: number, rate: number) =>
      planCompaction({
        view: fleetOf('s', 'c0', volumes(ageDays * 86_400_000)),
        settings: planSettingsOf({
          objective: 'money',
          storageClass,
          deletesPerDay: [rate, rate, rate, rate],
          horizonMs: 60 * 86_400_000,
        }),
        threshold: THRESHOLD,
      });
    expect(planned('standard', 200, 0.02).runs.length).toBeGreaterThan(0);
    expect(planned('glacier-ir', 200, 0.02).verdicts).toContain('w');
    expect(planned('glacier-ir', 1, 0.0001).runs.length).toBe(0);
    expect(planned('glacier-ir', 1, 0.0001).verdicts).toContain('x');
  });

  it('money: waiting is priced by a typical full volume, whichever comes first in the snapshot', () => {
    const fleet = (first: number) => {
      const odd = volumeOf(1, 0.01, { bucketCount: first, ageMs: 200 * 86_400_000 });
      const rest = Array.from({ length: 60 }, (_, n) =>
        volumeOf(n + 2, 0.4 + n / 100, { ageMs: 200 * 86_400_000, bucketCount: 4000 }),
      );
      return fleetOf('s', 'c0', [odd, ...rest]);
    };
    const settings = planSettingsOf({
      objective: 'money',
      deletesPerDay: [0.02, 0.02, 0.02, 0.02],
      bucketsPerVolumeMax: 100_000,
    });
    const waits = (view: ReturnType<typeof fleet>) =>
      [...planCompaction({ view, settings, threshold: 0.02 }).verdicts.slice(1)].filter((letter) => letter === 'w');
    const many = waits(fleet(4000)).length;
    expect(many).toBeGreaterThan(10);
    expect(waits(fleet(1)).length).toBe(many);
    expect(waits(fleet(50_000)).length).toBe(many);
  });

  it('money: a run has the life of its data to pay for itself, not a fixed term', () => {
    const volumes = Array.from({ length: 40 }, (_, n) => volumeOf(n + 1, 0.3));
    const runs = (rate: number, horizonDays: number) =>
      planCompaction({
        view: fleetOf('s', 'c0', volumes),
        settings: planSettingsOf({
          objective: 'money',
          storageClass: 'glacier-ir',
          strategies: ['l3'],
          l3UpTo: 0.5,
          deletesPerDay: [rate, rate, rate, rate],
          horizonMs: horizonDays * 86_400_000,
        }),
        threshold: THRESHOLD,
      }).runs.length;
    expect(runs(0.0004, 3650)).toBeGreaterThan(0);
    expect(runs(0.0004, 60)).toBe(0);
    expect(runs(0.02, 3650)).toBe(0);
  });
});

describe('recovery of the synthetic incident fleet', () => {
  it.each([
    { target: 1.25, movedPercent: 0.94 },
    { target: 1.1, movedPercent: 9.3 },
  ])('to $target moves at most $movedPercent % of live bytes', ({ target, movedPercent }) => {
    const view = fleetOfFills(shapedFills(new SeededRandomness(5), 'incident', 10_000));
    const plan = planCompaction({ view, settings: planSettingsOf({ targetOverhead: target }), threshold: THRESHOLD });
    expect(plan.before.overhead).toBeCloseTo(1.561, 2);
    expect(plan.after.overhead).toBeLessThanOrEqual(target);
    expect((100 * bytesMoved(plan)) / plan.before.liveBytes).toBeLessThanOrEqual(movedPercent);
    expect(overheadOf(applyOnPaper(view, plan))).toBeLessThanOrEqual(target + 1e-3);
  });
});
