// Several processes append at once: each comes to fill its own volumes, and a conflict does not make it list all volumes again.
import { describe, expect, it } from 'vitest';
import { driveUnavailable } from '../../lib/drive/errors.ts';
import { corrupt } from '../../lib/foundation/errors.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { VOLUME_BUCKETS_MAX } from '../../lib/limits/panda.ts';
import { MemoryPanda } from '../../lib/panda/memory-panda.ts';
import type { Key, Page, QueryOptions, Row, SortRange, Write } from '../../lib/panda/panda.ts';
import { volumeKey, volumePartitions } from '../../lib/panda/rows/volume-row.ts';
import { listVolumes } from '../../lib/volume/rows/read-rows.ts';
import { VolumeStore } from '../../lib/volume/volume-store.ts';
import { TINY, World } from '../store/harness.ts';
import { expectSound } from '../store/recount.ts';

const PROCESSES = 4;
const ROUNDS = 8;
const PARTITIONS = volumePartitions(TINY.cell).length;

class CountingPanda extends MemoryPanda {
  lists = 0;
  conflicts = 0;
  readonly #random = new SeededRandomness(5);

  override async query(partition: string, range?: SortRange, options?: QueryOptions): Promise<Page> {
    await this.#travel();
    if (partition.startsWith('volume/')) this.lists += 1 / PARTITIONS;
    return super.query(partition, range, options);
  }

  override async transact(writes: readonly Write[]): Promise<void> {
    await this.#travel();
    try {
      await super.transact(writes);
    } catch (error) {
      this.conflicts += 1;
      throw error;
    } finally {
      await this.#travel();
    }
  }

  override async get(key: Key): Promise<Row | undefined> {
    await this.#travel();
    return super.get(key);
  }

  /** Requests take time, each another one. */
  async #travel(): Promise<void> {
    for (let turns = this.#random.below(6); turns > 0; turns--) await new Promise<void>((turn) => setImmediate(turn));
  }
}

describe('processes that append at once', () => {
  it('seldom want the same volume after a while, and list the volumes seldom', async () => {
    const panda = new CountingPanda();
    const world = new World(11, TINY, 20, panda);
    const processes = Array.from({ length: PROCESSES }, () => world.start());
    const conflicts: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      await Promise.all(
        processes.map(async ({ frontend }, who) => {
          const items = Array.from({ length: 60 }, (_, i) => ({
            namespace: 'default',
            key: `${who}/${round}/${i}`,
            body: Buffer.from(`body ${who} ${round} ${i} `.repeat(50)),
          }));
          for await (const outcome of frontend.putAll(items)) expect(outcome).toMatchObject({ ok: true });
        }),
      );
      await world.start().volumes.open.sealAll('hot'); // as an encode does; the others do not know
      conflicts.push(panda.conflicts);
      panda.conflicts = 0;
    }
    expect(panda.lists).toBeLessThan(60); // it was one for every conflict: 240
    expect(Math.max(...conflicts)).toBeLessThan(60);
    await expectSound(processes[0] as (typeof processes)[number]);
  });
});

describe('many writers of one process', () => {
  it('share its one open volume, whenever it becomes free: none of them takes that for a conflict with others', async () => {
    const opened: number[] = [];
    for (let ticks = 0; ticks < 24; ticks++) {
      const { volumes } = new World(3, { ...TINY, openVolumes: 1 }).start();
      const needBytes = 2_000;
      const held = await volumes.open.lease('hot', needBytes);
      const writers = Array.from({ length: 12 }, async () => {
        const lease = await volumes.open.lease('hot', needBytes);
        await lease.release();
        return lease.volume.id;
      });
      for (let tick = 0; tick < ticks; tick++) await Promise.resolve();
      await held.release();
      opened.push(new Set(await Promise.all(writers)).size);
    }
    expect(opened).toEqual(opened.map(() => 1)); // by some numbers of ticks it was four
  });
});

describe('a volume that another process had when it was seen', () => {
  it('is taken once that one has given it back, by whoever waits and by whoever comes later', async () => {
    for (const doesWait of [true, false]) {
      const world = new World(4, { ...TINY, openVolumes: doesWait ? 1 : 2 });
      const [a, b] = [world.start(), world.start()];
      const held = await a.volumes.open.lease('hot', 2_000);
      await b.volumes.open.rooms('hot'); // looks
      const sleep = world.clock.sleep.bind(world.clock);
      world.clock.sleep = async (ms) => {
        await sleep(ms);
        if (doesWait) await held.release();
      };
      if (!doesWait) {
        await held.release();
        world.clock.advance(6_000);
      }
      const lease = await b.volumes.open.lease('hot', 2_000);
      expect(lease.volume.id).toBe(held.volume.id);
    }
  });
});

