// Zones are taken by several processes at once: they seldom want the same one, and a conflict costs a look at the zones that were picked, not at
// all zones of all drives.
import { describe, expect, it } from 'vitest';
import type { VolumeId } from '../../lib/foundation/ids.ts';
import { MemoryPanda } from '../../lib/panda/memory-panda.ts';
import type { Key, Page, QueryOptions, Row, SortRange, Write } from '../../lib/panda/panda.ts';
import { createVolume } from '../../lib/volume/open/create-volume.ts';
import { eraseWrite, freeWrite } from '../../lib/volume/rows/zones.ts';
import { TINY, World } from '../store/harness.ts';
import { expectSound } from '../store/recount.ts';

const VOLUME = '0000000000000001' as VolumeId;

class CountingPanda extends MemoryPanda {
  zoneQueries = 0;
  looks = 0;
  conflicts = 0;

  override query(partition: string, range?: SortRange, options?: QueryOptions): Promise<Page> {
    if (partition.startsWith('zone/')) this.zoneQueries += 1;
    return super.query(partition, range, options);
  }

  override getMany(keys: readonly Key[]): Promise<(Row | undefined)[]> {
    this.looks += 1;
    return super.getMany(keys);
  }

  override async transact(writes: readonly Write[]): Promise<void> {
    try {
      await super.transact(writes);
    } catch (error) {
      this.conflicts += 1;
      throw error;
    }
  }
}

describe('zones', () => {
  it('are taken from the lowest number on while nobody else takes any', async () => {
    const { volumes } = new World(1, TINY, 4).start();
    for (let zone = 0; zone < 3; zone++) {
      const { extents } = await volumes.zones.claim(VOLUME, 4);
      expect(extents.map((extent) => extent.zone)).toEqual([zone, zone, zone, zone]);
    }
  });

  it('are taken by eight processes at once with few conflicts, each of which costs one small read', async () => {
    const panda = new CountingPanda();
    const world = new World(2, TINY, 20, panda);
    const processes = Array.from({ length: 8 }, () => world.start());
    const rounds: number[] = [];
    for (let round = 0; round < 6; round++) {
      await Promise.all(processes.map(({ components, volumes }) => createVolume(components, volumes.zones, 'warm')));
      rounds.push(panda.conflicts);
      panda.conflicts = 0;
    }
    expect(panda.zoneQueries).toBe(8 * 20); // each listed the zones of the drives once
    const [first = 0, ...rest] = rounds;
    expect(first).toBeGreaterThan(6); // all want the same ones, which shows that there are others
    expect(rest.reduce((sum, n) => sum + n, 0)).toBeLessThan(16); // of 40
    expect(panda.looks).toBeLessThan(2.5 * 6 * 8);
    await expectSound(processes[0] as (typeof processes)[number]);
  });

  it('that were freed by another process are found before the store is said to be full', async () => {
    const world = new World(3, { ...TINY, zonesPerDrive: 1 }, 4);
    const [mine, other] = [world.start(), world.start()];
    const claim = await mine.volumes.zones.claim(VOLUME, 4);
    await world.panda.transact(claim.writes);
    await expect(mine.volumes.zones.claim(VOLUME, 4)).rejects.toMatchObject({ code: 'STORE_FULL' });
    await expect(other.volumes.zones.claim(VOLUME, 4)).rejects.toMatchObject({ code: 'STORE_FULL' });
    await world.panda.transact(claim.extents.map((extent) => eraseWrite(extent, VOLUME)));
    await world.panda.transact(claim.extents.map(freeWrite));
    const again = await mine.volumes.zones.claim(VOLUME, 4);
    expect(again.extents.map(({ zone, zoneGeneration }) => ({ zone, zoneGeneration }))).toEqual(
      claim.extents.map(() => ({ zone: 0, zoneGeneration: 2 })),
    );
  });

  it('that another process used, erased and freed meanwhile are taken under their new generation', async () => {
    const world = new World(4, { ...TINY, zonesPerDrive: 3 }, 4);
    const [mine, other] = [world.start(), world.start()];
    await world.panda.transact((await mine.volumes.zones.claim(VOLUME, 4)).writes); // zone 0; 1 and 2 were never used, as far as it knows
    const theirs = await other.volumes.zones.claim(VOLUME, 4);
    expect(theirs.extents.map(({ zone }) => zone)).toEqual([1, 1, 1, 1]);
    await world.panda.transact(theirs.writes);
    await world.panda.transact(theirs.extents.map((extent) => eraseWrite(extent, VOLUME)));
    await world.panda.transact(theirs.extents.map(freeWrite));
    mine.volumes.zones.refresh();
    for (let n = 0; n < 2; n++) {
      await world.panda.transact((await mine.volumes.zones.claim(VOLUME, 4)).writes);
      mine.volumes.zones.refresh();
    }
    await expect(mine.volumes.zones.claim(VOLUME, 4)).rejects.toMatchObject({ code: 'STORE_FULL' });
  });
});
