// Directory packs of which no copy is sound are made anew, from the rows of the buckets and the directories of groups.
import { describe, expect, it } from 'vitest';
import { DIRECTORY_PACK_NAME } from '../../lib/format/object-names.ts';
import { collectGarbage } from '../../lib/gc/collect-garbage.ts';
import { type Settings, settingsOf } from '../../lib/settings/settings.ts';
import { lookAtVolume } from '../../lib/volume/check/look.ts';
import { repairStore } from '../../lib/volume/repair/repair-store.ts';
import { listDamage, noteDamage } from '../../lib/volume/rows/damage.ts';
import type { World } from '../store/harness.ts';
import { expectSound } from '../store/recount.ts';
import { expectUndamaged } from '../store/undamaged.ts';
import { flipped, LOOKED_AT, type PlantedPlace, placesIn, plantedWorld, replace } from '../volume/planted.ts';

const KEY = 'f/7-3';

async function made(warmCodec: Settings['warmCodec'], drives: number): Promise<World> {
  const settings = settingsOf('demo', { ...LOOKED_AT, trashGraceMs: 0, deleteGraceMs: 0, warmCodec });
  const world = await plantedWorld(7, settings, drives);
  await world.start().volumes.open.sealAll('hot');
  return world;
}

const isPack = ({ volume, name }: PlantedPlace): boolean => volume.class === 'warm' && name === DIRECTORY_PACK_NAME;

async function readAll(world: World, ...except: string[]): Promise<string[]> {
  const { frontend } = world.start({ othersDead: true });
  const sums: string[] = [];
  for (let i = 0; i < 40; i++)
    if (!except.includes(`f/7-${i}`))
      sums.push(Buffer.from(await frontend.read('default', `f/7-${i}`, 1e7)).toString('base64'));
  return sums;
}

describe.each([
  ['xor-2-1', 6, 2],
  ['rs-6-3', 15, 4],
] as const)('every copy of a pack (%s)', (codec, drives, copies) => {
  it.each(['missing', 'rotten', 'both'] as const)('that is %s: one that is sound is made', async (how) => {
    const world = await made(codec, drives);
    const before = await placesIn(world);
    const bodies = await readAll(world);
    const packs = before.filter(isPack);
    expect(packs).toHaveLength(copies);
    for (const [i, pack] of packs.entries()) {
      const isGone = how === 'missing' || (how === 'both' && i === 0);
      await replace(world, pack, isGone ? undefined : flipped(pack.bytes, 20 + i, 1));
    }
    const p = world.start({ othersDead: true });
    const { volume } = packs[0] as PlantedPlace;
    const look = await lookAtVolume(p.volumes, volume, { read: true });
    expect(look).toMatchObject({ lostParts: [], spare: 0 });
    await noteDamage(p.components, volume, look?.found ?? []);
    expect(await listDamage(p.components)).toHaveLength(copies);

    expect(await repairStore(p.volumes)).toMatchObject({ lost: [], left: [], columns: copies });
    // Nothing has died since: it is the very same.
    const now = new Map(
      (await placesIn(world)).map(({ column, name, volume: { id }, bytes }) => [`${id}/${column}/${name}`, bytes]),
    );
    for (const {
      volume: { id },
      column,
      name,
      bytes,
    } of before)
      expect(Buffer.compare(now.get(`${id}/${column}/${name}`) ?? Buffer.alloc(0), bytes)).toBe(0);
    expect(await listDamage(p.components)).toEqual([]);
    await expectUndamaged(p);
    await expectSound(p);
    expect(await readAll(world)).toEqual(bodies);
  });
});

describe('a pack that is made anew', () => {
  it('leads to what is alive, and is not made if a group of it cannot be read', async () => {
    const made1 = await made('xor-2-1', 6);
    const world = made1.clone();
    const p = world.start({ othersDead: true });
    const bodies = await readAll(world, KEY);
    await p.frontend.delete('default', KEY);
    await collectGarbage(p.components);
    const before = await placesIn(world);
    for (const pack of before.filter(isPack)) await replace(world, pack, undefined);
    const [{ volume }] = before.filter(isPack) as [PlantedPlace];
    const lossy = world.clone();
    await noteDamage(p.components, volume, (await lookAtVolume(p.volumes, volume, { read: true }))?.found ?? []);
    expect(await repairStore(p.volumes)).toMatchObject({ lost: [], left: [] });
    const after = (await placesIn(world)).filter(isPack);
    expect(new Set(after.map(({ bytes }) => Buffer.from(bytes).toString('base64'))).size).toBe(1);
    await expectUndamaged(p);
    expect(await readAll(world, KEY)).toEqual(bodies);

    const chunk = before.find((place) => place.volume.id === volume.id && typeof place.part === 'number');
    for (const place of before)
      if (place.volume.id === volume.id && place.part === chunk?.part && place.column < 2)
        await replace(lossy, place, undefined);
    for (const place of before)
      if (place.volume.id === volume.id && place.part === chunk?.part && place.column === 2)
        await replace(lossy, place, place.bytes.slice(0, -1));
    const q = lossy.start({ othersDead: true });
    await noteDamage(q.components, volume, (await lookAtVolume(q.volumes, volume, { read: true }))?.found ?? []);
    const report = await repairStore(q.volumes);
    expect(report.lost.flatMap(({ left }) => left).filter(({ part }) => part === 'pack')).toHaveLength(2);
    expect((await placesIn(lossy)).filter(isPack)).toEqual([]);
  });
});
