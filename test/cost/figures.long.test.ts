// What compaction costs, with compute: counted on the real store and priced.
import { expect, it } from 'vitest';
import { moveDollarsPerGib } from '../../lib/cost/move.ts';
import { PRICE_BOOK } from '../../lib/cost/price-book.ts';
import { PRESETS } from '../../lib/settings/settings.ts';
import { compactionCost, lrcOfCell, scaledDown } from './figures.ts';

const SCALE = 64;
/** Of what a month of a load is priced with. */
const MOVED_WITHIN = 0.12;
const expectSaid = (said: number, counted: number): void =>
  expect(Math.abs(said - counted)).toBeLessThanOrEqual(MOVED_WITHIN * counted);

it('a GiB compacted under thrifty costs 0.12 cents at most', async () => {
  const cost = await compactionCost(scaledDown('thrifty', SCALE), 4, SCALE);
  expect(cost.movedBytes).toBeGreaterThan(0.4 * 4 * PRESETS.thrifty.extentBytes);
  expect(cost.compute).toBeGreaterThan(0.0004);
  expect(cost.total).toBeLessThanOrEqual(0.0012);
  expectSaid(moveDollarsPerGib({ columns: 1, dataColumns: 1 }, PRESETS.thrifty.groupBytesMin, PRICE_BOOK), cost.total);
});

it('a GiB compacted under lrc-12-2-2 costs 0.18 cents at most', async () => {
  const settings = lrcOfCell(SCALE);
  expect(settings.groupBytesMin * SCALE).toBe(PRESETS.cell.groupBytesMin);
  const cost = await compactionCost(settings, 4, SCALE);
  expect(cost.compute).toBeGreaterThan(0.0004);
  expect(cost.total).toBeLessThanOrEqual(0.0018);
  expectSaid(moveDollarsPerGib({ columns: 16, dataColumns: 12 }, PRESETS.cell.groupBytesMin, PRICE_BOOK), cost.total);
  // Sixteen objects of each group, and the directories of what is sealed.
  expect(cost.putsPerGib).toBeGreaterThan((16 * 1024) / (PRESETS.cell.groupBytesMin / 2 ** 20));
});
