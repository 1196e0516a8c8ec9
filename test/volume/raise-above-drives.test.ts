// A Panda that was put back beside drives that went on: what they hold and it does not know is raised above, and given up.
import { describe, expect, it } from 'vitest';
import { driveBusy } from '../../lib/drive/errors.ts';
import { MemoryDrive } from '../../lib/drive/memory-drive.ts';
import type { VolumeId } from '../../lib/foundation/ids.ts';
import type { MemoryPanda } from '../../lib/panda/memory-panda.ts';
import type { Attributes, Key, Write } from '../../lib/panda/panda.ts';
import { lineageFromRow } from '../../lib/panda/rows/lineage.ts';
import { STORE_FORMAT, storeKey } from '../../lib/panda/rows/store-row.ts';
import { type VolumeRow, volumeFromRow, volumeKey } from '../../lib/panda/rows/volume-row.ts';
import { zoneFromRow, zoneKey } from '../../lib/panda/rows/zone-row.ts';
import { appendsIn, behindError, lookAtDrives, refuseIfBehind } from '../../lib/volume/behind/newer-chunks.ts';
import { raiseAboveDrives, raiseWrite, TOKEN_STEP } from '../../lib/volume/behind/raise-above-drives.ts';
import { quarantineLeftMs } from '../../lib/volume/behind/sweep.ts';
import { listVolumes } from '../../lib/volume/rows/read-rows.ts';
import { type Process, TINY, World } from '../store/harness.ts';

const CELL = TINY.cell;
const bodyOf = (name: string): Uint8Array => Buffer.from(`the content of ${name} `.repeat(30));
const put = (p: Process, key: string) => p.frontend.put({ namespace: 'n', key, body: Buffer.from(bodyOf(key)) });
const set = (panda: MemoryPanda, key: Key, attributes: Attributes): Promise<void> =>
  panda.transact([{ kind: 'put', ...key, attributes } as Write]);
const open = async (panda: MemoryPanda): Promise<VolumeRow[]> =>
  (await listVolumes(panda, CELL)).filter(({ state }) => state === 'open');

/** A store whose rows were saved, and then more was put. */
async function wentOn() {
  const world = new World(7, TINY, 20);
  const p = world.start();
  await set(world.panda, storeKey, { f: STORE_FORMAT, ep: 4, in: 'before', wo: 3, wm: 'mark' });
  await put(p, 'first');
  const saved = world.panda.clone();
  for (let i = 0; i < 12; i++) await put(p, `later-${i}`);
  const old: Process = { ...p, components: { ...p.components, panda: saved } };
  return { world, saved, old, p };
}

describe('what is raised', () => {
  const key = zoneKey(3, 8);
  it('is a zone without a row, a free one itself, and a used one by its floor', () => {
    expect(raiseWrite(3, 8, undefined, 5)).toEqual({
      ...{ kind: 'put', ...key, attributes: { g: 6, s: 'free' } },
      if: ['absent'],
    });
    const conditions = (state: string) => [
      { attribute: 'g', equals: 5 },
      { attribute: 's', equals: state },
    ];
    const row = { zone: 8, generation: 5, volume: undefined } as const;
    expect(raiseWrite(3, 8, { ...row, state: 'free' }, 5)).toEqual({
      ...{ kind: 'update', ...key, set: { g: 6 } },
      if: conditions('free'),
    });
    expect(raiseWrite(3, 8, { ...row, state: 'used' }, 6)).toEqual({
      ...{ kind: 'update', ...key, set: { n: 7 } },
      if: conditions('used'),
    });
  });

  it('is nothing where the row has reached that generation', () => {
    const row = { zone: 8, generation: 5, volume: undefined } as const;
    expect(raiseWrite(3, 8, { ...row, state: 'free' }, 4)).toBeUndefined();
    expect(raiseWrite(3, 8, { ...row, state: 'used' }, 5)).toBeUndefined();
    expect(raiseWrite(3, 8, { ...row, state: 'used', floor: 8 }, 7)).toBeUndefined();
  });
});

