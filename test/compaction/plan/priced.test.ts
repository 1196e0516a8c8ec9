// Plans are priced by the book they are given, merges of remnants as well; and they show the merges that come before.
import { expect, it } from 'vitest';
import { mergeSettingsFor } from '../../../lib/compaction/facts/merge-settings.ts';
import { planSettingsOf } from '../../../lib/compaction/facts/plan-settings.ts';
import { remnantViewOf } from '../../../lib/compaction/facts/remnants.ts';
import { planMerges } from '../../../lib/compaction/plan/merges/merge-propose.ts';
import { planCompaction } from '../../../lib/compaction/plan/planner.ts';
import { PRICE_BOOK } from '../../../lib/cost/price-book.ts';
import { SMALL } from '../acting-world.ts';
import { fleetOfFills } from '../fleets.ts';

const FACTOR = 1000;
const dynamo = { ...PRICE_BOOK.dynamo, perMillionWriteUnits: PRICE_BOOK.dynamo.perMillionWriteUnits * FACTOR };
const book = { ...PRICE_BOOK, name: 'dear', date: '1999-01-01', dynamo };

it('a plan names its book, and costs what that says', () => {
  const request = { view: fleetOfFills([0.3, 0.3, 0.3, 0.05]), settings: planSettingsOf(), threshold: 0.1 };
  const usual = planCompaction(request);
  expect(usual).toMatchObject({ prices: { name: PRICE_BOOK.name, date: PRICE_BOOK.date }, merges: null });
  const dear = planCompaction({ ...request, book });
  expect(dear.prices).toEqual({ name: 'dear', date: '1999-01-01' });
  expect(dear.runs[0]?.dollars).toBeGreaterThan((usual.runs[0]?.dollars ?? 0) * 10);
  const merges = { rowsBefore: 5 } as never;
  expect(planCompaction({ ...request, merges }).merges).toBe(merges);
});

it('merges cost what the book says', () => {
  const ids = ['1', '2', '3', '4'];
  const view = remnantViewOf(
    's',
    'c0',
    [{ id: 'v', generation: 1, state: 'sealed', bucketCount: 4, ageMs: 0 }],
    ids.map((id) => ({ id, volume: 'v', liveBytes: 500, usedBytes: 500, slots: 2 })),
  );
  const settings = mergeSettingsFor(SMALL, { rowsPerGibMax: 1, sourcesMin: 2, tierFactor: 2, blocksPerColumnMin: 0 });
  const request = { view, settings, codec: 'xor-2-1' as const, plan: planSettingsOf() };
  const usual = planMerges(request);
  expect(usual.merges.length).toBeGreaterThan(0);
  expect(planMerges({ ...request, book }).dollars).toBeGreaterThan(usual.dollars * 10);
  expect(planMerges({ ...request, book: PRICE_BOOK })).toEqual(usual);
});
