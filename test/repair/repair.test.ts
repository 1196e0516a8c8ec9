// REPAIR: what lay on lost, draining or damaged columns is made again elsewhere, byte for byte, and nothing else.
import { describe, expect, it } from 'vitest';
import { driveUnavailable } from '../../lib/drive/errors.ts';
import { FaultyDrive } from '../../lib/drive/faulty-drive.ts';
import { SeededRandomness, shuffled } from '../../lib/foundation/randomness.ts';
import { zoneFromRow, zoneKey } from '../../lib/panda/rows/zone-row.ts';
import { type Settings, settingsOf } from '../../lib/settings/settings.ts';
import { lookAtVolume } from '../../lib/volume/check/look.ts';
import { spareOf } from '../../lib/volume/check/redundancy.ts';
import { freeDiscards } from '../../lib/volume/repair/discards.ts';
import { planRepair, repairStore } from '../../lib/volume/repair/repair-store.ts';
import { repairVolume } from '../../lib/volume/repair/repair-volume.ts';
import { listDiscards } from '../../lib/volume/repair/replaced-extents.ts';
import { listDamage, noteDamage } from '../../lib/volume/rows/damage.ts';
import { listVolumes } from '../../lib/volume/rows/read-rows.ts';
import { newRunId } from '../../lib/volume/runs/runs.ts';
import { VolumeStore } from '../../lib/volume/volume-store.ts';
import type { World } from '../store/harness.ts';
import { expectSound } from '../store/recount.ts';
import { expectUndamaged } from '../store/undamaged.ts';
import { flipped, LOOKED_AT, type PlantedPlace, placesIn, plantedWorld, replace } from '../volume/planted.ts';
import { CountedDrive } from './counted-drive.ts';
import { afterFirstWrite, mark, wipe } from './drives.ts';

const TINY: Partial<Settings> = { ...LOOKED_AT, trashGraceMs: 0 };
const CODECS: readonly (readonly [Settings['warmCodec'], number])[] = [
  ['lrc-12-2-2', 20],
  ['rs-6-3', 13],
  ['xor-2-1', 6],
];
const worldOf = (seed: number, warmCodec: Settings['warmCodec'], drives: number): Promise<World> =>
  plantedWorld(seed, settingsOf('demo', { ...TINY, warmCodec }), drives);

const nameOf = ({ volume, column, name }: PlantedPlace): string => `${volume.id}/${column}/${name}`;

/** Every object that was there before is there now, in whichever place its column has, with the same bytes. */
async function expectSame(world: World, before: readonly PlantedPlace[]): Promise<void> {
  const now = new Map((await placesIn(world)).map((place) => [nameOf(place), place.bytes]));
  for (const place of before)
    expect(Buffer.compare(now.get(nameOf(place)) ?? Buffer.alloc(0), place.bytes), nameOf(place)).toBe(0);
  expect(now.size).toBe(before.length);
}

