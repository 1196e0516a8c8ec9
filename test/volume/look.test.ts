// What a look at a volume finds: every kind of damage in every part of every object that must exist, and what a listing alone can tell.
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { collectGarbage } from '../../lib/gc/collect-garbage.ts';
import type { VolumeRow } from '../../lib/panda/rows/volume-row.ts';
import { type Settings, settingsOf } from '../../lib/settings/settings.ts';
import { lookAtVolume } from '../../lib/volume/check/look.ts';
import type { LookOptions } from '../../lib/volume/check/part-look.ts';
import { LOST } from '../../lib/volume/check/redundancy.ts';
import { noteDamage } from '../../lib/volume/rows/damage.ts';
import type { World } from '../store/harness.ts';
import { toOldForm } from '../store/old-form.ts';
import { type LookedAt, looksAt } from '../store/undamaged.ts';
import { boundsOf, flipped, LOOKED_AT, type PlantedPlace, placesIn, plantedWorld, replace } from './planted.ts';
import { ReadingWorld, type Stored } from './reading-world.ts';

const CODECS: readonly (readonly [Settings['warmCodec'], number])[] = [
  ['lrc-12-2-2', 16],
  ['rs-6-3', 9],
  ['xor-2-1', 4],
];
const worldOf = (seed: number, warmCodec: Settings['warmCodec'], drives: number): Promise<World> =>
  plantedWorld(seed, settingsOf('demo', { ...LOOKED_AT, warmCodec }), drives);

const kindAt = (looks: readonly LookedAt[], { volume, column, part }: PlantedPlace): string | undefined =>
  looks
    .flatMap(({ damage }) => damage)
    .find((one) => one.volume === volume.id && one.column === column && one.part === part)?.kind;

/** Every place with something planted, one after the other, in a copy of the world. */
async function plantedKinds(
  world: World,
  places: readonly PlantedPlace[],
  changed: (place: PlantedPlace) => Uint8Array | undefined,
  read: boolean,
): Promise<(string | undefined)[]> {
  const kinds: (string | undefined)[] = [];
  for (const place of places) {
    const copy = world.clone();
    await replace(copy, place, changed(place));
    const looks = await looksAt(copy.start(), read, place.volume.id);
    expect(looks.flatMap(({ damage }) => damage)).toHaveLength(kindAt(looks, place) === undefined ? 0 : 1);
    kinds.push(kindAt(looks, place));
  }
  return kinds;
}

/** One of each class: data, local and global parity or copies, packs; of a hot and of a warm volume. */
function samplesOf(places: readonly PlantedPlace[]): PlantedPlace[] {
  const seen = new Set<string>();
  return places.filter(({ volume, column, part }) => {
    const text = `${volume.codec} ${typeof part === 'number' ? Math.floor(column / 2) : part}`;
    if (seen.has(text)) return false;
    seen.add(text);
    return true;
  });
}

