// Plans that end at a target: as little is freed as reaches it, more only if there is nothing less.
import { expect, it } from 'vitest';
import { type FleetVolume, fleetOf } from '../../../lib/compaction/facts/fleet.ts';
import { type PlanSettings, planSettingsOf } from '../../../lib/compaction/facts/plan-settings.ts';
import { budgetsOf } from '../../../lib/compaction/plan/budget.ts';
import { planCompaction } from '../../../lib/compaction/plan/planner.ts';
import { volumeOf } from '../fleets.ts';

/** To be freed: so much of a volume's capacity. */
function planned(
  fills: readonly number[],
  wanted: number,
  changes: Partial<PlanSettings> = {},
  of: Partial<FleetVolume> = {},
) {
  const view = fleetOf(
    's',
    'c0',
    fills.map((fill, n) => volumeOf(n + 1, fill, of)),
  );
  const live = fills.reduce((sum, fill) => sum + fill, 0);
  const settings = planSettingsOf({ targetOverhead: (fills.length - wanted) / live, ...changes });
  const plan = planCompaction({ view, settings, threshold: 0.1, budgets: budgetsOf() });
  return plan.runs.map(({ name, sources, newVolumes, host }) => {
    const from = sources.map(({ volume }) => Number.parseInt(volume, 16)).join('+');
    return `${name.slice(0, 2)} ${from}>${host === null ? newVolumes : Number.parseInt(host.volume, 16)}`;
  });
}

const WAIT = { unpacked: 'wait' as const, drainOrder: 'sparsest' as const };

it('what frees too much is better than nothing, where nothing frees less', () => {
  // Three fill one volume, two of them do not fill it enough.
  const fills = [0.33, 0.33, 0.33, 1, 1];
  expect(planned(fills, 0.5, WAIT)).toEqual(['l2 3+2+1>1']);
  expect(planned(fills, 1, WAIT)).toEqual(['l2 3+2+1>1']);
  expect(planned(fills, 0, WAIT)).toEqual([]);
  // A stream frees just what is wanted.
  expect(planned(fills, 0.5, { drainOrder: 'sparsest' })).toEqual(['l2 1>0.331658']);
});

it('of two runs the one that frees no more than is wanted comes first', () => {
  const fills = [0.3, 0.3, 0.3, 0.45, 0.45, 1, 1];
  const loose = { ...WAIT, minFill: 0.85, sourcesMax: 9 };
  expect(planned(fills, 0.9, loose)).toHaveLength(1);
  expect(planned(fills, 0.9, loose)[0]).toMatch(/^l2 \d\+\d>1$/);
  expect(planned(fills, 2.9, loose)).toHaveLength(2);
});

it('a batch of L3 is as large as it takes', () => {
  const fills = [0.05, 0.05, 0.05, 0.05, 1];
  const drained = { drainOrder: 'sparsest' as const };
  expect(planned(fills, 0.9, drained)).toEqual(['l3 1>0.050251']);
  expect(planned(fills, 0.95, drained)).toEqual(['l3 1+2>0.100503']);
  expect(planned(fills, 1.85, drained)).toEqual(['l3 1+2>0.100503']);
  expect(planned(fills, 3.79, drained)).toEqual(['l3 1+2+3+4>0.201005']);
});
