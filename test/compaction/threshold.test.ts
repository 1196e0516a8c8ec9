// The threshold controller, open loop (each rule by itself) and closed loop (steps, ramps, noise, delays, starvation), and the
// published law beside it, which runs away.

import { describe, expect, it } from 'vitest';
import {
  stepNaively,
  stepThreshold,
  THRESHOLD_SETTINGS,
  type ThresholdState,
  thresholdSettingsOf,
  thresholdStart,
} from '../../lib/compaction/threshold/law.ts';
import { DAY_MS } from '../../lib/foundation/durations.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { closedLoop, type LoopDay, type LoopScenario } from './closed-loop.ts';

const settings = thresholdSettingsOf();

/** Feeds overheads a day apart; returns the last step. */
function feed(overheads: readonly number[], budgetUsed: number, start = thresholdStart(0.25)) {
  let state: ThresholdState = start;
  let last = stepThreshold(state, { nowMs: 0, overhead: 1.2, budgetUsed, sealedVolumes: 100 }, settings);
  for (const [n, overhead] of overheads.entries()) {
    last = stepThreshold(state, { nowMs: (n + 1) * DAY_MS, overhead, budgetUsed, sealedVolumes: 100 }, settings);
    state = last.state;
  }
  return last;
}

const rising = Array.from({ length: 20 }, (_, n) => 1.15 + n * 0.01);
const falling = [...rising].reverse();
const flat = Array.from({ length: 20 }, () => 1.2);

describe('one step', () => {
  it('raises only while budgets are used up and overhead rises', () => {
    expect(feed(rising, 1).moved).toBe('raised');
    expect(feed(rising, 0.95).moved).toBe('kept');
    expect(feed(flat, 1).moved).toBe('kept');
    expect(feed(falling, 1).moved).toBe('kept');
  });

  it('lowers while budgets have room and overhead is stable or rising, down to the target overhead', () => {
    expect(feed(flat, 0.5).moved).toBe('lowered');
    expect(feed(rising, 0.5).moved).toBe('lowered');
    expect(feed(falling, 0.5).moved).toBe('kept');
    expect(
      feed(
        flat.map(() => 1.09),
        0.5,
      ).reason.code,
    ).toBe('AT_TARGET');
  });

  it('is bounded to the point: what is busy, idle, at the target, and enough volumes', () => {
    const at = (overhead: number, budgetUsed: number, sealedVolumes = settings.volumesMin) =>
      stepThreshold(
        { threshold: 0.25, quick: overhead, slow: overhead, atMs: 0 },
        { nowMs: 1, overhead, budgetUsed, sealedVolumes },
        settings,
      ).reason.code;
    const { targetOverhead, busy, idle, volumesMin } = settings;
    const above = targetOverhead + 0.1;
    expect([at(targetOverhead, 0), at(targetOverhead + 0.001, 0)]).toEqual(['AT_TARGET', 'BUDGETS_HAVE_ROOM']);
    expect([at(above, busy), at(above, busy - 0.001)]).toEqual(['BUDGETS_SPENT', 'BUDGETS_NEARLY_SPENT']);
    expect([at(above, idle), at(above, idle - 0.001)]).toEqual(['BUDGETS_NEARLY_SPENT', 'BUDGETS_HAVE_ROOM']);
    expect(at(above, 0, volumesMin - 1)).toBe('TOO_FEW_VOLUMES');
    expect([at(1, 0), at(0.999, 0), at(1, -0.001)]).toEqual([
      'AT_TARGET',
      'MEASUREMENT_INVALID',
      'MEASUREMENT_INVALID',
    ]);
  });

  it('takes a trend within the band for none, rising and falling', () => {
    const at = (quick: number, budgetUsed: number) =>
      stepThreshold(
        { threshold: 0.25, quick, slow: 1.2, atMs: 0 },
        { nowMs: 1, overhead: 1.2, budgetUsed, sealedVolumes: 100 },
        settings,
      ).moved;
    const { band } = settings;
    expect([at(1.2 + band / 2, 1), at(1.2 + band * 2, 1)]).toEqual(['kept', 'raised']);
    expect([at(1.2 - band / 2, 0.5), at(1.2 - band * 2, 0.5)]).toEqual(['lowered', 'kept']);
  });

  it('moves by a step a day at most, whatever the calls and the clock do', () => {
    const measure = (nowMs: number) => ({ nowMs, overhead: 1.2, budgetUsed: 0.5, sealedVolumes: 100 });
    let state = stepThreshold(thresholdStart(0.25), measure(0), settings).state;
    for (let call = 1; call <= 1000; call++)
      state = stepThreshold(state, measure((call * DAY_MS) / 1000), settings).state;
    expect(0.25 - state.threshold).toBeCloseTo(settings.stepPerDay, 9);
    const leapt = stepThreshold(state, measure(4000 * DAY_MS), settings).state;
    expect(state.threshold - leapt.threshold).toBeCloseTo(settings.stepPerDay, 9);
    const back = stepThreshold(leapt, measure(2 * DAY_MS), settings);
    expect(back).toMatchObject({ moved: 'kept', state: { threshold: leapt.threshold } });
    expect(stepThreshold(back.state, measure(3 * DAY_MS), settings).moved).toBe('lowered');
  });

  it('keeps its bounds, ignores nonsense and fleets too small to measure', () => {
    expect(feed(flat, 0.5, thresholdStart(settings.min)).state.threshold).toBe(settings.min);
    expect(feed(rising, 1, thresholdStart(settings.max)).state.threshold).toBe(settings.max);
    for (const overhead of [Number.NaN, 0.5, Number.POSITIVE_INFINITY])
      expect(feed([...rising, overhead], 1).moved).toBe('kept');
    const few = { nowMs: DAY_MS, overhead: 1.3, budgetUsed: 1, sealedVolumes: 9 };
    expect(stepThreshold(thresholdStart(0.25), few, settings).state).toEqual(thresholdStart(0.25));
  });

  it('refuses settings that are nonsense or known to swing', () => {
    const wrong = [
      { stepPerDay: 0.02 },
      { stepPerDay: 0.01, delayDays: 8 },
      { min: 0.5, max: 0.4 },
      { idle: 0.98 },
      { targetOverhead: 1 },
      { quickDays: 9 },
    ];
    for (const changes of wrong)
      expect(() => thresholdSettingsOf(changes), JSON.stringify(changes)).toThrowError(
        expect.objectContaining({ kind: 'invalid', code: 'THRESHOLD_INVALID' }),
      );
    expect(thresholdSettingsOf({ stepPerDay: 0.01, delayDays: 7 }).delayDays).toBe(7);
  });
});

