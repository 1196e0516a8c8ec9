// Blobs that are put one a call, many calls at once: their client joins them, and then they cost what the sheet says. One
// that comes alone costs what it always did. The others that gather are counted in gathered.long.test.ts.
import { expect, it } from 'vitest';
import { PRICE_BOOK } from '../../lib/cost/price-book.ts';
import { GATHERED_CALLERS, UNITS, usageDollars } from '../../lib/cost/usage.ts';
import { PRESETS } from '../../lib/settings/settings.ts';
import { gatheredPutCost } from './gathered.ts';

/** How many go together depends on who is a moment earlier. */
const WITHIN = 0.3;

it('a million blobs put one a call, eight at once, cost at most eight dollars under thrifty', async () => {
  const cost = await gatheredPutCost(PRESETS.thrifty, 'client', GATHERED_CALLERS, 8);
  expect(cost.calls).toBeLessThan(cost.blobs / 2);
  expect(cost.total).toBeLessThanOrEqual(8);
  const said = usageDollars(1, PRICE_BOOK).put1Gathered;
  expect(Math.abs(said - cost.total)).toBeLessThanOrEqual(WITHIN * cost.total);
  const rows = cost.work.metadataWrites / cost.blobs;
  expect(Math.abs(UNITS.put1Gathered.rowsWritten - rows)).toBeLessThanOrEqual(WITHIN * rows);
});

it('nothing is gathered of what comes one after the other', async () => {
  const alone = await gatheredPutCost(PRESETS.thrifty, 'client', 1, 3);
  expect(alone.calls).toBe(3);
  expect(alone.total).toBeGreaterThan(usageDollars(1, PRICE_BOOK).put1 * 0.97);
});
