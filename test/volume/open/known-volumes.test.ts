// The open volumes as one process knows them: when they are looked up again, whose word is taken for what, and what is left alone because this
// process is at it.
import { describe, expect, it } from 'vitest';
import { driveUnavailable } from '../../../lib/drive/errors.ts';
import { retryLater } from '../../../lib/foundation/errors.ts';
import { type Lane, SHARED_LANE } from '../../../lib/foundation/lane.ts';
import { LEASE_MS, OPEN_LIST_EVERY_MS } from '../../../lib/limits/volume.ts';
import type { Attributes } from '../../../lib/panda/panda.ts';
import { type VolumeClass, type VolumeRow, volumeKey } from '../../../lib/panda/rows/volume-row.ts';
import type { Known } from '../../../lib/volume/open/choose-open.ts';
import { createVolume } from '../../../lib/volume/open/create-volume.ts';
import { KnownVolumes } from '../../../lib/volume/open/known-volumes.ts';
import { TINY, World } from '../../store/harness.ts';

const CELL = TINY.cell;

function process() {
  const world = new World(51, TINY, 20);
  const { components, volumes } = world.start();
  const asked: string[] = [];
  const { panda } = world;
  for (const name of ['query', 'getMany', 'get'] as const) {
    const call = panda[name].bind(panda) as (...args: unknown[]) => Promise<never>;
    (panda as unknown as Record<string, unknown>)[name] = (...args: unknown[]) => {
      const [what] = args as [string | { partition: string } | { partition: string }[]];
      const partition = typeof what === 'string' ? what : Array.isArray(what) ? what[0]?.partition : what.partition;
      asked.push(`${name} ${partition?.split('/')[0]}`);
      return call(...args);
    };
  }
  let frees = 0;
  const known = new KnownVolumes(components, () => {
    frees += 1;
  });
  const make = (cls: VolumeClass = 'hot', lane?: Lane): Promise<VolumeRow> =>
    createVolume(components, volumes.zones, cls, lane);
  const change = (row: VolumeRow, set: Attributes): Promise<void> =>
    panda.transact([{ kind: 'update', ...volumeKey(CELL, row.id), set }]);
  const entry = ({ id }: VolumeRow): Known =>
    known.all().find(({ row }) => row.id === id) ?? expect.fail('it is not known');
  const ids = (): string[] => known.all().map(({ row }) => row.id);
  /** What was asked since it was last looked at. */
  const calls = (): string[] => asked.splice(0);
  return { world, components, known, make, change, entry, ids, calls, frees: () => frees };
}

describe('the list of open volumes', () => {
  it('is read once in so long, and then by one reader for all that wait', async () => {
    const { world, known, make, ids, calls } = process();
    const first = await make();
    calls();
    await Promise.all([known.list(), known.list()]);
    const once = calls();
    expect(once.filter((call) => call === 'query open')).toHaveLength(once.includes('query volume') ? 3 : 1);
    expect(ids()).toEqual([first.id]);
    const second = await make();
    world.clock.advance(OPEN_LIST_EVERY_MS - 1);
    calls();
    await known.list();
    expect(calls()).toEqual([]);
    expect(ids()).toEqual([first.id]);
    world.clock.advance(1);
    await known.list();
    // Only the row of the one that is new is read.
    expect(calls()).toEqual(['query open', 'getMany volume']);
    expect(ids()).toEqual([first.id, second.id]);
    known.listAnew();
    await known.list();
    expect(calls()).toEqual(['query open']);
  });

  it('that could not be read is read again by the next one who asks', async () => {
    const { world, known, make, ids } = process();
    const row = await make();
    const query = world.panda.query.bind(world.panda);
    world.panda.query = () => Promise.reject(retryLater('PANDA_BUSY', 'busy'));
    await expect(known.list()).rejects.toMatchObject({ code: 'PANDA_BUSY' });
    world.panda.query = query;
    await known.list();
    expect(ids()).toEqual([row.id]);
  });

  it('forgets what is not in it any more, but not what this process is at', async () => {
    const { world, known, make, change, entry, ids } = process();
    const [gone, held, open] = [await make(), await make(), await make()];
    await known.listAll();
    expect(ids().sort()).toEqual([gone.id, held.id, open.id].sort());
    entry(held).busy = true;
    for (const row of [gone, held]) {
      await change(row, { s: 'sealed' });
      await world.panda.transact([
        { kind: 'delete', partition: `open/${CELL}`, sort: row.id },
        { kind: 'delete', partition: `open/${CELL}/${row.id}`, sort: row.id },
      ]);
    }
    await known.listAll();
    expect(ids().sort()).toEqual([held.id, open.id].sort());
  });

  it('is of one class and one lane for whoever appends', async () => {
    const { known, make } = process();
    const rows = [await make('hot'), await make('hot', 5), await make('warm'), await make('warm', 5)];
    await known.listAll();
    const pools = [
      { cls: 'hot', lane: SHARED_LANE },
      { cls: 'hot', lane: 5 },
      { cls: 'warm', lane: SHARED_LANE },
      { cls: 'warm', lane: 5 },
    ] as const;
    const of = pools.map((pool) => known.of(pool).map(({ row }) => row.id));
    expect(of).toEqual(rows.map(({ id }) => [id]));
  });
});

