// Drives that are being emptied, and open volumes with a column there: nothing new comes to them, and the next repair seals them.
import { describe, expect, it } from 'vitest';
import { changeDrive } from '../../../lib/engine/drives/change-drive.ts';
import { DRIVE_STATES_READ_BY_APPENDS_EVERY_MS } from '../../../lib/limits/volume.ts';
import { drivePartition } from '../../../lib/panda/rows/drives/drive-row.ts';
import type { VolumeRow } from '../../../lib/panda/rows/volume-row.ts';
import { repairStore } from '../../../lib/volume/repair/repair-store.ts';
import { listVolumes } from '../../../lib/volume/rows/read-rows.ts';
import { type Process, TINY, World } from '../../store/harness.ts';
import { expectSound } from '../../store/recount.ts';

const SETTINGS = { ...TINY, openVolumes: 1 };

const put = (p: Process, key: string) => p.frontend.put({ namespace: 'n', key, body: Buffer.from(key.repeat(300)) });
const drivesOf = ({ extents }: VolumeRow): number[] => extents.map(({ drive }) => drive);
const leased = async (p: Process): Promise<VolumeRow> => {
  const lease = await p.volumes.open.lease('hot', 1_000);
  await lease.release();
  return lease.volume;
};
const volumes = (world: World): Promise<VolumeRow[]> => listVolumes(world.panda, TINY.cell);

describe('an open volume with a column on a drive that is being emptied', () => {
  it('takes no more appends: another one does, with none on that drive', async () => {
    for (const state of ['draining', 'lost'] as const) {
      const world = new World(31, SETTINGS);
      const p = world.start();
      const first = await leased(p);
      expect((await leased(p)).id).toBe(first.id);
      const [drive = -1] = drivesOf(first);
      await changeDrive(p.volumes, drive, { state });
      const sinceMs = world.clock.monotonicMs();
      const second = await leased(p);
      expect(world.clock.monotonicMs()).toBe(sinceMs); // nobody waits for it
      expect(drivesOf(second)).not.toContain(drive);
      expect((await leased(p)).id).toBe(second.id);
      // Whoever plans groups by what open volumes can take is told of the other one, and of a new one.
      expect(await p.volumes.open.rooms('hot')).toHaveLength(2);
      await changeDrive(p.volumes, drive, { state: 'active' });
      expect(await p.volumes.open.rooms('hot')).toHaveLength(3);
    }
  });

  it('is known as such to other processes within a minute, by no read for each append', async () => {
    const world = new World(32, SETTINGS);
    const [p, operator] = [world.start(), world.start()];
    let looks = 0;
    const query = world.panda.query.bind(world.panda);
    world.panda.query = (partition, ...rest) => {
      if (partition === drivePartition) looks += 1;
      return query(partition, ...rest);
    };
    const first = await leased(p);
    await Promise.all([put(p, 'a'), put(p, 'b'), put(p, 'c')]);
    expect(looks).toBe(1);
    await changeDrive(operator.volumes, drivesOf(first)[0] ?? -1, { state: 'draining' });
    expect((await leased(p)).id).toBe(first.id);
    looks = 0;
    world.clock.advance(DRIVE_STATES_READ_BY_APPENDS_EVERY_MS);
    const waiting = [put(p, 'd'), put(p, 'e'), put(p, 'f')];
    await Promise.all(waiting);
    expect(looks).toBe(1); // of all who asked at once
    expect((await leased(p)).id).not.toBe(first.id);
  });

  it('is sealed by the next repair, an empty one as well: the drive can be forgotten', async () => {
    for (const isEmpty of [true, false]) {
      const world = new World(33, SETTINGS);
      const p = world.start();
      if (isEmpty) await leased(p);
      else await put(p, 'a');
      const [volume] = await volumes(world);
      const [drive = -1] = volume === undefined ? [] : drivesOf(volume);
      await changeDrive(p.volumes, drive, { state: 'draining' });
      await put(p, 'b');
      const { left, lost } = await repairStore(p.volumes, { ignoreGrace: true });
      expect([left, lost]).toEqual([[], []]);
      expect((await volumes(world)).map(({ state }) => state).sort()).toEqual(['open', 'sealed']);
      expect(await changeDrive(p.volumes, drive, { state: 'retired' })).toMatchObject({ state: 'retired' });
      await expectSound(p);
    }
  });
});

describe('a drive that changes while its row is read', () => {
  it('is read again by whoever asks after that', async () => {
    const world = new World(34, SETTINGS);
    const { volumes: store } = world.start();
    const query = world.panda.query.bind(world.panda);
    const answer = Promise.withResolvers<void>();
    world.panda.query = async (partition, ...rest) => {
      const page = await query(partition, ...rest);
      world.panda.query = query;
      await answer.promise;
      return page;
    };
    const before = store.zones.states.read();
    await changeDrive(store, 3, { state: 'draining' });
    answer.resolve();
    expect((await before).get(3)).toBeUndefined();
    expect((await store.zones.states.read()).get(3)).toMatchObject({ state: 'draining' });
  });
});
