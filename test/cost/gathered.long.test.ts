// Whoever gathers puts of one blob each: the client of a stage, a function that has several requests at once, a server in
// front of the store. Eight at once cost what was asked for under both presets; in a function that has them all at
// once, which no stage deploys, so do sixteen.
import { expect, it } from 'vitest';
import { PRICE_BOOK } from '../../lib/cost/price-book.ts';
import { GATHERED_CALLERS, usageDollars } from '../../lib/cost/usage.ts';
import { PRESETS } from '../../lib/settings/settings.ts';
import { type Gatherer, gatheredPutCost } from './gathered.ts';

const GATHERERS: readonly Gatherer[] = ['client', 'function', 'server'];

it.each([
  ['thrifty', 8, 1],
  ['personal', 12, 4],
] as const)(
  'a million blobs put one a call, eight at once, under %s cost at most $%d',
  async (preset, most, columns) => {
    const alone = usageDollars(columns, PRICE_BOOK).put1;
    for (const gatherer of GATHERERS) {
      const callers = gatherer === 'function' ? 2 * GATHERED_CALLERS : GATHERED_CALLERS;
      const cost = await gatheredPutCost(PRESETS[preset], gatherer, callers, 8);
      expect(cost.total, gatherer).toBeLessThanOrEqual(most);
      expect(cost.total, gatherer).toBeLessThan(alone / 2);
      const more = await gatheredPutCost(PRESETS[preset], gatherer, 4 * GATHERED_CALLERS, 4);
      expect(more.total, gatherer).toBeLessThan(cost.total);
    }
  },
);
