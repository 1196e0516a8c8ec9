// Explanations and estimated delete rates.

import { describe, expect, it } from 'vitest';
import { deleteRatesOf } from '../../lib/compaction/facts/delete-rates.ts';
import { fleetOf } from '../../lib/compaction/facts/fleet.ts';
import { planSettingsOf } from '../../lib/compaction/facts/plan-settings.ts';
import { explainVolume } from '../../lib/compaction/plan/explain.ts';
import { planCompaction } from '../../lib/compaction/plan/planner.ts';
import { DAY_MS } from '../../lib/foundation/durations.ts';
import { fleetOfFills, volumeName, volumeOf } from './fleets.ts';

describe('explain', () => {
  const view = fleetOfFills([0.03, 0.3, 0.33, 0.35, 0.95, 0.02]);
  const plan = planCompaction({ view, settings: planSettingsOf(), threshold: 0.1 });

  it('says which run a volume is in and why, or why it is in none', () => {
    expect(
      explainVolume(view, plan, volumeName(1))
        .map(({ text }) => text)
        .join('\n'),
    ).toMatch(/source of l3-0001, which drains 2 volumes/);
    expect(
      explainVolume(view, plan, volumeName(3))
        .map(({ text }) => text)
        .join('\n'),
    ).toMatch(/verdict planned: .*\n.*packs 3 volumes/);
    expect(
      explainVolume(view, plan, volumeName(5))
        .map(({ text }) => text)
        .join('\n'),
    ).toMatch(/verdict dense: its dead part/);
    const codes = [1, 3, 5].map((n) => explainVolume(view, plan, volumeName(n)).map(({ code }) => code));
    const facts = ['VOLUME_STATE', 'VOLUME_FILL', 'VOLUME_AGE'];
    expect(codes).toEqual([
      [...facts, 'VERDICT_PLANNED', 'RUN_SOURCE'],
      [...facts, 'VERDICT_PLANNED', 'RUN_SOURCE'],
      [...facts, 'VERDICT_DENSE'],
    ]);
    expect(() => explainVolume(view, plan, 'nobody')).toThrowError(
      expect.objectContaining({ kind: 'missing', code: 'VOLUME_UNKNOWN' }),
    );
  });
});

describe('delete rates', () => {
  const ages = [0.5 * DAY_MS, 3 * DAY_MS];
  const fleet = (fills: readonly number[], changes = {}) =>
    fleetOf(
      's',
      'c0',
      fills.map((fill, n) => volumeOf(n + 1, fill, { ageMs: ages[n % 2] as number, bucketCount: 24, ...changes })),
    );

  it('are bytes lost over bytes exposed, by age class, where there is enough to go by', () => {
    const before = fleet(Array.from({ length: 80 }, () => 0.8));
    const after = fleet(Array.from({ length: 80 }, (_, n) => (n % 2 === 0 ? 0.64 : 0.72)));
    const rates = deleteRatesOf(before, after, 2 * DAY_MS, [1, 2, 3, 4]);
    expect(rates[0]).toBeCloseTo(0.1, 6);
    expect(rates[1]).toBeCloseTo(0.05, 6);
    expect(rates.slice(2)).toEqual([3, 4]);
  });

  it('leave out what was rewritten, and keep the old rates when no time has passed', () => {
    const before = fleet(Array.from({ length: 80 }, () => 0.8));
    const rewritten = fleet(
      Array.from({ length: 80 }, () => 0.1),
      { generation: 2 },
    );
    expect(deleteRatesOf(before, rewritten, DAY_MS, [1, 2, 3, 4])).toEqual([1, 2, 3, 4]);
    expect(deleteRatesOf(before, before, -DAY_MS, [1, 2, 3, 4])).toEqual([1, 2, 3, 4]);
    expect(deleteRatesOf(before, before, DAY_MS, [1, 2, 3, 4]).slice(0, 2)).toEqual([0, 0]);
  });
});
