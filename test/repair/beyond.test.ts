// What even all that is left cannot give back: everything else of the volume is made whole, what is lost is noted, and
// it is there again once a drive that has it is back.
import { describe, expect, it } from 'vitest';
import { changeDrive } from '../../lib/engine/drives/change-drive.ts';
import { type Settings, settingsOf } from '../../lib/settings/settings.ts';
import { lookAtVolume } from '../../lib/volume/check/look.ts';
import { planRepair, repairStore } from '../../lib/volume/repair/repair-store.ts';
import { listDiscards } from '../../lib/volume/repair/replaced-extents.ts';
import { listDamage, noteDamage } from '../../lib/volume/rows/damage.ts';
import { listVolumes } from '../../lib/volume/rows/read-rows.ts';
import type { World } from '../store/harness.ts';
import { expectSound } from '../store/recount.ts';
import { expectUndamaged } from '../store/undamaged.ts';
import { flipped, LOOKED_AT, type PlantedPlace, placesIn, plantedWorld, replace } from '../volume/planted.ts';
import { bringBack, mark, wipe } from './drives.ts';

const KIB = 1024;
const CODECS: readonly (readonly [Settings['warmCodec'], drives: number, lost: number])[] = [
  ['xor-2-1', 6, 1],
  ['rs-6-3', 15, 3],
];

interface Made {
  readonly world: World;
  readonly before: readonly PlantedPlace[];
  /** Of a volume of the warm codec: chunks of its groups, one on each column. */
  readonly places: readonly PlantedPlace[];
}

async function made(warmCodec: Settings['warmCodec'], drives: number): Promise<Made> {
  const groupBytesMin = warmCodec === 'xor-2-1' ? 8 * KIB : 24 * KIB;
  const settings = settingsOf('demo', { ...LOOKED_AT, groupBytesMin, trashGraceMs: 0, warmCodec });
  const world = await plantedWorld(5, settings, drives);
  await world.start().volumes.open.sealAll('hot');
  const before = await placesIn(world);
  const warm = before.filter(({ volume, part }) => volume.codec === warmCodec && typeof part === 'number');
  const { volume } = warm[0] as PlantedPlace;
  return { world, before, places: warm.filter((place) => place.volume.id === volume.id) };
}

const nameOf = ({ volume, column, name }: PlantedPlace): string => `${volume.id}/${column}/${name}`;
const partOf = ({ column, part }: { readonly column: number; readonly part: PlantedPlace['part'] }): string =>
  `${column}/${part}`;

/** Those that are not as they were. */
async function changedSince(world: World, before: readonly PlantedPlace[]): Promise<string[]> {
  const now = new Map((await placesIn(world)).map((place) => [nameOf(place), place.bytes]));
  return before
    .filter((place) => Buffer.compare(now.get(nameOf(place)) ?? Buffer.alloc(0), place.bytes) !== 0)
    .map(partOf)
    .sort();
}

describe.each(CODECS)('more than %s survives', (codec, drives, losses) => {
  it.each(['missing', 'rotten'] as const)(
    'of one group, whose last column is %s: the others are whole, and it is once a drive is back',
    async (how) => {
      const { world: kept, before, places } = await made(codec, drives);
      const world = kept.clone();
      // The first columns go with their drives, and of the next one a single chunk: that of the group that is lost.
      const bad = places.find(({ column }) => column === losses) as PlantedPlace;
      const { volume, part } = bad;
      const lost = volume.extents.slice(0, losses).map(({ drive }) => drive);
      for (const drive of lost) {
        await wipe(world, drive);
        await mark(world, drive, 'lost');
      }
      await replace(world, bad, how === 'missing' ? undefined : flipped(bad.bytes, 300, 2));
      const gone = places
        .filter((place) => place.part === part && place.column <= losses)
        .map(partOf)
        .sort();
      expect(gone).toHaveLength(losses + 1);
      expect(new Set(places.map((place) => place.part)).size).toBeGreaterThan(1);
      const p = world.start({ othersDead: true });
      const look = await lookAtVolume(p.volumes, volume, { read: true });
      await noteDamage(p.components, volume, look?.found ?? []);

      const first = await repairStore(p.volumes);
      expect(first.lost.flatMap(({ left }) => left.map(partOf)).sort()).toEqual(gone);
      expect(await changedSince(world, before)).toEqual(gone);
      const now = (await listVolumes(world.panda, 'c0')).find(({ id }) => id === volume.id);
      expect(now?.extents.slice(0, losses).some(({ drive }) => lost.includes(drive))).toBe(false);
      // What is rotten in a part is sound in others: it is kept where it can be read.
      expect(now?.extents[losses]).toEqual(volume.extents[losses]);
      expect((await listDamage(p.components)).map(partOf)).toEqual(gone);
      const after = await lookAtVolume(p.volumes, now ?? volume, { read: true });
      expect(after).toMatchObject({ lostParts: [part], spare: -1 });
      const waiting = await listDiscards(p.volumes);
      expect(
        waiting
          .filter((discard) => discard.volume === volume.id)
          .map(({ drive }) => drive)
          .sort(),
      ).toEqual(lost.toSorted());
      await expectSound(p, lost);

      // Again and again it comes to the same.
      const second = await repairStore(world.start({ othersDead: true }).volumes);
      expect(second).toMatchObject({ writtenBytes: 0, columns: 0 });
      expect(second.lost.flatMap(({ left }) => left.map(partOf)).sort()).toEqual(gone);
      expect(await listDiscards(p.volumes)).toEqual(waiting);

      const [back = -1] = lost;
      await bringBack(world, kept, back);
      await changeDrive(p.volumes, back, { state: 'active' });
      expect(await repairStore(p.volumes)).toMatchObject({ lost: [], left: [] });
      expect(await changedSince(world, before)).toEqual([]);
      expect(await listDamage(p.components)).toEqual([]);
      expect(await listDiscards(p.volumes)).toEqual([]);
      expect((await planRepair(p.volumes)).repairs).toEqual([]);
      await expectUndamaged(p);
      await expectSound(p, lost);
    },
  );
});