describe('drives that are lost', () => {
  it.each(CODECS)('in every number the code survives: all is made again, byte for byte (%s)', async (codec, drives) => {
    for (let seed = 1; seed <= 2; seed++) {
      const made = await worldOf(seed, codec, drives);
      await made.start().volumes.open.sealAll('hot');
      const before = await placesIn(made);
      const survives = Math.min(spareOf(codec), spareOf('replica-4'));
      const inUse = (await listVolumes(made.panda, 'c0')).flatMap(({ extents }) => extents.map(({ drive }) => drive));
      for (let count = 1; count <= survives; count++) {
        const world = made.clone();
        const lost = shuffled([...new Set(inUse)], new SeededRandomness(seed * 10 + count)).slice(0, count);
        for (const drive of lost) {
          await wipe(world, drive);
          await mark(world, drive, 'lost');
        }
        const p = world.start({ othersDead: true });
        const report = await repairStore(p.volumes);
        expect(report, `seed ${seed}, lost ${lost}`).toMatchObject({ lost: [], left: [] });
        expect(report.volumes).toBeGreaterThan(0);
        await expectSame(world, before);
        for (const volume of await listVolumes(world.panda, 'c0')) {
          const on = volume.extents.map(({ drive }) => drive);
          expect(new Set(on).size).toBe(on.length);
          if (volume.state !== 'trash') expect(on.some((drive) => lost.includes(drive))).toBe(false);
        }
        await expectUndamaged(p);
        await expectSound(p, lost);
        expect(await listDiscards(p.volumes)).toEqual([]);
        expect((await planRepair(p.volumes)).repairs).toEqual([]);
      }
    }
  });

  it('take nothing: a volume is never begun on one', async () => {
    const world = await worldOf(4, 'xor-2-1', 6);
    await mark(world, 0, 'lost');
    await mark(world, 1, 'draining');
    const { volumes } = world.start();
    for (let i = 0; i < 8; i++) {
      const { extents } = await volumes.zones.claim('00000000000000aa' as never, 4);
      expect(extents.map(({ drive }) => drive).sort()).toEqual([2, 3, 4, 5]);
    }
    await mark(world, 2, 'lost');
    await expect(world.start().volumes.zones.claim('00000000000000aa' as never, 4)).rejects.toMatchObject({
      code: 'DRIVES_MISSING',
    });
  });

  it('that are marked while a volume is begun on them: the next repair moves it', async () => {
    const world = await worldOf(5, 'xor-2-1', 8);
    const p = world.start({ othersDead: true });
    await p.volumes.open.sealAll('hot');
    await p.volumes.zones.states.read();
    for (let drive = 0; drive < 4; drive++) await mark(world, drive, 'draining');
    for await (const outcome of p.frontend.putAll([{ namespace: 'default', key: 'late', body: new Uint8Array(900) }]))
      expect(outcome.ok).toBe(true);
    await repairStore(p.volumes);
    const volumes = (await listVolumes(world.panda, 'c0')).filter(({ state }) => state !== 'trash');
    expect(volumes.flatMap(({ extents }) => extents).some(({ drive }) => drive < 4)).toBe(false);
    await expectUndamaged(p);
    await expectSound(p);
  });
});

describe('a lost column', () => {
  it('is made of few others, and only it is read back', async () => {
    const settings = settingsOf('demo', { ...TINY, warmCodec: 'lrc-12-2-2' });
    const world = await plantedWorld(11, settings, 20, { files: 120, bytesMax: 1800 });
    await world.start().volumes.open.sealAll('hot');
    const held = (await placesIn(world)).filter(({ volume }) => volume.class === 'warm');
    const lost = held[0]?.volume.extents[0]?.drive ?? -1;
    await wipe(world, lost);
    await mark(world, lost, 'lost');
    const counted = world.drives.map((drive) => new CountedDrive(drive));
    const { components } = world.start({ othersDead: true });
    const report = await repairStore(new VolumeStore({ ...components, drives: counted.map(({ drive }) => drive) }));
    expect(report).toMatchObject({ lost: [], left: [] });
    const sum = (of: (one: CountedDrive) => number): number => counted.reduce((all, one) => all + of(one), 0);
    // Six columns or twelve, the one that was made read back, and headers and directories, which small groups have much of.
    expect(sum(({ readBytes }) => readBytes) / sum(({ writtenBytes }) => writtenBytes)).toBeLessThan(14);
  });

  it('goes to a drive that this pass has given least, whatever else lies there', async () => {
    const world = await worldOf(12, 'xor-2-1', 6);
    const { zones } = world.start().volumes;
    for (let i = 0; i < 20; i++) await zones.claim('00000000000000aa' as never, 1, { keeps: [2, 3, 4, 5] });
    const had = new Map<number, number>();
    for (let i = 0; i < 18; i++) {
      const keeps = [i % 6, (i + 1) % 6];
      const { extents } = await zones.claim('00000000000000aa' as never, 1, { keeps, had });
      const drive = extents[0]?.drive ?? -1;
      expect(keeps).not.toContain(drive);
      had.set(drive, (had.get(drive) ?? 0) + 1);
    }
    expect([...had.values()].every((columns) => columns >= 2 && columns <= 4)).toBe(true);
    expect(had.size).toBe(6);
  });
});