describe('a volume that is known', () => {
  it('is stale after so long, and seen when it is freed', async () => {
    const { world, known, make, entry, frees } = process();
    const row = await make();
    known.add(row);
    const one = entry(row);
    expect(one).toMatchObject({ busy: false, conflicts: 0, isMine: false, seenAtMs: world.clock.monotonicMs() });
    world.clock.advance(OPEN_LIST_EVERY_MS - 1);
    expect(known.isStale(one)).toBe(false);
    world.clock.advance(1);
    expect(known.isStale(one)).toBe(true);
    one.busy = true;
    const next = { ...row, nextSeq: 9 };
    known.free(one, next);
    expect([one.busy, one.row, known.isStale(one), frees()]).toEqual([false, next, false, 1]);
  });

  it('is forgotten when it is freed sealed; without a row it is listed anew', async () => {
    for (const next of ['sealed', undefined] as const) {
      const { known, make, entry, ids, calls, frees } = process();
      const row = await make();
      await known.list();
      const one = entry(row);
      one.busy = true;
      calls();
      known.free(one, next && { ...row, state: next });
      expect([ids(), one.busy, frees()]).toEqual([[], false, 1]);
      await known.list();
      expect(calls().includes('query open')).toBe(next === undefined);
    }
  });

  it('is read anew: one that others are at counts as lost to them, one that is gone is forgotten', async () => {
    const { world, known, make, change, entry, ids, frees } = process();
    const row = await make();
    known.add(row);
    const one = entry(row);
    world.clock.advance(OPEN_LIST_EVERY_MS);
    await known.readAnew(one);
    expect([one.busy, one.conflicts, known.isStale(one), frees()]).toEqual([false, 0, false, 1]);
    await change(row, { o: 'another', e: world.clock.nowMs() + LEASE_MS });
    await known.readAnew(one);
    expect([one.busy, one.conflicts, one.row.owner, frees()]).toEqual([false, 1, 'another', 2]);
    await world.panda.transact([{ kind: 'delete', ...volumeKey(CELL, row.id) }]);
    const reading = known.readAnew(one);
    expect(one.busy).toBe(true);
    await reading;
    expect([ids(), one.busy, frees()]).toEqual([[], false, 3]);
  });

  it('that cannot be read anew is forgotten, and listed the next time', async () => {
    const { world, known, make, entry, ids, calls } = process();
    const row = await make();
    await known.list();
    const get = world.panda.get.bind(world.panda);
    world.panda.get = () => Promise.reject(driveUnavailable('x', 'away'));
    await expect(known.readAnew(entry(row))).rejects.toMatchObject({ code: 'DRIVE_UNAVAILABLE' });
    world.panda.get = get;
    expect(ids()).toEqual([]);
    calls();
    await known.list();
    expect(calls()).toEqual(['query open', 'getMany volume']);
    expect(ids()).toEqual([row.id]);
  });
});

describe('volumes that were not seen for a while', () => {
  it('are read together, and those that are sealed or gone are forgotten', async () => {
    const { world, known, make, change, entry, ids, calls } = process();
    const [open, sealed, gone] = [await make(), await make(), await make()];
    for (const row of [open, sealed, gone]) known.add(row);
    await change(open, { n: 7 });
    await change(sealed, { s: 'sealed' });
    await world.panda.transact([{ kind: 'delete', ...volumeKey(CELL, gone.id) }]);
    calls();
    world.clock.advance(OPEN_LIST_EVERY_MS - 1);
    await known.readOlder();
    expect(calls()).toEqual([]);
    world.clock.advance(1);
    await known.readOlder();
    expect(calls()).toEqual(['getMany volume']);
    expect(ids()).toEqual([open.id]);
    expect([entry(open).row.nextSeq, known.isStale(entry(open))]).toEqual([7, false]);
    await known.readOlder();
    expect(calls()).toEqual([]);
    await known.readOlder(0);
    expect(calls()).toEqual(['getMany volume']);
  });

  it('are none that this process is at, before or meanwhile', async () => {
    const { world, known, make, change, entry, ids, calls } = process();
    const [before, meanwhile] = [await make(), await make()];
    for (const row of [before, meanwhile]) {
      known.add(row);
      await change(row, { n: 7 });
    }
    entry(before).busy = true;
    world.clock.advance(OPEN_LIST_EVERY_MS);
    const reading = known.readOlder();
    entry(meanwhile).busy = true;
    await reading;
    expect([entry(before).row.nextSeq, entry(meanwhile).row.nextSeq]).toEqual([1, 1]);
    await change(meanwhile, { s: 'sealed' });
    entry(meanwhile).busy = false;
    const again = known.readOlder(0);
    entry(meanwhile).busy = true;
    await again;
    expect(ids()).toEqual([before.id, meanwhile.id]);
    entry(meanwhile).busy = false;
    calls();
    await known.readOlder(0);
    expect(ids()).toEqual([before.id]);
  });

  it('are not put back to an earlier lease by a row that was read before', async () => {
    const { known, make, change, entry } = process();
    const row = await make();
    known.add(row);
    for (const [token, taken] of [
      [3, 3],
      [2, 3],
      [3, 3],
      [4, 4],
    ] as const) {
      await change(row, { t: token, n: 10 * token });
      await known.readOlder(0);
      expect(entry(row).row).toMatchObject({ token: taken, nextSeq: 10 * taken });
    }
    await change(row, { n: 41 });
    await known.readOlder(0);
    expect(entry(row).row.nextSeq).toBe(41);
  });
});
