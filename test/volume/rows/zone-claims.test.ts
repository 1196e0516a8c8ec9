// Claims of zones, exactly: which drives and zones are picked, what is asked and written for them, and what is said when there are too few.
import { describe, expect, it } from 'vitest';
import { denied, retryLater } from '../../../lib/foundation/errors.ts';
import { zoneKey } from '../../../lib/panda/rows/zone-row.ts';
import { at, byDrive, SEEDS, storeOf, VOLUME, zoneQueries } from './zone-store.ts';

describe('a claim', () => {
  it('takes a zone on each of as many drives, the lowest ones first, and lists zones once', async () => {
    const { panda, zones } = storeOf(2);
    const { extents, writes } = await zones.claim(VOLUME, 2);
    expect(byDrive(extents)).toEqual([at(0, 0), at(1, 0)]);
    expect(writes).toEqual(
      extents.map(({ drive }) => ({
        kind: 'put',
        ...zoneKey(drive, 0),
        attributes: { g: 1, s: 'used', v: VOLUME },
        if: ['absent'],
      })),
    );
    expect(panda.taken()).toEqual(['query drive', ...zoneQueries(2)]);
    expect(byDrive((await zones.claim(VOLUME, 2)).extents)).toEqual([at(0, 1), at(1, 1)]);
    expect(panda.taken()).toEqual([]);
    zones.reload();
    expect(byDrive((await zones.claim(VOLUME, 2)).extents)).toEqual([at(0, 0), at(1, 0)]);
    expect(panda.taken()).toEqual(zoneQueries(2));
  });

  it('takes what was freed before what was never used, at the generation its row says, and not what is used', async () => {
    const { zones, zone } = storeOf(1, { zonesPerDrive: 5 });
    await zone(0, 0, 'used', 1);
    await zone(0, 2, 'free', 3);
    await zone(0, 3, 'free', 4, 9);
    const first = await zones.claim(VOLUME, 1);
    expect(first).toEqual({
      extents: [at(0, 2, 3)],
      writes: [
        {
          kind: 'update',
          ...zoneKey(0, 2),
          set: { s: 'used', v: VOLUME, g: 3 },
          remove: ['n'],
          if: [
            { attribute: 'g', atMost: 3 },
            { attribute: 's', equals: 'free' },
          ],
        },
      ],
    });
    const rest = [];
    for (let i = 0; i < 3; i++) rest.push(...(await zones.claim(VOLUME, 1)).extents);
    expect(rest).toEqual([at(0, 3, 9), at(0, 1), at(0, 4)]);
    // Nobody has written what was claimed: listed anew, it is free.
    expect((await zones.claim(VOLUME, 1)).extents).toEqual([at(0, 2, 3)]);
  });

  it('is refused to whoever may not write, before anything is asked', async () => {
    const gone = denied('PANDA_DENIED', 'not yours');
    const { panda, claim } = storeOf(2, { mayWrite: () => Promise.reject(gone) });
    await expect(claim(1)).rejects.toBe(gone);
    expect(panda.taken()).toEqual([]);
  });

  it('prefers drives with fewer zones in use, those being erased among them, and counts its own', async () => {
    for (const seed of SEEDS) {
      const { zone, drivesOf } = storeOf(4, { seed, zonesPerDrive: 9 });
      await zone(0, 0, 'used', 1);
      await zone(0, 1, 'erasing', 2);
      await zone(1, 0, 'erasing', 2);
      await zone(2, 5, 'free', 2);
      expect(await drivesOf(2)).toEqual([2, 3]);
      expect(await drivesOf(3)).toEqual([1, 2, 3]);
      // Two on each now: then it is as likely one as another.
      expect(await drivesOf(4)).toEqual([0, 1, 2, 3]);
    }
  });

  it('is spread by lot where all are alike', async () => {
    const picked = await Promise.all(SEEDS.map(async (seed) => (await storeOf(4, { seed }).drivesOf(2)).join()));
    expect(new Set(picked).size).toBeGreaterThan(2);
  });

  it('prefers drives of which whoever claims has had fewer, whatever is in use there', async () => {
    const { zone, drivesOf } = storeOf(3, { zonesPerDrive: 9 });
    await zone(2, 0, 'used', 1);
    await zone(2, 1, 'used', 1);
    const had = new Map([
      [0, 2],
      [1, 1],
    ]);
    expect(await drivesOf(1, { had })).toEqual([2]);
    expect(await drivesOf(2, { had })).toEqual([1, 2]);
    expect(await drivesOf(1, { had: undefined })).toEqual([0]);
  });

  it('leaves out drives that are kept, rest, or take no more, and goes onto one alone if told so', async () => {
    const { drive, health, drivesOf, claim } = storeOf(7, { zonesPerDrive: 20 });
    await drive(1, 'draining');
    await drive(2, 'active');
    health.failed(3, retryLater('DRIVE_BUSY', 'busy'));
    expect(await drivesOf(4, { keeps: [0] })).toEqual([2, 4, 5, 6]);
    expect(await claim(1, { onto: 4 })).toEqual([at(4, 1)]);
    expect(await claim(1, { onto: 4 })).toEqual([at(4, 2)]);
    await expect(claim(2, { onto: 4 })).rejects.toMatchObject({ code: 'DRIVES_MISSING' });
    await expect(claim(1, { onto: 3 })).rejects.toMatchObject({ code: 'DRIVES_MISSING' });
    await expect(claim(1, { onto: 0, keeps: [0] })).rejects.toMatchObject({ code: 'DRIVES_MISSING' });
    expect(await claim(1, { onto: 0 })).toEqual([at(0, 0)]);
  });
});

