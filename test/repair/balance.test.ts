// BALANCE: columns go from the fullest drives to the emptiest, byte for byte, and no volume survives less for it.
import { describe, expect, it } from 'vitest';
import { recover } from '../../lib/engine/upkeep/end-dead-work.ts';
import { CountingPlan, Crash } from '../../lib/foundation/faults.ts';
import { driveAttributes, driveKey } from '../../lib/panda/rows/drives/drive-row.ts';
import { settingsOf } from '../../lib/settings/settings.ts';
import { domainColumnsMax } from '../../lib/volume/check/redundancy.ts';
import { balanceStore, planBalanceNow } from '../../lib/volume/repair/balance-store.ts';
import { repairStore } from '../../lib/volume/repair/repair-store.ts';
import { listVolumes } from '../../lib/volume/rows/read-rows.ts';
import type { World } from '../store/harness.ts';
import { expectSound } from '../store/recount.ts';
import { expectUndamaged } from '../store/undamaged.ts';
import { LOOKED_AT, placesIn, plantedWorld } from '../volume/planted.ts';
import { mark } from './drives.ts';

const SETTINGS = settingsOf('demo', { ...LOOKED_AT, trashGraceMs: 0, warmCodec: 'xor-2-1' });

/** All that there is lies on the first drives: the others were added since. */
async function unevenWorld(seed = 1): Promise<World> {
  const world = await plantedWorld(seed, SETTINGS, 8);
  const p = world.start();
  await p.volumes.open.sealAll('hot');
  // Emptied, and in use again.
  for (const drive of [6, 7]) await mark(world, drive, 'draining');
  await repairStore(world.start().volumes);
  for (const drive of [6, 7]) await mark(world, drive, 'active');
  return world;
}
const bytesOf = async (world: World): Promise<string[]> =>
  (await placesIn(world))
    .map(({ volume, column, name, bytes }) => `${volume.id}/${column}/${name}/${Buffer.from(bytes).toString('base64')}`)
    .sort();

describe('balance', () => {
  it('says what it would do, and does it: the drives are even, the bytes the same', async () => {
    const world = await unevenWorld();
    const p = world.start();
    const before = await bytesOf(world);
    const plan = await planBalanceNow(p.volumes);
    expect(plan.before.emptiestBytes).toBe(0);
    expect(plan.moves.length).toBeGreaterThan(1);
    expect(plan.after.fullestBytes).toBeLessThan(plan.before.fullestBytes);
    expect(plan.moves.map(({ to }) => to)).toContain(6);
    expect(await bytesOf(world)).toEqual(before);
    const report = await balanceStore(p.volumes);
    expect(report).toMatchObject({ planned: plan.moves.length, moved: plan.moves.length, left: [], after: plan.after });
    expect(await bytesOf(world)).toEqual(before);
    for (const { extents } of await listVolumes(world.panda, 'c0'))
      expect(new Set(extents.map(({ drive }) => drive)).size).toBe(extents.length);
    expect(await planBalanceNow(p.volumes)).toMatchObject({ moves: [] });
    await expectUndamaged(world.start());
    await expectSound(world.start());
  });

  it('keeps to its budget, and stops when it is told to; the next one goes on', async () => {
    const world = await unevenWorld();
    const p = world.start();
    const { moves } = await planBalanceNow(p.volumes);
    const some = await balanceStore(p.volumes, { bytesMax: 1 });
    expect(some).toMatchObject({ moved: 1 });
    expect(some.left).toHaveLength(moves.length - 1);
    const stop = new AbortController();
    const stopped = await balanceStore(p.volumes, { signal: stop.signal, onBytes: () => stop.abort() });
    expect(stopped.left).toHaveLength(stopped.planned - stopped.moved);
    for (const { reason } of stopped.left) expect(reason.code).toBe('STOPPED');
    expect(await balanceStore(p.volumes)).toMatchObject({ left: [] });
    expect(await planBalanceNow(p.volumes)).toMatchObject({ moves: [] });
    await expectSound(world.start());
  });

  it('puts no more columns into a domain than a volume may lose with it', async () => {
    const world = await unevenWorld();
    const domain = (drive: number): string => (drive === 0 || drive >= 6 ? 'shelf' : `disk ${drive}`);
    for (const drive of world.drives.keys())
      await world.panda.transact([
        {
          kind: 'put',
          ...driveKey(drive),
          attributes: driveAttributes({ state: 'active', change: 1, sinceMs: 0, domain: domain(drive) }),
        },
      ]);
    const crowded = async (): Promise<number> =>
      (await listVolumes(world.panda, 'c0')).filter(
        ({ codec, extents }) =>
          extents.filter(({ drive }) => domain(drive) === 'shelf').length > domainColumnsMax(codec),
      ).length;
    expect(await crowded()).toBe(0);
    await balanceStore(world.start().volumes);
    expect(await crowded()).toBe(0);
  });

  it('may die at every call: the column is where it was, or where it was to be; repair gives up what was claimed', async () => {
    const made = await unevenWorld();
    const { moves } = await planBalanceNow(made.start().volumes);
    expect(moves.length).toBeGreaterThan(0);
    const counting = new CountingPlan();
    await balanceStore(made.clone().start({ plan: counting }).volumes, { bytesMax: 1 });
    const every = Math.max(1, Math.floor(counting.calls / 10));
    for (let at = 1; at <= counting.calls; at += every) {
      const world = made.clone();
      const before = await bytesOf(world);
      const plan = new CountingPlan(at, at % 2 === 0 ? 'before' : 'after');
      await balanceStore(world.start({ plan }).volumes, { bytesMax: 1 }).catch((error: unknown) => {
        if (!(error instanceof Crash)) throw error;
      });
      const p = world.start({ othersDead: true });
      await recover(p.volumes, p.frontend);
      await expectUndamaged(p);
      await repairStore(p.volumes);
      await expectSound(p);
      const volumes = await listVolumes(world.panda, 'c0');
      expect(
        volumes.filter(({ repair }) => repair !== undefined),
        `call ${at}`,
      ).toEqual([]);
      expect(await bytesOf(world), `call ${at}`).toEqual(before);
    }
  });
});