describe('a Panda put back beside drives that went on', () => {
  it('is refused, and after it was raised it is not, nor is anything raised twice', async () => {
    const { saved, old, p } = await wentOn();
    await refuseIfBehind(p.components);
    await expect(refuseIfBehind(old.components)).rejects.toMatchObject({ code: 'PANDA_BEHIND' });
    const tokens = new Map((await open(saved)).map(({ id, token }) => [id, token]));
    const report = await raiseAboveDrives(old.components, 9);
    expect(report).toMatchObject({ epoch: 10, unlisted: [], volumes: tokens.size });
    await refuseIfBehind(old.components);
    for (const { id, token } of await open(saved))
      expect(token).toBeGreaterThanOrEqual((tokens.get(id) ?? 0) + TOKEN_STEP);
    expect(await raiseAboveDrives(old.components, 9)).toMatchObject({ epoch: 11, raisedZones: 0 });
    await put({ ...old, frontend: p.frontend }, 'and on');
  });

  it('has another instance, takes over, and its epoch is above the one that was seen and its own', async () => {
    const { saved, old } = await wentOn();
    expect((await raiseAboveDrives(old.components)).epoch).toBe(5);
    const row = (await saved.get(storeKey)) ?? expect.fail('no row of the store');
    const lineage = lineageFromRow(row);
    expect(lineage).toMatchObject({ epoch: 5, opens: 4, isTakingOver: true });
    expect(lineage.instance).toMatch(/^[0-9a-f]{16}$/);
    expect(lineage.mark).toMatch(/^[0-9a-f]{16}$/);
    expect(lineage.mark).not.toBe(lineage.instance);
    await saved.transact([{ kind: 'delete', ...storeKey }]);
    expect((await raiseAboveDrives(old.components)).epoch).toBe(0);
  });

  it('has zones that nobody knew above what lies there, and what its open volumes do not know in quarantine', async () => {
    const { saved, old, world } = await wentOn();
    const drive = world.drives[5] as MemoryDrive;
    await drive.append({ zone: 900, generation: 3 }, 'foreign', [new Uint8Array(4)]);
    await drive.append({ zone: 900, generation: 2 }, 'foreign', [new Uint8Array(4)]);
    const before = await open(saved);
    const appended = await Promise.all(before.map((volume) => appendsIn(old.components, volume)));
    const { raisedZones } = await raiseAboveDrives(old.components);
    expect(raisedZones).toBeGreaterThan(0);
    const row = (await saved.get(zoneKey(5, 900))) ?? expect.fail('no row of the zone');
    expect(zoneFromRow(row)).toMatchObject({ generation: 4, state: 'free', volume: undefined });
    for (const [i, { extents, id }] of before.entries()) {
      const { hasUnknown, token } = appended[i] as (typeof appended)[number];
      const leftMs = await quarantineLeftMs(old.components, extents);
      expect(leftMs > 0).toBe(hasUnknown);
      const now = volumeFromRow((await saved.get(volumeKey(CELL, id))) ?? expect.fail('no row of the volume'));
      expect(now.token).toBe(token + TOKEN_STEP);
      expect(now.owner).toBeUndefined();
    }
    expect(appended.some(({ hasUnknown }) => hasUnknown)).toBe(true);
  });

  it('raises what it can reach: a drive that is away is named, and a volume that is sealed keeps its token', async () => {
    const { saved, old, world } = await wentOn();
    const [volume] = await open(saved);
    const { id, extents } = volume ?? expect.fail('no open volume');
    const next = extents.map(({ drive }) => `${drive}:77:2`);
    await saved.transact([
      { kind: 'update', ...volumeKey(CELL, id), set: { s: 'sealed', ng: 2, nx: next, z: 5 } } as Write,
    ]);
    const away = world.drives[2] as MemoryDrive;
    away.zones = () => Promise.reject(new TypeError('a mistake'));
    await expect(raiseAboveDrives(old.components)).rejects.toThrow('a mistake');
    away.zones = () => Promise.reject(driveBusy('drive-2', 'away'));
    const { unlisted, volumes } = await raiseAboveDrives(old.components);
    expect(unlisted).toEqual(['drive-2']);
    expect(volumes).toBe((await listVolumes(saved, CELL)).length);
    const now = volumeFromRow((await saved.get(volumeKey(CELL, id))) ?? expect.fail('no row of the volume'));
    expect(now.token).toBe(volume?.token);
    const claimed = extents.map(({ drive }) => ({ drive, zone: 77, zoneGeneration: 2 }));
    expect(await quarantineLeftMs(old.components, claimed)).toBeGreaterThan(0);
  });

  it('passes over a volume that was sealed meanwhile, and looks again at zones that somebody took', async () => {
    const { saved, old, world } = await wentOn();
    await (world.drives[5] as MemoryDrive).append({ zone: 900, generation: 3 }, 'foreign', [new Uint8Array(4)]);
    const transact = saved.transact.bind(saved);
    let conflicts = 0;
    saved.transact = async (writes) => {
      const [first] = writes;
      const isOfZone = first?.partition.startsWith('zone/') === true && conflicts === 0;
      const isOfVolume = first?.partition.startsWith('volume/') === true;
      if (isOfZone) conflicts += 1;
      if (isOfZone)
        await transact([
          {
            kind: 'put',
            ...zoneKey(first.partition.slice(5) as never, Number(first.sort)),
            attributes: { g: 4000, s: 'free' },
          },
        ]);
      if (isOfVolume)
        await transact([{ kind: 'update', partition: first.partition, sort: first.sort, set: { s: 'sealed', z: 5 } }]);
      return transact(writes);
    };
    const tokens = new Map((await open(saved)).map(({ id, token }) => [id, token]));
    await raiseAboveDrives(old.components);
    expect(conflicts).toBe(1);
    for (const { id, token } of await listVolumes(saved, CELL)) expect(token).toBe(tokens.get(id) ?? token);
  });
});

