// The daemon as shipped on stores that stay small: the figures of docs/compaction.md.
import { describe, expect, it } from 'vitest';
import { HOUR_MS } from '../../lib/foundation/durations.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { World } from '../store/harness.ts';
import { expectSound } from '../store/recount.ts';
import { PERSONAL_SCALED } from '../store/sealed-overhead.ts';
import { asShipped, ENGINES, MEGABYTE, measure, putBytes } from './aging.ts';

const KIB = 1024;

describe('a small store under the daemon as shipped', () => {
  it.each([
    [10, 1.15],
    [100, 1.05],
    [300, 1.05],
    [700, 1.05],
  ])('of %i MB is coded within two days', async (megabytes, most) => {
    const world = new World(megabytes, PERSONAL_SCALED, 12);
    const p = world.start();
    const bytes = megabytes * MEGABYTE;
    const random = new SeededRandomness(megabytes);
    // In the course of ten hours: volumes are not of one age.
    for (let hour = 0; hour < 10; hour++) {
      await putBytes(p, `f${hour}`, bytes / 10, random, 64 * KIB);
      await p.components.clock.sleep(HOUR_MS);
    }
    expect(await asShipped(p, 40)).toEqual([]);
    const aged = await measure(p, bytes);
    expect(aged.storedToCode).toBeLessThanOrEqual(most);
    expect(aged.hotStoredBytes).toBe(0);
    await expectSound(world.start());
  });
});

describe('a store that gets a little every day', () => {
  it.each([
    [1, 300, 1, 60],
    [10, 60, 2, 60],
  ])('%i MB, for %i days: few volumes, ever larger groups', async (megabytes, days, volumes, buckets) => {
    const p = new World(3, PERSONAL_SCALED, 12).start();
    const random = new SeededRandomness(9);
    for (let day = 1; day <= days; day++) {
      await putBytes(p, `day${day}`, megabytes * MEGABYTE, random, 8 * KIB);
      expect(await ENGINES.stage(p, 24)).toEqual([]);
      if (day % 20 > 0) continue;
      const aged = await measure(p, day * megabytes * MEGABYTE);
      if (day >= 100) expect(aged.storedToCode).toBeLessThanOrEqual(1.17);
      expect(aged.warmVolumes).toBeLessThanOrEqual(volumes);
      expect(aged.warmBuckets).toBeLessThanOrEqual(buckets);
    }
  });
});
