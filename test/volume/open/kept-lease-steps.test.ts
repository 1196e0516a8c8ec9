// A lease that is kept, condition by condition: it is taken up once, by whoever kept it, if nothing at all has happened to the volume; and it goes
// back when its time is over, no earlier, if it is still there to be given back.
import { describe, expect, it } from 'vitest';
import { retryLater } from '../../../lib/foundation/errors.ts';
import { LEASE_MS } from '../../../lib/limits/volume.ts';
import type { Attributes, Write } from '../../../lib/panda/panda.ts';
import { type VolumeRow, volumeKey } from '../../../lib/panda/rows/volume-row.ts';
import type { Known } from '../../../lib/volume/open/choose-open.ts';
import { createVolume } from '../../../lib/volume/open/create-volume.ts';
import { KeptLeases } from '../../../lib/volume/open/kept-leases.ts';
import { KnownVolumes } from '../../../lib/volume/open/known-volumes.ts';
import { leaseVolume } from '../../../lib/volume/open/lease.ts';
import { readVolume } from '../../../lib/volume/rows/read-rows.ts';
import { TINY, World } from '../../store/harness.ts';

const CELL = TINY.cell;
const FOR_MS = 200;

/** A volume under a lease of this process that a commit has left to be kept; sleeps end when the test says so. */
async function leased(more: { mayWrite?: () => Promise<void> } = {}) {
  const world = new World(61, TINY, 20);
  const p = world.start();
  const components = { ...p.components, ...more };
  const slept: number[] = [];
  let wake: () => void = () => undefined;
  world.clock.sleep = (ms) => {
    slept.push(ms);
    return new Promise((resolve) => {
      wake = resolve;
    });
  };
  const pass = async (ms: number): Promise<void> => {
    world.clock.advance(ms);
    wake();
    for (let turn = 0; turn < 40; turn++) await new Promise<void>((next) => setImmediate(next));
  };
  const known = new KnownVolumes(components, () => undefined);
  const made = await createVolume(components, p.volumes.zones, 'hot');
  const row = (await leaseVolume(p.components, made)) ?? expect.fail('not leased');
  known.add(row);
  const entry = known.all()[0] as Known;
  const kept = new KeptLeases(components, known);
  const change = (set: Attributes, remove: readonly string[] = []): Promise<void> =>
    world.panda.transact([{ kind: 'update', ...volumeKey(CELL, row.id), set, remove }]);
  const now = async (): Promise<VolumeRow> => (await readVolume(world.panda, CELL, row.id)) ?? expect.fail('gone');
  return { world, components, known, entry, row, kept, change, now, slept, pass };
}

describe('what a commit leases for the next append', () => {
  it('is nothing unless leases are kept, and then the next token, for as long as any lease', async () => {
    const { world, components, kept, row } = await leased();
    expect(kept.after(row)).toBeUndefined();
    kept.begin(FOR_MS);
    const expiresAtMs = world.clock.nowMs() + LEASE_MS;
    expect(kept.after(row)).toEqual({ token: row.token + 1, owner: components.owner, expiresAtMs });
    await kept.end();
    expect(kept.after(row)).toBeUndefined();
  });
});