describe('a drive that is emptied', () => {
  /** That on which the first object lies, of sealed volumes. */
  async function draining(seed: number) {
    const world = await worldOf(seed, 'rs-6-3', 12);
    const p = world.start({ othersDead: true });
    await p.volumes.open.sealAll('hot');
    const before = await placesIn(world);
    const old = before[0] as PlantedPlace;
    const drained = old.volume.extents[old.column]?.drive ?? -1;
    await mark(world, drained, 'draining');
    return { world, p, before, old, drained };
  }

  it('keeps nothing: its zones are erased once what replaces them was read', async () => {
    const { world, p, before, drained } = await draining(6);
    const report = await repairStore(p.volumes);
    expect(report).toMatchObject({ lost: [], left: [] });
    expect(report.discards.freedZones).toBeGreaterThan(0);
    await expectSame(world, before);
    await expectUndamaged(p);
    await expectSound(p);
    const volumes = (await listVolumes(world.panda, 'c0')).filter(({ state }) => state !== 'trash');
    expect(volumes.flatMap(({ extents }) => extents).some(({ drive }) => drive === drained)).toBe(false);
  });

  it('gives every sound chunk by one read', async () => {
    const { world, p, before, drained } = await draining(6);
    const reads = new Map<string, number>();
    const drives = world.drives.map((drive, id) => {
      const counted = new FaultyDrive(drive);
      const read = counted.read.bind(counted);
      counted.read = (at, name, range, signal) => {
        const key = `${at.zone}/${name}`;
        if (id === drained && range === undefined) reads.set(key, (reads.get(key) ?? 0) + 1);
        return read(at, name, range, signal);
      };
      return counted;
    });
    const settings = { ...p.components.settings, trashGraceMs: 1000 };
    await repairStore(new VolumeStore({ ...p.components, settings, drives }));
    const chunks = [...reads].filter(([key]) => /[/]\d+-\d+$/.test(key));
    expect(chunks.length).toBeGreaterThan(0);
    expect(new Set(chunks.map(([, count]) => count))).toEqual(new Set([1]));
    await expectSame(world, before);
  });

  it('is kept while what replaces it is not whole', async () => {
    const { world, p, old } = await draining(7);
    // Moved, and then the new place is damaged before anybody has read it.
    const settings = { ...p.components.settings, trashGraceMs: 1000 };
    const { discards } = await repairStore(new VolumeStore({ ...p.components, settings }));
    expect(discards.kept.every(({ reason }) => reason.code === 'VOLUME_IN_GRACE')).toBe(true);
    const moved = (await placesIn(world)).find((place) => nameOf(place) === nameOf(old)) as PlantedPlace;
    await replace(world, moved, undefined);
    const kept = (await freeDiscards(p.volumes)).kept.filter(({ discard }) => discard.volume === old.volume.id);
    expect(kept.map(({ reason }) => reason.code)).toEqual(['OBJECTS_DAMAGED']);
  });

  it('is kept while what replaces it cannot be read, although nothing is known to be wrong with it', async () => {
    const { world, p, old } = await draining(7);
    const settings = { ...p.components.settings, trashGraceMs: 1000 };
    await repairStore(new VolumeStore({ ...p.components, settings }));
    const now = (await listVolumes(world.panda, 'c0')).find(({ id }) => id === old.volume.id);
    const silent = now?.extents[old.column]?.drive ?? -1;
    const drives = world.drives.map((drive, id) => {
      const faulty = new FaultyDrive(drive);
      if (id === silent) faulty.read = () => Promise.reject(driveUnavailable(`drive ${id}`, 'no answer'));
      return faulty;
    });
    const keptIn = async (of: VolumeStore): Promise<string[]> =>
      (await freeDiscards(of)).kept
        .filter(({ discard }) => discard.volume === old.volume.id)
        .map(({ reason }) => reason.code);
    expect(await keptIn(new VolumeStore({ ...p.components, drives }))).toEqual(['OBJECTS_DAMAGED']);
    expect(await keptIn(p.volumes)).toEqual([]);
  });

  it('whose new place is taken by something else: the claim is given back, and the next repair has another', async () => {
    const { world, p, before, old } = await draining(8);
    let taken = 0;
    const drives = world.drives.map((drive) => {
      const faulty = new FaultyDrive(drive);
      const append = faulty.append.bind(faulty);
      faulty.append = async (at, name, ...rest) => {
        taken += 1;
        if (taken === 1) await append(at, name, [Buffer.from('of another')]);
        await append(at, name, ...rest);
      };
      return faulty;
    });
    const store = new VolumeStore({ ...p.components, drives });
    const run = newRunId(p.components, 'repair');
    await expect(repairVolume(store, old.volume.id, run)).rejects.toMatchObject({ code: 'CHUNK_TAKEN' });
    const row = (await listVolumes(world.panda, 'c0')).find(({ id }) => id === old.volume.id);
    expect(row?.repair).toBeUndefined();
    expect(row?.extents).toEqual(old.volume.extents);
    expect(await repairStore(p.volumes)).toMatchObject({ lost: [], left: [] });
    await expectSame(world, before);
    await expectSound(p);
    expect(await listDiscards(p.volumes)).toEqual([]);
  });
});

