// The selector's properties: every volume gets exactly one strategy or one reason, whatever the fleet and the boundaries; and
// boundaries that overlap, or leave a band to nobody, are refused.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FLEET_STATES, fleetOf } from '../../lib/compaction/facts/fleet.ts';
import {
  PLAN_SETTINGS,
  planSettingsOf,
  STRATEGIES,
  thinnestForPacking,
} from '../../lib/compaction/facts/plan-settings.ts';
import { groupsOf } from '../../lib/compaction/plan/groups.ts';
import { Kin } from '../../lib/compaction/plan/kin.ts';
import { classify, rangesOf, strategyOf, VERDICT_NAMES, VERDICTS } from '../../lib/compaction/plan/selector.ts';
import { volumeOf } from './fleets.ts';

const NEVER_WAIT = new Float64Array(1024).fill(1);

const settings = fc
  .record({
    l3UpTo: fc.double({ min: 0.09, max: 0.9, noNaN: true }),
    l2More: fc.double({ min: 0.001, max: 1, noNaN: true }),
    l1More: fc.double({ min: 0, max: 1, noNaN: true }),
    minAgeMs: fc.integer({ min: 0, max: 1000 }),
  })
  .map(({ l3UpTo, l2More, l1More, minAgeMs }) => {
    const l2UpTo = Math.min(1, l3UpTo + (1 - l3UpTo) * l2More);
    return planSettingsOf({ l3UpTo, l2UpTo, l1UpTo: Math.min(1, l2UpTo + (1 - l2UpTo) * l1More), minAgeMs });
  });

const fleet = fc
  .array(
    fc.record({
      fill: fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(0, 0.1, 0.75, 0.9, 1)),
      state: fc.constantFrom(...FLEET_STATES),
      ageMs: fc.integer({ min: 0, max: 2000 }),
      codec: fc.constantFrom('rs-6-3' as const, 'xor-2-1' as const),
    }),
    { maxLength: 60 },
  )
  .map((list) =>
    fleetOf(
      's',
      'c0',
      list.map(({ fill, ...rest }, n) => volumeOf(n + 1, fill, rest)),
    ),
  );

const thresholds = fc.double({ min: 0.02, max: 0.9, noNaN: true });

describe('the selector', () => {
  it('gives every volume one verdict, and only sealed ones a strategy', () => {
    fc.assert(
      fc.property(fleet, settings, thresholds, (view, chosen, threshold) => {
        const verdicts = classify(view, chosen, threshold, NEVER_WAIT);
        expect(verdicts.length).toBe(view.count);
        // What dies faster than the fleet is left to die on, where a plan goes by worth and a later one can still take it.
        const { objective, drainOrder, finish } = chosen;
        const waits = objective === 'worth' && drainOrder === 'worth' && !finish ? ['waits'] : [];
        for (let i = 0; i < view.count; i++) {
          const verdict = VERDICT_NAMES[verdicts[i] as number];
          const state = FLEET_STATES[view.state[i] as number];
          if (state === 'sealed') expect(['l1', 'l2', 'l3', 'dense', 'young', ...waits]).toContain(verdict);
          else expect(verdict).toBe(state);
        }
      }),
    );
  });

  it('the ranges are disjoint and leave nothing below the threshold out', () => {
    fc.assert(
      fc.property(settings, thresholds, fc.double({ min: 0, max: 1, noNaN: true }), (chosen, threshold, fill) => {
        const ranges = rangesOf(chosen, threshold);
        const owners = [
          fill <= ranges.l3,
          fill > ranges.l3 && fill <= ranges.l2,
          fill > ranges.l2 && fill <= ranges.l1,
        ];
        const owner = strategyOf(fill, ranges);
        expect(owners.filter(Boolean).length).toBe(owner === undefined ? 0 : 1);
        expect(owner === undefined).toBe(fill > Math.min(chosen.l1UpTo, (1 - threshold) * (1 - chosen.reserve)));
      }),
    );
  });

  it('a fill on a boundary belongs to the strategy below it', () => {
    const ranges = rangesOf(PLAN_SETTINGS, 0.1);
    expect([0, 0.1, 0.85, 0.8955].map((fill) => strategyOf(fill, ranges))).toEqual(['l3', 'l3', 'l2', 'l1']);
    expect([0.1001, 0.8501, 0.8956].map((fill) => strategyOf(fill, ranges))).toEqual(['l2', 'l1', undefined]);
  });

  it('groups hold every candidate of the strategies asked for once, in order, one codec and class each', () => {
    fc.assert(
      fc.property(fleet, settings, thresholds, (view, chosen, threshold) => {
        const verdicts = classify(view, chosen, threshold, NEVER_WAIT);
        const groups = groupsOf(view, verdicts, chosen);
        const kin = new Kin(view);
        for (const strategy of STRATEGIES) {
          const members = groups[strategy].flatMap((group) => [...group.order]);
          const owned = [...verdicts.keys()].filter((i) => VERDICT_NAMES[verdicts[i] as number] === strategy);
          expect(members.sort((a, b) => a - b)).toEqual(owned);
          for (const group of groups[strategy]) {
            const byRank = strategy === 'l3';
            const places = [...group.order].map((i, at) =>
              byRank ? -Math.log2(Math.min(1e15, Math.max(1e-15, kin.rank(i)))) : (group.fills[at] as number),
            );
            for (let at = 1; at < places.length; at++)
              expect((places[at] as number) - (places[at - 1] as number)).toBeGreaterThan(byRank ? -1e-4 : -1e-7);
            const classOf = (i: number): number => (byRank ? kin.classOf(i) : (view.ageClass[i] as number));
            expect(new Set([...group.order].map((i) => view.codec[i])).size).toBe(1);
            expect(new Set([...group.order].map(classOf))).toEqual(new Set([group.ageClass]));
          }
        }
      }),
    );
  });

  it('refuses boundaries that overlap, are no fractions, or leave a band that neither L2 can pack nor L3 owns', () => {
    const wrong = [
      { l3UpTo: 0.5, l2UpTo: 0.4 },
      { l3UpTo: 0.3, l2UpTo: 0.3 },
      { l2UpTo: 0.8, l1UpTo: 0.7 },
      { l3UpTo: -0.1 },
      { l2UpTo: Number.NaN },
      { l1UpTo: 1.5 },
      { l3UpTo: 0.05 },
      { sourcesMax: 5 },
    ];
    for (const changes of wrong)
      expect(() => planSettingsOf(changes), JSON.stringify(changes)).toThrowError(
        expect.objectContaining({ kind: 'invalid', code: 'BOUNDARIES_INVALID' }),
      );
    expect(planSettingsOf({ sourcesMax: 5, l3UpTo: 0.18 }).l3UpTo).toBeGreaterThanOrEqual(
      thinnestForPacking({ ...PLAN_SETTINGS, sourcesMax: 5 }) - 1e-9,
    );
  });

  it('letters of verdicts are distinct', () => {
    const letters = Object.values(VERDICTS).map(({ letter }) => letter);
    expect(new Set(letters).size).toBe(letters.length);
  });
});
