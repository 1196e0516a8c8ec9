// Every port call of a repair is a place to die at; beside it, drives come back, others write, and zombies go on.
import { describe, expect, it } from 'vitest';
import { FaultyDrive } from '../../lib/drive/faulty-drive.ts';
import { changeDrive } from '../../lib/engine/drives/change-drive.ts';
import { recover } from '../../lib/engine/upkeep/end-dead-work.ts';
import { isPocketfulError } from '../../lib/foundation/errors.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { collectGarbage } from '../../lib/gc/collect-garbage.ts';
import { encodeHot } from '../../lib/live-coder/encode-hot.ts';
import type { DriveState } from '../../lib/panda/rows/drives/drive-row.ts';
import { volumeKey } from '../../lib/panda/rows/volume-row.ts';
import { zoneFromRow, zoneKey } from '../../lib/panda/rows/zone-row.ts';
import { giveUpLostZones } from '../../lib/volume/behind/lost-zones.ts';
import { lookAtVolume } from '../../lib/volume/check/look.ts';
import { planRepair, repairStore } from '../../lib/volume/repair/repair-store.ts';
import { listDiscards } from '../../lib/volume/repair/replaced-extents.ts';
import { listDamage, noteDamage } from '../../lib/volume/rows/damage.ts';
import { listVolumes } from '../../lib/volume/rows/read-rows.ts';
import { freeTrash } from '../../lib/volume/runs/free.ts';
import { VolumeStore } from '../../lib/volume/volume-store.ts';
import { SMALL as WORLD } from '../compaction/acting-world.ts';
import { besideEachOther, crashEverywhere, Model } from '../store/crash.ts';
import { type Process, World } from '../store/harness.ts';
import { expectUndamaged } from '../store/undamaged.ts';
import { type PlantedPlace, placesIn, replace } from '../volume/planted.ts';
import { bringBack, mark, wipe } from './drives.ts';

const SMALL = { ...WORLD, trashGraceMs: 0 };
const SEED = 12;
const DRIVES = 7;

async function put(p: Process, model: Model, seed: number, count: number): Promise<void> {
  const random = new SeededRandomness(seed);
  const files = new Map(
    Array.from({ length: count }, (_, i) => [`f/${seed}-${i}`, random.bytes(random.below(1800) + 1)]),
  );
  for (const [key, body] of files) model.begin(key, body);
  const items = [...files].map(([key, body]) => ({ namespace: 'default', key, body }));
  for await (const outcome of p.frontend.putAll(items))
    if (outcome.ok) model.put(outcome.key, files.get(outcome.key) as Uint8Array);
}

/** A sealed volume of the warm codec and a hot one; `drive` holds a column of the warm one. */
async function made(state: DriveState | undefined): Promise<{ world: World; model: Model; drive: number }> {
  const world = new World(SEED, SMALL, DRIVES);
  const model = new Model();
  const p = world.start();
  await put(p, model, 1, 14);
  await p.volumes.open.sealAll('hot');
  await encodeHot(p.volumes, { force: true, flush: true });
  await p.volumes.open.sealAll('warm');
  await freeTrash(p.volumes);
  await put(p, model, 2, 4);
  await p.volumes.open.sealAll('hot');
  const warm = (await listVolumes(world.panda, 'c0')).find(
    (volume) => volume.class === 'warm' && volume.buckets.size > 0,
  );
  const drive = warm?.extents[1]?.drive ?? 0;
  if (state !== undefined) await mark(world, drive, state);
  if (state === 'lost') await wipe(world, drive);
  return { world, model, drive };
}

/** Whoever comes next makes it whole. */
async function finish(p: Process): Promise<void> {
  expect(await repairStore(p.volumes)).toMatchObject({ lost: [], left: [] });
  expect((await planRepair(p.volumes)).repairs).toEqual([]);
  expect(await listDiscards(p.volumes)).toEqual([]);
  for (const { repair, run } of await listVolumes(p.components.panda, 'c0')) expect({ repair, run }).toEqual({});
  await expectUndamaged(p);
}

describe('a death at every port call', () => {
  it.each(['draining', 'lost'] as const)('of a repair of a drive that is %s', async (state) => {
    const { calls, runs } = await crashEverywhere({
      prepare: () => made(state),
      act: async (p) => {
        await repairStore(p.volumes);
      },
      isDamaged: true,
      // biome-ignore lint/suspicious/noThenProperty: it is no promise, and nobody awaits it
      then: finish,
    });
    expect(runs).toBe(calls * 3);
  });

  it('of a repair beside a put, a delete and GC', async () => {
    await crashEverywhere(
      {
        prepare: () => made('draining'),
        act: (p, model) =>
          besideEachOther(
            repairStore(p.volumes),
            put(p, model, 3, 3),
            (async () => {
              const keys = ['f/1-1', 'f/1-5', 'f/2-1'];
              for (const key of keys) model.begin(key, undefined);
              for await (const outcome of p.frontend.deleteAll(keys.map((key) => ({ namespace: 'default', key }))))
                if (outcome.ok) model.delete(outcome.key);
              await collectGarbage(p.components);
            })(),
          ),
        isDamaged: true,
        // biome-ignore lint/suspicious/noThenProperty: it is no promise, and nobody awaits it
        then: finish,
      },
      11,
    );
  });
});

