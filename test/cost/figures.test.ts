// The cost sheet does not creep up: puts and gets counted on the real store and priced, well below what S3 alone asks for the puts.
import { describe, expect, it } from 'vitest';
import { PRICE_BOOK } from '../../lib/cost/price-book.ts';
import { PRESETS } from '../../lib/settings/settings.ts';
import { compactionCost, getCost, putCost, scaledDown } from './figures.ts';

const { perMillionPuts, perMillionGets } = PRICE_BOOK.storage.standard;

describe('the cost sheet', () => {
  it.each([
    ['thrifty', PRESETS.thrifty, 3.0, 1],
    ['personal', PRESETS.personal, 3.25, 4],
  ] as const)(
    'a million puts of 64 KiB under %s cost at most 70 % of those of S3',
    async (_, settings, most, copies) => {
      const cost = await putCost(settings, 4);
      expect(cost.total).toBeLessThanOrEqual(most);
      expect(cost.total).toBeLessThan(0.7 * perMillionPuts);
      // 64 blobs are one object on each of the drives.
      expect(cost.requests).toBeGreaterThanOrEqual((copies / 64) * perMillionPuts);
      expect(cost.requests).toBeLessThan((copies / 64) * perMillionPuts * 1.3);
      // An object and a block row each, transacted: two units each.
      expect(cost.metadata).toBeGreaterThan(4 * PRICE_BOOK.dynamo.perMillionWriteUnits);
    },
  );

  it('a GiB compacted under thrifty costs a fifth of a cent at most', async () => {
    const cost = await compactionCost(scaledDown('thrifty', 64), 4, 64);
    expect(cost.movedBytes).toBeGreaterThan(0.4 * 4 * PRESETS.thrifty.extentBytes);
    expect(cost.total).toBeLessThan(0.002);
  });

  it('a get is one ranged read', async () => {
    const cost = await getCost(PRESETS.personal, 8);
    expect(cost.requests).toBeCloseTo(perMillionGets, 6);
    expect(cost.metadata).toBeLessThan(0.3);
  });
});