describe('columns of one domain', () => {
  const spread = async (seed: number, columns: number, options: object): Promise<number[]> => {
    const { drive, drivesOf } = storeOf(6, { seed });
    for (const one of [0, 1, 2]) await drive(one, 'active', 'a');
    for (const one of [3, 4]) await drive(one, 'active', 'b');
    return drivesOf(columns, options);
  };
  /** How many of `a`, of `b` and of the drive without a domain, which is one alone. */
  const counts = (drives: readonly number[]): number[] => [
    drives.filter((drive) => drive < 3).length,
    drives.filter((drive) => drive === 3 || drive === 4).length,
    drives.filter((drive) => drive === 5).length,
  ];

  it.each(SEEDS)('are as few as there are domains for, those kept included (%i)', async (seed) => {
    const of = async (columns: number, options: object) => counts(await spread(seed, columns, options));
    expect(await of(3, { perDomain: 1 })).toEqual([1, 1, 1]);
    expect(await of(5, { perDomain: 2 })).toEqual([2, 2, 1]);
    expect(await of(2, { perDomain: 1, keeps: [0] })).toEqual([0, 1, 1]);
    expect(await of(3, { perDomain: 2, keeps: [0, 1] })).toEqual([0, 2, 1]);
    // More than that only where there is no other place.
    const more = await of(4, { perDomain: 1 });
    expect([more.reduce((a, b) => a + b), Math.min(...more)]).toEqual([4, 1]);
    expect(await of(6, { perDomain: 1 })).toEqual([3, 2, 1]);
  });
});

describe('too few drives', () => {
  it('are named with what keeps them from being written, but for those that are kept or retired', async () => {
    const { panda, drive, health, claim } = storeOf(6);
    await drive(1, 'draining');
    await drive(2, 'retired');
    await drive(3, 'lost');
    health.failed(3, retryLater('DRIVE_UNAVAILABLE', 'gone'));
    health.failed(4, retryLater('DRIVE_FULL', 'full'));
    const error = {
      kind: 'retry',
      code: 'DRIVES_MISSING',
      message:
        '1 of the 3 drives a volume needs can be written; not: d1 (draining), d3 (DRIVE_UNAVAILABLE), d4 (DRIVE_FULL)',
    };
    await expect(claim(3, { keeps: [5] })).rejects.toMatchObject(error);
    expect(panda.taken()).toEqual(['query drive', ...zoneQueries(6)]);
    await expect(claim(3, { keeps: [4, 5] })).rejects.toMatchObject({
      message: '1 of the 3 drives a volume needs can be written; not: d1 (draining), d3 (DRIVE_UNAVAILABLE)',
    });
    // What was known may be old: all is listed anew, once.
    expect(panda.taken()).toEqual(zoneQueries(6));
    await expect(storeOf(2).claim(3)).rejects.toMatchObject({
      message: '2 of the 3 drives a volume needs can be written',
    });
  });

  it('with room are told apart from too few drives', async () => {
    const { zone, claim, panda } = storeOf(3, { zonesPerDrive: 1 });
    await zone(1, 0, 'used', 1);
    const full = (open: number) => ({
      kind: 'retry',
      code: 'STORE_FULL',
      message: `only ${open} of 3 drives have a free zone: add drives or compact`,
    });
    await expect(claim(3)).rejects.toMatchObject(full(2));
    expect(await claim(2)).toHaveLength(2);
    panda.taken();
    await panda.uproot(zoneKey(1, 0));
    // What a claim took, and nobody has written, is free again once all is listed anew.
    expect(await claim(3)).toHaveLength(3);
    expect(panda.taken()).toEqual(zoneQueries(3));
  });

  it('come out at once if another error does, and zones that could not be listed are listed the next time', async () => {
    const { panda, claim } = storeOf(2);
    const busy = retryLater('PANDA_BUSY', 'busy');
    panda.before = (call) => (call === 'query zone/1' ? Promise.reject(busy) : undefined);
    await expect(claim(1)).rejects.toBe(busy);
    panda.before = undefined;
    panda.taken();
    expect(await claim(1)).toHaveLength(1);
    expect(panda.taken()).toEqual(zoneQueries(2));
  });
});