describe.each(CODECS)('of %s beside replica-4, read whole,', (codec, drives) => {
  it('a flipped bit is found in every part of a chunk and of a pack', async () => {
    const world = await worldOf(21, codec, drives);
    const random = new SeededRandomness(22);
    for (const place of samplesOf(await placesIn(world)).slice(0, 6)) {
      const bounds = boundsOf(place);
      for (const [i, from] of bounds.slice(0, -1).entries()) {
        const at = from + random.below(Math.max(1, (bounds[i + 1] as number) - from));
        const bytes = flipped(place.bytes, at, random.below(8));
        const [kind] = await plantedKinds(world, [place], () => bytes, true);
        expect(kind, `byte ${at} of ${place.name} in column ${place.column}`).toBe('wrong');
      }
    }
  });

  it('what is cut, zeroed, longer, deleted or of elsewhere is found, each as what it is', async () => {
    const world = await worldOf(31, codec, drives);
    const places = samplesOf(await placesIn(world));
    const all = (kind: string) => places.map(() => kind);
    expect(await plantedKinds(world, places, () => undefined, true)).toEqual(all('missing'));
    for (const left of [0, 40, 100])
      expect(await plantedKinds(world, places, ({ bytes }) => bytes.slice(0, left), true)).toEqual(all('short'));
    const cut = ({ bytes }: PlantedPlace): Uint8Array => bytes.slice(0, -1);
    expect(await plantedKinds(world, places, cut, true)).toEqual(all('short'));
    const longer = ({ bytes }: PlantedPlace): Uint8Array => new Uint8Array([...bytes, 0]);
    expect(await plantedKinds(world, places, longer, true)).toEqual(all('wrong'));
    const zeroed = ({ bytes }: PlantedPlace): Uint8Array => new Uint8Array(bytes.length);
    expect(await plantedKinds(world, places, zeroed, true)).toEqual(all('wrong'));
    // Another store's object of the same place, and one of a neighbouring column.
    const others = await placesIn(await worldOf(41, codec, drives));
    const foreign = ({ volume, part, column }: PlantedPlace): Uint8Array =>
      others.find((o) => o.volume.codec === volume.codec && typeof o.part === typeof part && o.column === column)
        ?.bytes as Uint8Array;
    expect(await plantedKinds(world, places, foreign, true)).toEqual(all('foreign'));
    const chunks = places.filter(({ part }) => part !== 'pack');
    const all0 = await placesIn(world);
    const neighbour = ({ volume, name, column }: PlantedPlace): Uint8Array =>
      all0.find((o) => o.volume.id === volume.id && o.name === name && o.column !== column)?.bytes as Uint8Array;
    expect(await plantedKinds(world, chunks, neighbour, true)).toEqual(chunks.map(() => 'foreign'));
  });

  it('listings alone tell what is gone, cut by a byte, or longer', async () => {
    const world = await worldOf(51, codec, drives);
    const places = samplesOf(await placesIn(world));
    const all = (kind: string) => places.map(() => kind);
    expect(await plantedKinds(world, places, () => undefined, false)).toEqual(all('missing'));
    expect(await plantedKinds(world, places, ({ bytes }) => bytes.slice(0, -1), false)).toEqual(all('short'));
    const longer = ({ bytes }: PlantedPlace): Uint8Array => new Uint8Array([...bytes, 7]);
    expect(await plantedKinds(world, places, longer, false)).toEqual(all('wrong'));
  });
});

/** The same but for the append id in its header, as the same append of another copy of the store would have it. */
function ofAnother({ bytes }: PlantedPlace): Uint8Array {
  const other = flipped(bytes, 40, 1);
  Buffer.from(other.buffer).writeUInt32LE(crc32(other.subarray(0, 252)), 252);
  return other;
}

describe('a look', () => {
  it.each(['wrong', 'foreign'] as const)(
    'that only lists leaves noted what reading had found to be %s',
    async (kind) => {
      const world = await worldOf(65, 'rs-6-3', 9);
      const places = await placesIn(world);
      const chunk = places.find(
        ({ volume, part }) => volume.class === 'hot' && typeof part === 'number',
      ) as PlantedPlace;
      await replace(
        world,
        chunk,
        kind === 'wrong' ? flipped(chunk.bytes, chunk.bytes.length - 1, 1) : ofAnother(chunk),
      );
      const p = world.start();
      const [read] = await looksAt(p, true, chunk.volume.id);
      expect(read?.found).toMatchObject([{ column: chunk.column, kind }]);
      await noteDamage(p.components, chunk.volume, read?.found ?? []);
      const [listed] = await looksAt(p, false, chunk.volume.id);
      expect(listed).toMatchObject({ damage: [{ column: chunk.column, kind }], healed: [], found: [] });
      // A look that reads it refutes it once it is as it must be.
      await replace(world, chunk, chunk.bytes);
      const [again] = await looksAt(p, true, chunk.volume.id);
      expect(again).toMatchObject({ damage: [], healed: [{ column: chunk.column }] });
    },
  );

  it('holds chunks of a group against each other: one of a copy of the store that went its own way is foreign', async () => {
    const world = await worldOf(61, 'rs-6-3', 9);
    const places = await placesIn(world);
    const chunk = places.find(({ volume, part }) => volume.class === 'hot' && typeof part === 'number') as PlantedPlace;
    expect(await plantedKinds(world, [chunk], ofAnother, true)).toEqual(['foreign']);
  });

  it('counts what is named by nothing, and calls it no damage', async () => {
    const world = await worldOf(71, 'rs-6-3', 9);
    const [place] = await placesIn(world);
    const { drive, zone, zoneGeneration } = (place as PlantedPlace).volume.extents[0] as {
      drive: number;
      zone: number;
      zoneGeneration: number;
    };
    await world.drives[drive]?.append({ zone, generation: zoneGeneration }, '99-99', [new Uint8Array(10)]);
    const looks = await looksAt(world.start(), true);
    expect(looks.flatMap(({ damage }) => damage)).toEqual([]);
    expect(looks.map(({ strays }) => strays.objects).reduce((a, b) => a + b)).toBe(1);
  });

  it('finds damaged directories of store format 1, and a column without them', async () => {
    const world = await worldOf(81, 'xor-2-1', 4);
    await toOldForm(world);
    const places = (await placesIn(world)).filter(({ name }) => name.startsWith('dir-'));
    expect(places.length).toBeGreaterThan(4);
    for (const place of places.slice(0, 4)) {
      expect(await plantedKinds(world, [place], () => undefined, false)).toEqual(['missing']);
      expect(await plantedKinds(world, [place], ({ bytes }) => flipped(bytes, 70, 3), true)).toEqual(['wrong']);
    }
  });
});

