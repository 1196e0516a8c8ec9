// What a plan is asked for and what it may merge, to the last detail: who stands above whom, and which of equal merges comes first.
import { expect, it } from 'vitest';
import { planRequestOf } from '../../lib/compaction/do/plan-request.ts';
import type { FleetView } from '../../lib/compaction/facts/fleet.ts';
import { mergeSettingsFor } from '../../lib/compaction/facts/merge-settings.ts';
import { type RemnantBucket, remnantViewOf } from '../../lib/compaction/facts/remnants.ts';
import { UNLIMITED } from '../../lib/compaction/plan/budget.ts';
import { mergeCandidates } from '../../lib/compaction/plan/merges/merge-candidates.ts';
import { SMALL } from './acting-world.ts';

it('of two merges of one worth the one with the earlier bucket comes first, wherever it was found', () => {
  const volumes = [1, 2].map((lane) => ({
    id: `v${lane}`,
    generation: 1,
    state: 'sealed' as const,
    bucketCount: 2,
    lane,
    ageMs: 0,
  }));
  const of = (first: string, second: string): RemnantBucket[] =>
    [
      [first, 'v1', 6],
      [second, 'v1', 2],
      ['02', 'v2', 2],
      ['08', 'v2', 6],
    ].map(([id, volume, slots]) => ({ id, volume, slots, liveBytes: 100, usedBytes: 100 }) as unknown as RemnantBucket);
  const settings = mergeSettingsFor(SMALL, { sourcesMin: 2, tierFactor: 2 });
  const order = (buckets: readonly RemnantBucket[]) =>
    mergeCandidates(remnantViewOf('s', 'c0', volumes as never, buckets), settings).map(
      ({ sources, blocks, rowsSaved }) => ({
        first: sources[0]?.bucket,
        worth: blocks / rowsSaved,
      }),
    );
  expect(order(of('01', '09'))).toEqual([
    { first: '02', worth: 8 },
    { first: '09', worth: 8 },
  ]);
  expect(order(of('09', '01'))).toEqual([
    { first: '01', worth: 8 },
    { first: '02', worth: 8 },
  ]);
});

it('a plan is asked for with what an operator has set, above it what a caller asks for, and with budgets if there are any', () => {
  const view = { volumes: [] } as unknown as FleetView;
  const deletesPerDay = [0.5, 0.4, 0.3, 0.2];
  const standing = {
    settings: SMALL,
    operating: {},
    deletesPerDay,
    threshold: 0.4,
    budgets: undefined,
    changes: undefined,
  };
  const plain = planRequestOf(view, standing);
  expect(Object.keys(plain).sort()).toEqual(['settings', 'threshold', 'view']);
  expect(plain).toMatchObject({ view, threshold: 0.4, settings: { deletesPerDay } });
  const budgets = { ...UNLIMITED } as never;
  expect(planRequestOf(view, { ...standing, budgets }).budgets).toBe(budgets);
  const set = { ...standing, operating: { runsMax: 3, granularity: 64 } };
  expect(planRequestOf(view, set).settings).toMatchObject({ runsMax: 3, granularity: 64 });
  expect(planRequestOf(view, { ...set, changes: { runsMax: 7 } }).settings).toMatchObject({
    runsMax: 7,
    granularity: 64,
  });
});
