// Puts never list volumes: which are open, and which are hot, stands in two small partitions, whatever an older release does beside them.
import { describe, expect, it } from 'vitest';
import { findRowFaults } from '../../lib/engine/doctor/doctor-rows.ts';
import { recover } from '../../lib/engine/upkeep/end-dead-work.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { MemoryPanda } from '../../lib/panda/memory-panda.ts';
import type { Key, Page, QueryOptions, Row, SortRange } from '../../lib/panda/panda.ts';
import { listPartition, VOLUME_LISTS } from '../../lib/panda/rows/open-row.ts';
import { settingsOf } from '../../lib/settings/settings.ts';
import { Findings } from '../../lib/verify/findings.ts';
import { sealVolume } from '../../lib/volume/open/seal.ts';
import { listVolumes } from '../../lib/volume/rows/read-rows.ts';
import { rebuiltPanda } from '../engine/rebuilding.ts';
import { crashEverywhere, Model } from '../store/crash.ts';
import { type Process, TINY, World } from '../store/harness.ts';
import { plantSealed } from '../store/plant-sealed.ts';
import { expectSound } from '../store/recount.ts';

const LOOK_MS = 6_000;
const CELL = TINY.cell;

/** Counts the reads of tables; queries of volumes apart. */
class CountingPanda extends MemoryPanda {
  volumeLists = 0;
  rowsRead = 0;

  override async get(key: Key): Promise<Row | undefined> {
    this.rowsRead += 1;
    return super.get(key);
  }
  override async getMany(keys: readonly Key[]): Promise<(Row | undefined)[]> {
    this.rowsRead += keys.length;
    return super.getMany(keys);
  }
  override async query(partition: string, range?: SortRange, options?: QueryOptions): Promise<Page> {
    if (partition.startsWith('volume/')) this.volumeLists += 1;
    const page = await super.query(partition, range, options);
    this.rowsRead += page.rows.length;
    return page;
  }
}

let bodies = 0;

async function put(p: Process, count = 1): Promise<void> {
  const items = Array.from({ length: count }, () => {
    bodies += 1;
    return { namespace: 'default', key: `k/${bodies}`, body: new SeededRandomness(bodies).bytes(900) };
  });
  for await (const outcome of p.frontend.putAll(items)) if (!outcome.ok) throw outcome.error;
}

const listRows = (panda: MemoryPanda): Row[] =>
  panda.snapshot().filter(({ partition }) => VOLUME_LISTS.some((list) => partition === listPartition(list, CELL)));

/** As a release left it that knows no lists. */
async function forgetLists(panda: MemoryPanda): Promise<void> {
  for (const { partition, sort } of listRows(panda)) await panda.transact([{ kind: 'delete', partition, sort }]);
}

/** As an older release writes: whatever it does, the lists stay as they are. */
async function withoutLists(world: World, work: (p: Process) => Promise<void>): Promise<void> {
  const before = listRows(world.panda);
  await forgetLists(world.panda);
  await work(world.start());
  await forgetLists(world.panda);
  for (const { partition, sort, attributes } of before)
    await world.panda.transact([{ kind: 'put', partition, sort, attributes }]);
}

describe('puts into a store of 2,000 sealed volumes', () => {
  it('never list them, and read as few rows as in an empty one', async () => {
    const read: number[] = [];
    for (const volumes of [0, 2_000]) {
      const panda = new CountingPanda();
      const world = new World(11, TINY, 20, panda);
      await plantSealed(panda, TINY, volumes);
      await put(world.start()); // finds out, once in the life of a store, that all are listed
      expect(panda.volumeLists).toBe(16);
      const processes = [world.start(), world.start()];
      for (const p of processes) await put(p);
      panda.rowsRead = 0;
      panda.volumeLists = 0;
      for (let round = 0; round < 12; round++) {
        world.clock.advance(LOOK_MS);
        for (const p of processes) await put(p);
      }
      expect(panda.volumeLists).toBe(0);
      read.push(panda.rowsRead);
      await put(world.start(), 400); // seals some, and opens others
      expect(panda.volumeLists).toBe(0);
    }
    expect(read[1]).toBe(read[0]);
    expect((read[0] as number) / 24).toBeLessThan(16);
  });
});