describe('who says that Panda is behind', () => {
  const looks = (...drives: number[]) =>
    [0, 1, 2].map((drive) => ({ drive, isListed: true, strays: [], newer: drives.includes(drive) ? ['a', 'b'] : [] }));
  const components = { drives: [0, 1, 2].map((i) => new MemoryDrive(`d${i}`)) };

  it('is the first drive that shows it, and how many more do', () => {
    expect(behindError(components, looks())).toBeUndefined();
    expect(behindError(components, looks(1))?.message).toContain('(d1 holds a)');
    expect(behindError(components, looks(1, 2))?.message).toContain('(d1 holds a, and 1 more drives likewise)');
  });

  it('is no drive that cannot be listed; a mistake of a program comes out', async () => {
    const { world, old } = await wentOn();
    for (const drive of world.drives) drive.zones = () => Promise.reject(driveBusy('x', 'away'));
    for (const drive of world.drives) drive.list = () => Promise.reject(driveBusy('x', 'away'));
    const found = await lookAtDrives(old.components);
    expect(found.map(({ isListed }) => isListed)).toEqual(world.drives.map(() => false));
    expect(behindError(old.components, found)).toBeUndefined();
    const [drive] = world.drives as [MemoryDrive];
    drive.zones = () => Promise.reject(new TypeError('a mistake'));
    await expect(lookAtDrives(old.components)).rejects.toThrow('a mistake');
  });

  it('is no copy of a chunk that lies in its place; one that lies nowhere else is, as a repair of later would be', async () => {
    const world = new World(8, TINY, 20);
    const p = world.start();
    await put(p, 'first');
    const [volume] = await open(world.panda);
    const { extents } = volume ?? expect.fail('no open volume');
    const at = extents[0] ?? expect.fail('no extent');
    const place = { zone: at.zone, generation: at.zoneGeneration };
    const holder = world.drives[at.drive] as MemoryDrive;
    const [chunk] = await holder.list(place);
    const { name } = chunk ?? expect.fail('no chunk');
    const bytes = await holder.read(place, name);
    const elsewhere = world.drives.findIndex((_, i) => !extents.some(({ drive }) => drive === i));
    await (world.drives[elsewhere] as MemoryDrive).append({ zone: 500, generation: 1 }, name, [bytes]);
    const strays = async () => (await lookAtDrives(p.components))[elsewhere];
    expect(await strays()).toMatchObject({ newer: [], strays: [{ zone: 500, generation: 1 }] });
    await holder.erase(place);
    expect((await strays())?.newer).toEqual(['chunks in zone 500/1 that it does not know']);
    expect(await strays()).toMatchObject({ strays: [] });
  });
});

describe('appends in the extents of an open volume', () => {
  it('are known up to its token and its next number, and none of its own is unknown', async () => {
    const world = new World(9, TINY, 20);
    const p = world.start();
    await put(p, 'first');
    const [volume] = await open(world.panda);
    const row = volume ?? expect.fail('no open volume');
    expect(await appendsIn(p.components, row)).toEqual({ token: row.token, hasUnknown: false });
    expect(await appendsIn(p.components, { ...row, nextSeq: row.nextSeq - 1 })).toEqual({
      ...{ token: row.token, hasUnknown: true },
    });
    expect(await appendsIn(p.components, { ...row, token: row.token - 1 })).toEqual({
      ...{ token: row.token, hasUnknown: true },
    });
    expect(await appendsIn(p.components, { ...row, id: row.id as VolumeId, token: row.token + 5 })).toEqual({
      ...{ token: row.token + 5, hasUnknown: false },
    });
    for (const { drive } of row.extents)
      (world.drives[drive] as MemoryDrive).list = () => Promise.reject(new TypeError('a mistake'));
    await expect(appendsIn(p.components, row)).rejects.toThrow('a mistake');
  });
});