describe('a lease that is kept is taken up', () => {
  it('once, with what others have changed without it', async () => {
    const { kept, entry, row, change } = await leased();
    kept.begin(FOR_MS);
    kept.keep(entry, row.token);
    await change({ b: new Set(['00000000000000aa']) });
    expect(await kept.take(entry)).toMatchObject({
      id: row.id,
      token: row.token,
      buckets: new Set(['00000000000000aa']),
    });
    expect(await kept.take(entry)).toBeUndefined();
  });

  it.each<[string, Attributes, readonly string[]]>([
    ['has another token', { t: 77 }, []],
    ['has no owner', {}, ['o', 'e']],
    ['has another owner', { o: 'another' }, []],
    ['is sealed', { s: 'sealed' }, []],
    ['has a group that is not settled', { p: 1 }, []],
  ])('not if the volume %s', async (_, set, remove) => {
    const { kept, entry, row, change } = await leased();
    kept.begin(FOR_MS);
    kept.keep(entry, row.token);
    await change(set, remove);
    expect(await kept.take(entry)).toBeUndefined();
  });

  it('not if its row is gone, nor if this process knows of another token', async () => {
    for (const isGone of [true, false]) {
      const { world, kept, entry, row } = await leased();
      kept.begin(FOR_MS);
      kept.keep(entry, row.token);
      if (isGone) await world.panda.transact([{ kind: 'delete', ...volumeKey(CELL, row.id) }]);
      else entry.row = { ...row, token: row.token + 1 };
      expect(await kept.take(entry)).toBeUndefined();
    }
  });

  it('with more than half of its time left, and not with half of it', async () => {
    for (const [leftMs, isTaken] of [
      [LEASE_MS / 2 + 1, true],
      [LEASE_MS / 2, false],
    ] as const) {
      const { world, kept, entry, row, change } = await leased();
      kept.begin(FOR_MS);
      kept.keep(entry, row.token);
      await change({ e: world.clock.nowMs() + leftMs });
      expect((await kept.take(entry)) !== undefined).toBe(isTaken);
    }
  });

  it('not by a process that may not write any more', async () => {
    const no = new Error('it may not');
    const { kept, entry, row } = await leased({ mayWrite: () => Promise.reject(no) });
    kept.begin(FOR_MS);
    kept.keep(entry, row.token);
    await expect(kept.take(entry)).rejects.toBe(no);
  });
});

describe('a lease that is kept goes back', () => {
  it('once it is as old as that, and not earlier; then nobody looks any more', async () => {
    const { kept, entry, row, now, pass, slept, components, known } = await leased();
    kept.begin(FOR_MS);
    kept.keep(entry, row.token);
    kept.keep(entry, row.token);
    expect(slept).toEqual([FOR_MS]);
    await pass(FOR_MS - 1);
    expect(await now()).toMatchObject({ owner: components.owner });
    expect(slept).toEqual([FOR_MS, FOR_MS]);
    await pass(1);
    expect(await now()).toMatchObject({ owner: undefined, token: row.token });
    expect(slept).toEqual([FOR_MS, FOR_MS]);
    expect([entry.busy, entry.row.owner]).toEqual([false, undefined]);
    expect(known.all()).toEqual([entry]);
    // The next one is looked after again.
    kept.keep(entry, row.token);
    expect(slept).toEqual([FOR_MS, FOR_MS, FOR_MS]);
  });

  it('at the end whatever its age is, and is tended no more often than once a millisecond then', async () => {
    const { kept, entry, row, now, components, slept } = await leased();
    kept.begin(FOR_MS);
    kept.keep(entry, row.token);
    expect(await now()).toMatchObject({ owner: components.owner });
    await kept.end();
    expect(await now()).toMatchObject({ owner: undefined });
    expect(await kept.take(entry)).toBeUndefined();
    const other = await leased();
    other.kept.keep(other.entry, other.row.token);
    expect([slept, other.slept]).toEqual([[FOR_MS], [1]]);
  });

  it('not while the process is at the volume, nor if it knows of another token', async () => {
    for (const isBusy of [true, false]) {
      const { world, kept, entry, row, now, components } = await leased();
      kept.begin(FOR_MS);
      kept.keep(entry, row.token);
      if (isBusy) entry.busy = true;
      else entry.row = { ...row, token: row.token + 1 };
      const sent: (readonly Write[])[] = [];
      world.panda.transact = async (writes) => void sent.push(writes);
      await kept.end();
      expect([sent, entry.busy]).toEqual([[], isBusy]);
      expect(await now()).toMatchObject({ owner: components.owner });
    }
  });

  it('is busy meanwhile; where that cannot be had it runs out, but a mistake comes out', async () => {
    for (const error of [retryLater('PANDA_BUSY', 'busy'), new TypeError('a mistake')]) {
      const { world, kept, entry, row, known } = await leased();
      kept.begin(FOR_MS);
      kept.keep(entry, row.token);
      let wasBusy = false;
      world.clock.sleep = async () => undefined;
      world.panda.transact = () => {
        wasBusy = entry.busy;
        return Promise.reject(error);
      };
      if (error instanceof TypeError) await expect(kept.end()).rejects.toBe(error);
      else await kept.end();
      expect(wasBusy).toBe(true);
      expect(known.all()).toEqual([]);
    }
  });
});
