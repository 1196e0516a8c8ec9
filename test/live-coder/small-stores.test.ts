// However little a store holds, what is old enough is coded, in groups as large as there is, on both engines: single puts of less than
// a volume, and stores that get a little every day, which must not end as splinters. As shipped, for days: small-stores.long.test.ts.
import { describe, expect, it } from 'vitest';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { restGoes } from '../../lib/live-coder/rest.ts';
import { World } from '../store/harness.ts';
import { PERSONAL_SCALED } from '../store/sealed-overhead.ts';
import { ENGINES, MEGABYTE, measure, putBytes } from './aging.ts';

const KIB = 1024;

describe('a small store', () => {
  it.each([
    ['embedded', 300],
    ['stage', 700],
  ] as const)('on the engine %s, of %i MB, is coded a day after it was put', async (engine, megabytes) => {
    const p = new World(megabytes, PERSONAL_SCALED, 12).start();
    const bytes = megabytes * MEGABYTE;
    await putBytes(p, 'f', bytes, new SeededRandomness(megabytes), 64 * KIB);
    expect(await ENGINES[engine](p, 20)).toEqual([]);
    expect((await measure(p, bytes)).storedToCode).toBeGreaterThan(2);
    expect(await ENGINES[engine](p, 8)).toEqual([]);
    const aged = await measure(p, bytes);
    expect(aged.storedToCode).toBeLessThanOrEqual(1.1);
    expect(aged.hotStoredBytes).toBe(0);
    expect(aged.warmVolumes).toBe(Math.ceil(megabytes / 400));
  });

  it('that gets 10 MB every day appends to one volume', async () => {
    const p = new World(9, PERSONAL_SCALED, 12).start();
    const random = new SeededRandomness(9);
    for (let day = 1; day <= 8; day++) {
      await putBytes(p, `day${day}`, 10 * MEGABYTE, random, 24 * KIB);
      expect(await ENGINES.stage(p, 25)).toEqual([]);
    }
    const aged = await measure(p, 80 * MEGABYTE);
    expect(aged).toMatchObject({ warmVolumes: 1 });
    expect(aged.storedToCode).toBeLessThanOrEqual(1.25);
    expect(aged.warmBuckets).toBeLessThanOrEqual(8);
  });
});

describe('a rest that makes no group', () => {
  const MIB = 1024 * 1024;
  const codes = { hotCodec: 'replica-4', warmCodec: 'rs-6-3' } as const;
  const goes = (records: number, recordBytes: number, storeBytes: number): boolean => {
    const liveBytes = records * recordBytes;
    return restGoes({ liveBytes, liveSlots: records, liveBuckets: 1, storedBytes: 4 * liveBytes }, storeBytes, codes);
  };

  it('goes if it is all there is, but for a single record, which would be no smaller', () => {
    for (const records of [2, 3, 10, 75, 2000]) expect(goes(records, MIB, records * MIB)).toBe(true);
    expect(goes(1, 4 * MIB, 4 * MIB)).toBe(false);
    expect(goes(0, MIB, MIB)).toBe(false);
    // Chunks of nine columns have more headers than four copies of a short record.
    expect(goes(2, 100, 200)).toBe(false);
  });

  it('waits while that costs little, and for longer the fewer its records are', () => {
    expect(goes(1000, 4 * KIB, 1000 * MIB)).toBe(false);
    expect(goes(1000, 40 * KIB, 1000 * MIB)).toBe(true);
    expect(goes(5, 4 * MIB, 300 * MIB)).toBe(false);
    expect(goes(10, 4 * MIB, 300 * MIB)).toBe(true);
  });

  it('of a store that grows by equal parts goes ever less often', () => {
    let groups = 0;
    let waiting = 0;
    for (let day = 1; day <= 3650; day++) {
      waiting += 40;
      if (!goes(waiting, 25 * KIB, day * 40 * 25 * KIB)) continue;
      groups += 1;
      waiting = 0;
    }
    // One for each part of 1.8 % by which it has grown, and one a day before.
    expect(groups).toBeLessThanOrEqual(56 * (1 + Math.log(3650 / 56)));
    expect(waiting).toBeLessThanOrEqual(0.02 * 3650 * 40);
  });
});