describe('a volume beyond its code', () => {
  it.each([false, true])('is lost as long as something in it is alive (all deleted: %s)', async (isDeleted) => {
    const world = await worldOf(21, 'xor-2-1', 4);
    const p = world.start();
    if (isDeleted) {
      const { objects } = await p.frontend.list({ namespace: 'default' });
      for await (const { ok } of p.frontend.deleteAll(objects.map(({ key }) => ({ namespace: 'default', key }))))
        expect(ok).toBe(true);
      world.clock.advance(world.settings.deleteGraceMs + 1);
      await collectGarbage(p.components);
    }
    const warm = (await looksAt(p, false)).find(({ volume }) => volume.codec === 'xor-2-1')?.volume as VolumeRow;
    expect(warm.buckets.size).toBeGreaterThan(0);
    for (const { drive, zone, zoneGeneration } of warm.extents.slice(0, 2))
      await world.drives[drive]?.erase({ zone, generation: zoneGeneration });
    const [look] = await looksAt(world.start(), true, warm.id);
    expect(look?.damage.length).toBeGreaterThan(0);
    expect({ isLost: look?.spare === LOST, parts: (look?.lostParts.length ?? 0) > 0 }).toEqual({
      isLost: !isDeleted,
      parts: !isDeleted,
    });
  });
});

describe('a look that may stop', () => {
  it('does so behind a group that is not the last, and the next one goes on from there', async () => {
    const world = new ReadingWorld({ warm: 'xor-2-1' });
    const stored: Stored[] = [];
    for (const bytes of [300, 500, 700]) stored.push(...(await world.append([bytes])));
    const volume = await world.volumeOf(stored[0] as Stored);
    const look = (options: LookOptions) => lookAtVolume(world.store, volume, { read: true, ...options });
    const chunks = () => [...new Set(world.reads.map((detail) => detail.split('/').at(-1)))].length;
    world.reads = [];
    expect(await look({})).toMatchObject({ cutAfterSeq: undefined, unread: 0 });
    expect(chunks()).toBe(3);
    const [first, second, third] = stored.map(({ hint }) => hint.seq);
    expect(await look({ isOver: () => true })).toMatchObject({ cutAfterSeq: first });
    expect(await look({ isOver: () => true, afterSeq: first as number })).toMatchObject({ cutAfterSeq: second });
    expect(await look({ isOver: () => true, afterSeq: second as number })).toMatchObject({ cutAfterSeq: undefined });
    expect(await look({ isOver: () => true, afterSeq: third as number })).toMatchObject({ cutAfterSeq: undefined });
    let asked = 0;
    expect(await look({ isOver: () => ++asked === 2 })).toMatchObject({ cutAfterSeq: second });
  });
});