/** As `made`, and one group lacks a chunk on another drive as well: nothing gives it back without the drive that is lost. */
async function madeBeyond() {
  const { world: kept, model, drive } = await made(undefined);
  const world = kept.clone();
  await mark(world, drive, 'lost');
  await wipe(world, drive);
  const other = (await placesIn(world)).find(
    ({ volume, column, part }) => volume.class === 'warm' && column === 0 && typeof part === 'number',
  ) as PlantedPlace;
  await replace(world, other, undefined);
  const p = world.start();
  const look = await lookAtVolume(p.volumes, other.volume, { read: true });
  await noteDamage(p.components, other.volume, look?.found ?? []);
  for (const key of model.there.keys())
    if ((await p.frontend.read('default', key, 1e7).catch(isPocketfulError)) === true) model.lost.add(key);
  return { world, kept, model, drive };
}

describe('of a repair that cannot make all of it', () => {
  it('a death at every port call: what is served is served, and all of it is when the drive is back', async () => {
    const { world: lossy, kept, model: known, drive } = await madeBeyond();
    expect(known.lost.size).toBeGreaterThan(0);
    expect(known.lost.size).toBeLessThan(known.there.size);
    await crashEverywhere(
      {
        prepare: async () => ({ world: lossy.clone(), model: known.clone() }),
        act: async (p) => {
          await repairStore(p.volumes);
        },
        isDamaged: true,
        // biome-ignore lint/suspicious/noThenProperty: it is no promise, and nobody awaits it
        then: async (p) => {
          await repairStore(p.volumes);
          expect(await listDamage(p.components)).not.toEqual([]);
          await bringBack(p.components, kept, drive);
          await changeDrive(p.volumes, drive, { state: 'active' });
          await finish(p);
          for (const key of known.lost)
            expect(Buffer.compare(await p.frontend.read('default', key, 1e7), known.there.get(key) as Uint8Array)).toBe(
              0,
            );
        },
      },
      4,
    );
  });
});

describe('beside a repair', () => {
  it('a zombie of an earlier one changes nothing', async () => {
    const { world, model } = await made('draining');
    const zombie = world.start();
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let arrived = (): void => {};
    const isAtWork = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const drives = world.drives.map((drive) => {
      const stopped = new FaultyDrive(drive);
      const append = stopped.append.bind(stopped);
      stopped.append = async (...args) => {
        arrived();
        await held;
        return append(...args);
      };
      return stopped;
    });
    const slow = repairStore(new VolumeStore({ ...zombie.components, drives })).catch((error: unknown) => error);
    await isAtWork;
    const p = world.start({ othersDead: true });
    await recover(p.volumes, p.frontend, { sweep: true });
    await finish(p);
    const settled = JSON.stringify((await listVolumes(world.panda, 'c0')).map(({ id, extents }) => [id, extents]));
    release();
    await slow;
    expect(JSON.stringify((await listVolumes(world.panda, 'c0')).map(({ id, extents }) => [id, extents]))).toBe(
      settled,
    );
    await finish(world.start({ othersDead: true }));
    await model.expectIn(world.start());
  });

  it('a lost drive that comes back has its given-up zones erased, and is used again', async () => {
    const { world, model, drive } = await made(undefined);
    await mark(world, drive, 'lost');
    const p = world.start({ othersDead: true });
    await finish(p);
    expect(((await world.drives[drive]?.zones()) ?? []).length).toBeGreaterThan(0);
    await changeDrive(p.volumes, drive, { state: 'active' });
    expect(await world.drives[drive]?.zones()).toEqual([]);
    await put(p, model, 4, 4);
    await finish(p);
    await model.expectIn(p);
  });
});

describe('beside a sweep', () => {
  it('an extent that waits to be discarded goes its own way, also when its volume is gone', async () => {
    const { world, drive } = await made('draining');
    const p = world.start({ othersDead: true });
    const settings = { ...p.components.settings, trashGraceMs: 1_000_000 };
    await repairStore(new VolumeStore({ ...p.components, settings }));
    const waiting = await listDiscards(p.volumes);
    expect(waiting.length).toBeGreaterThan(0);
    expect(waiting.every((discard) => discard.drive === drive)).toBe(true);
    const rows = waiting.map(({ volume }) => ({ kind: 'delete' as const, ...volumeKey('c0', volume) }));
    await world.panda.transact(rows);
    await giveUpLostZones(p.components);
    expect(await listDiscards(p.volumes)).toEqual(waiting);
    for (const { zone, volume } of waiting)
      expect(zoneFromRow((await world.panda.get(zoneKey(drive, zone))) as never)).toMatchObject({
        state: 'used',
        volume,
      });
  });
});