describe('a store that only older releases have written to', () => {
  it('is looked at once; its open volumes are used, and no other is made', async () => {
    const panda = new CountingPanda();
    const world = new World(12, TINY, 20, panda);
    await put(world.start());
    await forgetLists(panda);
    const before = (await listVolumes(panda, CELL)).map(({ id }) => id);
    const p = world.start();
    await put(p);
    panda.volumeLists = 0;
    world.clock.advance(LOOK_MS);
    await put(world.start());
    expect(panda.volumeLists).toBe(0);
    expect((await listVolumes(panda, CELL)).map(({ id }) => id)).toEqual(before);
    await expectSound(p);
  });

  it('may be looked at by several at once', async () => {
    const world = new World(18);
    await put(world.start());
    await forgetLists(world.panda);
    await Promise.all(Array.from({ length: 4 }, () => put(world.start())));
    await expectSound(world.start());
  });

  it('and one that was rebuilt from its drives, are listed by the first put', async () => {
    const world = new World(13);
    const p = world.start();
    await put(p, 30);
    await p.volumes.open.sealAll('hot');
    const backup: Row[] = [];
    for await (const page of p.components.panda.scan()) backup.push(...page);
    const { panda } = await rebuiltPanda(world, backup);
    const next = new World(world.seed, world.settings, world.drives, panda).start();
    await put(next);
    expect(listRows(panda).length).toBeGreaterThan(3);
    await expectSound(next);
  });
});

describe('an older release beside this one', () => {
  const worldWithPuts = async () => {
    const world = new World(14);
    await put(world.start());
    return world;
  };

  it('makes a volume: puts do without it until maintenance finds it', async () => {
    const world = await worldWithPuts();
    await withoutLists(world, async (old) => {
      await old.volumes.open.sealAll('hot');
      await put(old);
    });
    const p = world.start();
    await put(p);
    const findings = new Findings();
    await findRowFaults(p.components, findings);
    expect(findings.list.filter(({ check }) => check === 'list').map(({ severity }) => severity)).not.toEqual([]);
    expect(findings.level).toBe('healthy');
    await recover(p.volumes, p.frontend);
    await expectSound(p);
  });

  it('seals one: its row is found out, and goes', async () => {
    const world = await worldWithPuts();
    const p = world.start();
    await put(p);
    await withoutLists(world, async (old) => void (await old.volumes.open.sealAll('hot')));
    world.clock.advance(LOOK_MS);
    await put(p);
    await put(world.start());
    world.clock.advance(LOOK_MS);
    await put(p);
    await expectSound(p);
  });

  it('frees hot ones: they do not count against the hot tier for ever', async () => {
    const small = settingsOf('demo', { ...TINY, preset: 'custom', hotBytesMax: 4 * 64 * 1024 * 2 });
    const world = new World(15, small);
    const p = world.start();
    await put(p);
    const [known] = await listVolumes(world.panda, CELL);
    for (const gone of ['0123456789abcdef', '0123456789abcde0'])
      await world.panda.transact([
        { kind: 'put', partition: `hot/${CELL}`, sort: gone, attributes: { a: known?.createdAtMs ?? 0 } },
      ]);
    await put(world.start());
    await expectSound(p);
  });
});

describe('making, sealing and freeing a volume', () => {
  it('says so in the lists, wherever it dies', async () => {
    const report = await crashEverywhere({
      prepare: async () => {
        const world = new World(16, { ...TINY, openVolumes: 1 }, 6);
        const p = world.start();
        await put(p);
        await p.volumes.open.sealAll('hot');
        return { world, model: new Model() };
      },
      act: async (p) => {
        await put(p); // makes one
        await p.volumes.open.sealAll('hot');
      },
    });
    expect(report.calls).toBeGreaterThan(20);
  });

  it('is done by one of two who seal at once, and listed by none', async () => {
    const world = new World(17);
    const [a, b] = [world.start(), world.start()];
    await put(a);
    const lease = await a.volumes.open.lease('hot', 100);
    await sealVolume(a.volumes, lease);
    await b.volumes.open.recoverIdle();
    await put(b);
    await expectSound(b);
  });
});
