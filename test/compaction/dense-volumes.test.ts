// What is too dense to be packed, and what waits because it dies fast (decision 0031).
import { describe, expect, it } from 'vitest';
import { type FleetVolume, fleetOf } from '../../lib/compaction/facts/fleet.ts';
import { type PlanSettings, planSettingsOf } from '../../lib/compaction/facts/plan-settings.ts';
import { budgetsOf } from '../../lib/compaction/plan/budget.ts';
import { checkPlan } from '../../lib/compaction/plan/plan-check.ts';
import { planCompaction } from '../../lib/compaction/plan/planner.ts';
import { CAPACITY, volumeOf } from './fleets.ts';

const DAY_MS = 86_400_000;
const dense = fleetOf(
  's',
  'c0',
  Array.from({ length: 24 }, (_, n) => volumeOf(n + 1, 0.88 + n / 1000)),
);
const planned = (changes: Partial<PlanSettings> = {}, budgets = budgetsOf()) =>
  planCompaction({ view: dense, settings: planSettingsOf({ reserve: 0.02, ...changes }), threshold: 0.05, budgets });

describe('dense volumes', () => {
  it('stream into volumes that stay open, K at a time', () => {
    const plan = planned();
    expect(checkPlan(dense, plan)).toEqual([]);
    expect(plan.runs.map(({ strategy }) => strategy)).toEqual(['l2', 'l2', 'l2']);
    expect(plan.runs.map(({ sources }) => sources.length)).toEqual([10, 10, 4]);
    for (const { newVolumes, sources, freedVolumes } of plan.runs) {
      const live = sources.reduce((sum, { liveBytes }) => sum + liveBytes, 0);
      expect(newVolumes).toBeCloseTo(live / (0.98 * CAPACITY), 5);
      expect(freedVolumes).toBe(sources.length);
    }
    expect(plan.verdicts).toBe('p'.repeat(24));
    expect(plan.settings.l2UpTo).toBe(1);
  });

  it('are topped off where that is asked for, or nobody else may have them', () => {
    expect(new Set(planned({ topOffs: 'always' }).runs.map(({ strategy }) => strategy))).toEqual(new Set(['l1']));
    expect(new Set(planned({ strategies: ['l1'] }).runs.map(({ strategy }) => strategy))).toEqual(new Set(['l1']));
  });

  it('are topped off where rows are what is scarce, and streamed where bytes are', () => {
    const strategies = (budgets: ReturnType<typeof budgetsOf>) =>
      new Set(planned({}, budgets).runs.map(({ strategy }) => strategy));
    const much = { metadataWrites: 1e9, bytesRead: 1e15 };
    expect(strategies(budgetsOf({ ...much, metadataWrites: 20_000 }))).toEqual(new Set(['l1']));
    expect(strategies(budgetsOf({ ...much, bytesRead: 100 * CAPACITY }))).toEqual(new Set(['l2']));
  });

  it('a run that the budgets do not carry is halved', () => {
    const plan = planned({}, budgetsOf({ bytesRead: 3 * CAPACITY }));
    // Within its own share of the budget first, then of what the others leave.
    expect(plan.runs.map(({ sources }) => sources.length)).toEqual([1, 2]);
    expect(plan.verdicts).toContain('b');
  });
});

