// What a plan is made of: volumes by codec and capacity, class and strategy, each kind in the order in which it is taken.
import { describe, expect, it } from 'vitest';
import { digestOf, fleetOf } from '../../lib/compaction/facts/fleet.ts';
import { type PlanSettings, planSettingsOf } from '../../lib/compaction/facts/plan-settings.ts';
import { explainVolume } from '../../lib/compaction/plan/explain.ts';
import { groupsOf } from '../../lib/compaction/plan/groups.ts';
import { Kin } from '../../lib/compaction/plan/kin.ts';
import { parsePlan, planJson } from '../../lib/compaction/plan/plan.ts';
import { checkPlan } from '../../lib/compaction/plan/plan-check.ts';
import { planCompaction } from '../../lib/compaction/plan/planner.ts';
import { verdictCode } from '../../lib/compaction/plan/selector.ts';
import { DAY_MS } from '../../lib/foundation/durations.ts';
import { CAPACITY, volumeOf } from './fleets.ts';

const WORTH = planSettingsOf({ drainOrder: 'worth' });

/** Fills from dense to sparse, of two ages that take turns; every third one was sealed thin, so that nothing of it has died. */
const view = fleetOf(
  's',
  'c0',
  Array.from({ length: 12 }, (_, n) => {
    const whole = volumeOf(n + 1, 0.9 - n / 20, { ageMs: (n % 2 === 0 ? 5 : 200) * DAY_MS });
    return n % 3 === 0 ? { ...whole, usedBytes: whole.liveBytes } : whole;
  }),
);
const all = (strategy: 'l1' | 'l2' | 'l3', settings: PlanSettings = WORTH) =>
  groupsOf(view, new Uint8Array(view.count).fill(verdictCode(strategy)), settings)[strategy];

describe('groups of volumes', () => {
  it('of L1 and L2 are of one age class each, the sparsest first, whatever is most worth draining', () => {
    for (const strategy of ['l1', 'l2'] as const) {
      const groups = all(strategy);
      expect(groups.length).toBeGreaterThan(1);
      expect(groups.flatMap(({ order }) => [...order]).sort((a, b) => a - b)).toEqual([...view.ids.keys()]);
      for (const { fills, order, ageClass } of groups) {
        expect([...fills]).toEqual([...fills].sort((a, b) => a - b));
        expect(new Set([...order].map((i) => view.ageClass[i]))).toEqual(new Set([ageClass]));
      }
    }
  });

  it('of L3 are in the order of what is most worth draining, or by fill where that is asked for', () => {
    const kin = new Kin(view);
    for (const { order } of all('l3')) {
      const ranks = [...order].map((i) => kin.rank(i));
      expect(ranks).toEqual([...ranks].sort((a, b) => b - a));
      expect(new Set([...order].map((i) => kin.classOf(i))).size).toBe(1);
    }
    const other = planSettingsOf({ drainOrder: 'sparsest' });
    for (const { fills } of all('l3', other)) expect([...fills]).toEqual([...fills].sort((a, b) => a - b));
  });

  it('are apart by lane, and so are runs: a plan that mixes two is refused', () => {
    const lanes = [0, 7, 2 ** 24];
    const volumes = Array.from({ length: 60 }, (_, n) => ({
      ...volumeOf(n + 1, 0.2 + (n % 10) / 20),
      lane: lanes[n % 3] as number,
    }));
    const apart = fleetOf('s', 'c0', volumes);
    const plan = planCompaction({ view: apart, settings: planSettingsOf(), threshold: 0.1 });
    const laneOf = new Map(volumes.map(({ id, lane }) => [id, lane]));
    for (const run of plan.runs)
      expect(new Set(run.sources.map(({ volume }) => laneOf.get(volume)))).toEqual(new Set([run.lane ?? 0]));
    expect(new Set(plan.runs.map(({ lane }) => lane))).toEqual(new Set([undefined, 7, 2 ** 24]));
    expect(checkPlan(apart, plan)).toEqual([]);
    expect(parsePlan(planJson(plan))).toEqual(plan);
    const mixed = fleetOf(
      's',
      'c0',
      volumes.map((volume, n) => (n === 0 ? { ...volume, lane: 7 } : volume)),
    );
    expect(checkPlan(mixed, plan)).toContainEqual(expect.objectContaining({ kind: 'range' }));
    expect(digestOf(mixed)).not.toBe(digestOf(apart));
    expect(explainVolume(apart, plan, volumes[1]?.id ?? '')[0]?.text).toMatch(/, lane 7$/);
    // Where nothing is kept apart a snapshot and its plan are what they were.
    const shared = (lane?: number) =>
      fleetOf(
        's',
        'c0',
        volumes.map(({ lane: _, ...volume }) => (lane === undefined ? volume : { ...volume, lane })),
      );
    expect(digestOf(shared(0))).toBe(digestOf(shared()));
  });

  it('are apart by codec and capacity, and of those only that the settings have a strategy for', () => {
    const volumes = [0, 1, 2, 3].map((n) =>
      volumeOf(n + 1, 0.4, {
        codec: n % 2 === 0 ? 'rs-6-3' : 'lrc-12-2-2',
        capacityBytes: n < 2 ? CAPACITY : 2 * CAPACITY,
      }),
    );
    const mixed = fleetOf('s', 'c0', volumes);
    const verdicts = new Uint8Array(mixed.count).fill(verdictCode('l2'));
    const { l2 } = groupsOf(mixed, verdicts, WORTH);
    expect(l2.map(({ codec, capacityBytes, order }) => [codec, capacityBytes, [...order]])).toEqual(
      volumes.map(({ codec, capacityBytes }, n) => [codec, capacityBytes, [n]]),
    );
    const without = groupsOf(mixed, verdicts, planSettingsOf({ strategies: ['l1', 'l3'] }));
    expect(without).toEqual({ l1: [], l2: [], l3: [] });
  });
});

describe('a top-off', () => {
  const planned = (host: number, donors: readonly number[]) => {
    const volumes = [
      volumeOf(1, 0.02, { bucketCount: host }),
      ...donors.map((bucketCount, n) => volumeOf(n + 2, 0.03, { bucketCount })),
    ];
    const settings = planSettingsOf({
      strategies: ['l1'],
      topOffs: 'always',
      minFill: 0.02,
      l3UpTo: 0.002,
      l2UpTo: 0.003,
    });
    const { runs } = planCompaction({ view: fleetOf('s', 'c0', volumes), settings, threshold: 0.02 });
    return runs.find((run) => run.host !== null)?.sources.map(({ takeBuckets }) => takeBuckets) ?? [];
  };

  it('brings no more buckets than its host can list besides its own, to the last one', () => {
    expect(planned(200, [3, 3, 3])).toEqual([3, 3, 3]);
    expect(planned(247, [3, 3, 3])).toEqual([3, 3, 3]);
    expect(planned(248, [3, 3, 3])).toEqual([3, 3, 2]);
    expect(planned(250, [3, 3, 3])).toEqual([3, 3]);
    expect(planned(255, [3, 3, 3])).toEqual([1]);
  });
});
