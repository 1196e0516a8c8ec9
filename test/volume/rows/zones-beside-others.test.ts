// Claims of zones where another process takes zones as well: what is looked at, and what is taken instead.
import { describe, expect, it } from 'vitest';
import { zoneKey } from '../../../lib/panda/rows/zone-row.ts';
import { eraseWrite, freeWrite } from '../../../lib/volume/rows/zones.ts';
import { at, byDrive, SEEDS, storeOf, VOLUME, zoneQueries } from './zone-store.ts';

describe('where others take zones, too', () => {
  it('a claim looks at the rows of what it picks, and takes others for those that are taken', async () => {
    for (const seed of SEEDS) {
      const { panda, zones, zone, claim } = storeOf(2, { seed, zonesPerDrive: 3 });
      expect(byDrive(await claim(2))).toEqual([at(0, 0), at(1, 0)]);
      await zone(0, 1, 'used', 1);
      await zone(1, 1, 'free', 5, 9);
      await zone(1, 2, 'erasing', 2);
      zones.refresh();
      panda.taken();
      const { extents, writes } = await zones.claim(VOLUME, 2);
      expect(byDrive(extents)).toEqual([at(0, 2), at(1, 1, 9)]);
      expect(writes.map(({ kind, sort }) => `${kind} ${sort}`).sort()).toEqual(['put 0000002', 'update 0000001']);
      const [first, ...rest] = panda.taken();
      expect([first, rest[0]]).toEqual(['query drive', 'getMany 2']);
      expect(rest.slice(1).every((call) => /^getMany [12]$/.test(call))).toBe(true);
    }
  });

  it('says that the store is full only after all was listed anew', async () => {
    const { panda, zones, zone, claim } = storeOf(2, { zonesPerDrive: 2 });
    await claim(2);
    await zone(0, 1, 'used', 1);
    await zone(0, 0, 'used', 1);
    zones.refresh();
    panda.taken();
    await expect(claim(2)).rejects.toMatchObject({
      code: 'STORE_FULL',
      message: expect.stringMatching(/^only 1 of 2/),
    });
    expect(panda.taken()).toEqual(['query drive', 'getMany 2', ...zoneQueries(2)]);
  });

  it('it picks by lot, of what was freed and of what was never used, and never what is taken', async () => {
    const picked = new Set<string>();
    for (let seed = 1; seed <= 30; seed++) {
      const { zones, zone, claim } = storeOf(1, { seed });
      await zone(0, 1, 'free', 3);
      await zone(0, 2, 'used', 3);
      zones.refresh();
      const found = [];
      for (let i = 0; i < 3; i++) {
        const [extent] = await claim(1);
        found.push(`${extent?.zone}:${extent?.zoneGeneration}`);
      }
      expect(found.toSorted()).toEqual(['0:1', '1:3', '3:1']);
      picked.add(found[0] as string);
    }
    expect([...picked].sort()).toEqual(['0:1', '1:3', '3:1']);
  });
});

describe('zones that are given back', () => {
  it('are erased under the next generation, and free once that is done', () => {
    expect(eraseWrite(at(3, 7, 4), VOLUME)).toEqual({
      kind: 'update',
      ...zoneKey(3, 7),
      set: { s: 'erasing', g: 5 },
      if: [
        { attribute: 'g', equals: 4 },
        { attribute: 'v', equals: VOLUME },
      ],
    });
    expect(freeWrite(at(3, 7, 4))).toEqual({
      kind: 'update',
      ...zoneKey(3, 7),
      set: { s: 'free' },
      remove: ['v'],
      if: [
        { attribute: 'g', equals: 5 },
        { attribute: 's', equals: 'erasing' },
      ],
    });
  });
});