describe('volumes that pack no more', () => {
  const verdicts = (fill: number, changes: Partial<FleetVolume>) => {
    const view = fleetOf(
      's',
      'c0',
      [1, 2].map((n) => volumeOf(n, fill, changes)),
    );
    return planCompaction({ view, settings: planSettingsOf(), threshold: 0.1 }).verdicts;
  };

  it('stream if something has died in them and they have room, not because they came out thin', () => {
    expect(verdicts(0.7, { usedBytes: 0.99 * CAPACITY })).toBe('pp');
    expect(verdicts(0.7, { usedBytes: 0.72 * CAPACITY })).toBe('uu');
    expect(verdicts(0.7, { usedBytes: 0.99 * CAPACITY, roomBytes: 0.02 * CAPACITY })).toBe('uu');
    // Two that are half full fill one.
    expect(verdicts(0.45, { usedBytes: 0.46 * CAPACITY })).toBe('pp');
  });

  it('stay where what they have used is headers of short records, as an open volume shows', () => {
    const sealed = [1, 2].map((n) => volumeOf(n, 0.77, { usedBytes: 0.9 * CAPACITY, roomBytes: 0.12 * CAPACITY }));
    const open = volumeOf(3, 0.4, { state: 'open', usedBytes: 0.46 * CAPACITY });
    // Of a store of few volumes they would wait.
    const others = [4, 5, 6].map((n) => volumeOf(n, 0.9, { state: 'leased' }));
    const verdictsOf = (volumes: readonly FleetVolume[]): string => {
      const view = fleetOf('s', 'c0', [...volumes, ...others]);
      return planCompaction({ view, settings: planSettingsOf(), threshold: 0.05 }).verdicts.slice(0, volumes.length);
    };
    expect(verdictsOf(sealed)).toBe('pp');
    expect(verdictsOf([...sealed, open]).slice(0, 2)).toBe('uu');
    expect(verdictsOf([...sealed.map((volume) => ({ ...volume, liveBytes: 0.6 * CAPACITY })), open]).slice(0, 2)).toBe(
      'pp',
    );
    // Much has died in what is written, and in all others: that is no sign of long headers.
    const died = { ...open, liveBytes: 0.1 * CAPACITY };
    expect(verdictsOf([...sealed.map((volume) => ({ ...volume, liveBytes: 0.7 * CAPACITY })), died]).slice(0, 2)).toBe(
      'pp',
    );
  });
});

describe('haste', () => {
  const volumes = [
    volumeOf(1, 0.85, { ageMs: 300 * DAY_MS }),
    volumeOf(2, 0.85, { ageMs: 20 * DAY_MS }),
    ...Array.from({ length: 20 }, (_, n) => volumeOf(n + 3, 0.99, { ageMs: 30 * DAY_MS })),
  ];
  const verdicts = (changes: Partial<PlanSettings>) =>
    planCompaction({ view: fleetOf('s', 'c0', volumes), settings: planSettingsOf(changes), threshold: 0.1 }).verdicts;

  it('of two volumes equally full the one that dies fast waits, the other is rewritten', () => {
    expect(verdicts({}).slice(0, 2)).toBe('pw');
    expect(verdicts({ drainOrder: 'sparsest' }).slice(0, 2)).toBe('pp');
    expect(verdicts({ objective: 'max-fill' }).slice(0, 2)).toBe('pp');
    // What waits now would wait for ever.
    expect(verdicts({ finish: true }).slice(0, 2)).toBe('pp');
  });
});

describe('a store of few volumes', () => {
  const sealed = (fill: number, count: number): FleetVolume[] =>
    Array.from({ length: count }, (_, n) => volumeOf(n + 1, fill));
  const open = (usedBytes: number) => volumeOf(99, 0.01, { state: 'open', usedBytes });
  const verdicts = (volumes: readonly FleetVolume[], changes: Partial<PlanSettings> = {}) =>
    planCompaction({ view: fleetOf('s', 'c0', volumes), settings: planSettingsOf(changes), threshold: 0.1 }).verdicts;

  it('waits while what it would free is opened again, and goes when it fits what is open', () => {
    expect(verdicts([...sealed(0.75, 1), open(0.4 * CAPACITY)])).toBe('wo');
    expect(verdicts([...sealed(0.75, 1), open(0.2 * CAPACITY)])).toBe('po');
    // Two at 1.5 together need one volume beside what is open.
    expect(verdicts([...sealed(0.75, 2), open(0.2 * CAPACITY)])).toBe('ppo');
    expect(verdicts([...sealed(0.75, 2), open(0.9 * CAPACITY)])).toBe('wwo');
  });

  it('waits for nothing where there are many, or no plan follows', () => {
    const full = Array.from({ length: 4 }, (_, n) => volumeOf(n + 20, 0.99));
    expect(verdicts([...sealed(0.75, 1), ...full, open(0.4 * CAPACITY)])[0]).toBe('p');
    const alone = [...sealed(0.75, 1), open(0.4 * CAPACITY)];
    expect(verdicts(alone, { finish: true })).toBe('po');
    expect(verdicts(alone, { objective: 'max-fill' })).not.toBe('wo');
  });
});