function guarded(scenario: LoopScenario, stepPerDay = THRESHOLD_SETTINGS.stepPerDay, seed = 11): LoopDay[] {
  const chosen = thresholdSettingsOf({ stepPerDay, delayDays: scenario.delayDays });
  let state = thresholdStart(0.25);
  return closedLoop(new SeededRandomness(seed), scenario, (day, overhead, budgetUsed) => {
    state = stepThreshold(state, { nowMs: day * DAY_MS, overhead, budgetUsed, sealedVolumes: 450 }, chosen).state;
    return state.threshold;
  });
}

function naive(scenario: LoopScenario, seed = 11): LoopDay[] {
  let threshold = 0.25;
  let quick = 0;
  return closedLoop(new SeededRandomness(seed), scenario, (_day, overhead) => {
    const before = quick === 0 ? overhead : quick;
    quick = before + (overhead - before) / 3;
    threshold = stepNaively(threshold, quick > before, 0.01, 1);
    return threshold;
  });
}

const DAYS = 400;
const steady: LoopScenario = { days: DAYS, deletesPerDay: () => 0.005, budget: () => 7.5, delayDays: 1 };
const swing = (days: readonly LoopDay[]): number => {
  const last = days.slice(-100).map((day) => day.threshold);
  return Math.max(...last) - Math.min(...last);
};
const finalOverhead = (days: readonly LoopDay[]): number => (days[days.length - 1] as LoopDay).overhead;

describe('in a closed loop', () => {
  it('the published law runs away, without any incident', () => {
    const days = naive(steady);
    expect(finalOverhead(days)).toBeGreaterThan(1.5);
    expect((days[DAYS - 1] as LoopDay).threshold).toBeGreaterThan(0.9);
  });

  it.each([1, 7, 14])('the guarded law is stable at a delay of %d days', (delayDays) => {
    const days = guarded({ ...steady, delayDays });
    expect(swing(days)).toBeLessThanOrEqual(0.1);
    expect(finalOverhead(days)).toBeLessThan(1.25);
  });

  it.each([
    { name: 'a step in deletes', change: { deletesPerDay: (day: number) => (day > 80 && day < 125 ? 0.015 : 0.005) } },
    { name: 'a ramp in deletes', change: { deletesPerDay: (day: number) => 0.003 + 0.004 * Math.min(1, day / 300) } },
    { name: 'starved budgets', change: { budget: (day: number) => (day > 60 && day < 120 ? 2.5 : 7.5) } },
    { name: 'an incident', change: { incident: (day: number) => (day > 60 && day < 100 ? 3 : 0) } },
    { name: 'noise of 1 %', change: { noise: 0.01 } },
  ])('comes back from $name', ({ change }) => {
    for (const delayDays of [1, 7]) {
      const days = guarded({ ...steady, delayDays, ...change });
      expect(finalOverhead(days)).toBeLessThan(1.3);
      expect(swing(days)).toBeLessThanOrEqual(0.15);
      expect(Math.max(...days.map((day) => day.threshold))).toBeLessThanOrEqual(THRESHOLD_SETTINGS.max);
    }
  });

  it('uses spare budget: overhead ends below where a static threshold keeps it', () => {
    const still = closedLoop(new SeededRandomness(11), { ...steady, budget: () => 12 }, () => 0.25);
    expect(finalOverhead(guarded({ ...steady, budget: () => 12 }))).toBeLessThan(finalOverhead(still) - 0.02);
  });
});
