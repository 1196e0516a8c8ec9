// As figures.test.ts: what compaction costs, which takes a store of many volumes.
import { describe, expect, it } from 'vitest';
import { PRESETS } from '../../lib/settings/settings.ts';
import { compactionCost, scaledDown } from './figures.ts';

describe('the cost sheet', () => {
  it('a GiB compacted under thrifty costs a fifth of a cent at most', async () => {
    const cost = await compactionCost(scaledDown('thrifty', 64), 4, 64);
    expect(cost.movedBytes).toBeGreaterThan(0.4 * 4 * PRESETS.thrifty.extentBytes);
    expect(cost.total).toBeLessThan(0.002);
  });
});