describe('a process that may not write, as its Panda is older than the drives', () => {
  it('leases, seals and recovers nothing: a sealed volume would no longer show that', async () => {
    const world = new World(4);
    const { components, frontend } = world.start();
    await frontend.put({ namespace: 'default', key: 'a', body: new Uint8Array(3000) });
    const mayWrite = () => Promise.reject(corrupt('PANDA_BEHIND', 'older than its drives'));
    const { open } = new VolumeStore({ ...components, mayWrite, isOwnerGone: () => true });
    await expect(open.lease('hot', 2000)).rejects.toMatchObject({ code: 'PANDA_BEHIND' });
    await expect(open.sealAll('hot')).rejects.toMatchObject({ code: 'PANDA_BEHIND' });
    const [volume] = await listVolumes(components.panda, components.settings.cell);
    expect(volume).toMatchObject({ state: 'open', owner: undefined });
    const held = await world.start().volumes.open.lease('hot', 2000);
    await expect(open.recoverIdle()).rejects.toMatchObject({ code: 'PANDA_BEHIND' });
    await held.release();
  });
});

describe('a volume that others have filled since it was seen', () => {
  const stateOf = async (world: World, id: string) =>
    (await listVolumes(world.panda, TINY.cell)).find((volume) => volume.id === id) ?? expect.fail('no such volume');
  /** One process has looked; then the row says that so much of each extent is used, and that one wants more. */
  const taken = async (usedBytes: number, buckets = 0) => {
    const world = new World(6, { ...TINY, openVolumes: 2 });
    const a = world.start();
    const first = await a.volumes.open.lease('hot', 1_000);
    await first.release();
    const { id, extentUsedBytes } = first.volume;
    const ids = Array.from({ length: buckets }, (_, i) => `${i}`.padStart(16, '0'));
    const set = { u: extentUsedBytes.map(() => usedBytes), n: 5, ...(buckets === 0 ? {} : { b: new Set(ids) }) };
    await world.panda.transact([{ kind: 'update', ...volumeKey(TINY.cell, id), set }]);
    const lease = await a.volumes.open.lease('hot', 40_000);
    expect(lease.volume.id).not.toBe(id);
    return stateOf(world, id);
  };

  it('is sealed if hardly anything is free, and given back if it has room for others', async () => {
    const one = TINY.extentBytes / 1000;
    expect(await taken(TINY.extentBytes - Math.floor(9 * one))).toMatchObject({ state: 'sealed' });
    expect(await taken(TINY.extentBytes - Math.floor(20 * one))).toMatchObject({ state: 'open', owner: undefined });
    expect(await taken(TINY.extentBytes / 2 + 1000)).toMatchObject({ state: 'open', owner: undefined });
  });

  it('is sealed if it can have no more buckets', async () => {
    expect(await taken(TINY.extentBytes / 2 + 1000, VOLUME_BUCKETS_MAX - 1)).toMatchObject({ state: 'open' });
    expect(await taken(TINY.extentBytes / 2 + 1000, VOLUME_BUCKETS_MAX)).toMatchObject({ state: 'sealed' });
  });
});

describe('open volumes that nobody works on', () => {
  const lose = (world: World, drive: number | undefined) => {
    const lost = world.drives[drive ?? 0];
    if (lost === undefined) throw new Error('no such drive');
    lost.append = () => Promise.reject(driveUnavailable(lost.label, 'away'));
  };

  it('are none that another process, which is alive, has leased', async () => {
    const world = new World(8, { ...TINY, openVolumes: 1 });
    const [a, b] = [world.start(), world.start()];
    const held = await a.volumes.open.lease('hot', 1_000);
    expect(await b.volumes.open.recoverIdle()).toBe(0);
    const [volume] = await listVolumes(world.panda, TINY.cell);
    expect(volume).toMatchObject({ token: held.token, owner: a.components.owner });
    expect(await a.volumes.open.recoverIdle()).toBe(0);
    await held.release();
  });

  it('are sealed if a drive of theirs is lost and they hold something; an empty one is only looked after', async () => {
    for (const isEmpty of [true, false]) {
      const world = new World(7, { ...TINY, openVolumes: 1 });
      const p = world.start();
      if (isEmpty) await (await p.volumes.open.lease('hot', 1_000)).release();
      else await p.frontend.put({ namespace: 'n', key: 'a', body: Buffer.from('a body') });
      const [volume] = await listVolumes(world.panda, TINY.cell);
      const drive = volume?.extents[0]?.drive;
      lose(world, drive);
      for (let i = 0; i < 20; i++) p.volumes.health.failed(drive ?? 0, driveUnavailable('x', 'away'));
      const recovered = await p.volumes.open.recoverIdle();
      const [after] = await listVolumes(world.panda, TINY.cell);
      expect([recovered, after?.state]).toEqual([1, isEmpty ? 'open' : 'sealed']);
      expect(after?.owner).toBeUndefined();
    }
  });
});