describe('damaged objects', () => {
  it.each(CODECS)(
    'are made again: missing ones where they were, others on another drive (%s)',
    async (codec, drives) => {
      const made = await worldOf(8, codec, drives);
      await made.start().volumes.open.sealAll('hot');
      const before = await placesIn(made);
      const random = new SeededRandomness(8);
      for (const place of shuffled(before, random).slice(0, 4))
        for (const bytes of [
          undefined,
          flipped(place.bytes, random.below(place.bytes.length), 3),
          place.bytes.slice(0, -1),
        ]) {
          const world = made.clone();
          await replace(world, place, bytes);
          const p = world.start({ othersDead: true });
          const look = await lookAtVolume(p.volumes, place.volume, { read: true });
          await noteDamage(p.components, place.volume, look?.found ?? []);
          const report = await repairStore(p.volumes);
          expect(report, nameOf(place)).toMatchObject({ lost: [], left: [], columns: 1 });
          expect(report.discards.freedZones).toBe(bytes === undefined ? 0 : 1);
          await expectSame(world, before);
          await expectUndamaged(p);
          await expectSound(p);
        }
    },
  );
});

describe('damage that is noted while a repair is at work', () => {
  it('of a column that stays where it is: stays noted', async () => {
    const world = await worldOf(10, 'rs-6-3', 12);
    await world.start().volumes.open.sealAll('hot');
    const places = await placesIn(world);
    // A column of two objects.
    const isBeside = (one: PlantedPlace) => (another: PlantedPlace) =>
      another.volume.id === one.volume.id && another.column === one.column && another.name !== one.name;
    const gone = places.find((place) => places.some(isBeside(place))) as PlantedPlace;
    const other = places.find(isBeside(gone)) as PlantedPlace;
    await replace(world, gone, undefined);
    const p = world.start({ othersDead: true });
    const noteAll = async (): Promise<void> => {
      const look = await lookAtVolume(p.volumes, gone.volume, { read: true });
      await noteDamage(p.components, gone.volume, look?.found ?? []);
    };
    await noteAll();
    // The drives of the process that repairs stop at its first write, until the other object is rotten and noted.
    let isNoted = false;
    const drives = afterFirstWrite(world, async () => {
      isNoted = true;
      await replace(world, other, flipped(other.bytes, other.bytes.length - 1, 1));
      await noteAll();
    });
    await repairVolume(new VolumeStore({ ...p.components, drives }), gone.volume.id, newRunId(p.components, 'repair'));
    expect(isNoted).toBe(true);
    expect(await listDamage(p.components)).toEqual([
      expect.objectContaining({ volume: gone.volume.id, column: other.column, part: other.part }),
    ]);
    await repairStore(p.volumes);
    await expectSame(world, places);
    await expectUndamaged(p);
  });
});

describe('what cannot be made again', () => {
  it('is named, and what it had is kept', async () => {
    const world = await worldOf(9, 'xor-2-1', 6);
    await world.start().volumes.open.sealAll('hot');
    const warm = (await listVolumes(world.panda, 'c0')).find(
      (volume) => volume.class === 'warm' && volume.state === 'sealed',
    );
    const lost = warm?.extents.slice(0, 2).map(({ drive }) => drive) ?? [];
    for (const drive of lost) {
      await wipe(world, drive);
      await mark(world, drive, 'lost');
    }
    const p = world.start({ othersDead: true });
    const report = await repairStore(p.volumes);
    expect(report.lost.map(({ volume }) => volume)).toContain(warm?.id);
    const now = (await listVolumes(world.panda, 'c0')).find(({ id }) => id === warm?.id);
    // Of the first column nothing could be made: it is where it was. Of the second one its directories could.
    expect(now).toMatchObject({ state: 'sealed', revision: 1 });
    expect(now?.extents[0]).toEqual(warm?.extents[0]);
    expect(await listDiscards(p.volumes)).toMatchObject([{ ...warm?.extents[1], volume: warm?.id, column: 1 }]);
    for (const extent of warm?.extents ?? [])
      expect(zoneFromRow((await world.panda.get(zoneKey(extent.drive, extent.zone))) as never).state).toBe('used');
  });
});
