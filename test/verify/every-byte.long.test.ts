// Every byte of every object of a small store is changed, one at a time, in one bit that a seed draws: the scrubber names exactly that object,
// and takes it back once the byte is right again.
import { describe, expect, it } from 'vitest';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { type Settings, settingsOf } from '../../lib/settings/settings.ts';
import { Findings } from '../../lib/verify/findings.ts';
import { type ScrubReport, scrub } from '../../lib/verify/scrub.ts';
import { listDamage } from '../../lib/volume/rows/damage.ts';
import type { World } from '../store/harness.ts';
import { flipped, LOOKED_AT, type PlantedPlace, placesIn, plantedWorld, replace } from '../volume/planted.ts';

async function pass(world: World, place: PlantedPlace): Promise<ScrubReport> {
  world.clock.advance(1);
  const allSinceMs = world.clock.nowMs();
  const volumes = new Set([place.volume.id]);
  return scrub(world.start().volumes, { findings: new Findings(), away: new Set(), volumes, allSinceMs });
}

describe.each([
  ['rs-6-3', 9, 51],
  ['xor-2-1', 4, 52],
  ['lrc-12-2-2', 16, 53],
] as const)('a scrub of %s', (warmCodec, drives, seed) => {
  it(`finds every byte that is not what was written (seed ${seed})`, async () => {
    const settings: Partial<Settings> = { ...LOOKED_AT, warmCodec };
    const world = await plantedWorld(seed, settingsOf('demo', settings), drives, { files: 3, bytesMax: 90 });
    const random = new SeededRandomness(seed);
    const places = await placesIn(world);
    expect(places.some(({ part }) => part === 'pack')).toBe(true);
    let bytes = 0;
    for (const place of places) {
      for (let at = 0; at < place.bytes.length; at++) {
        await replace(world, place, flipped(place.bytes, at, random.below(8)));
        const { damage, moreDamage } = await pass(world, place);
        const what = `byte ${at} of ${place.name} in column ${place.column} of a volume of ${place.volume.codec}`;
        expect(damage, what).toEqual([
          expect.objectContaining({ volume: place.volume.id, column: place.column, part: place.part }),
        ]);
        expect(moreDamage).toBe(0);
        bytes += 1;
      }
      await replace(world, place, place.bytes);
      expect(await pass(world, place)).toMatchObject({ damage: [], moreDamage: 0 });
    }
    expect(bytes).toBe(places.reduce((sum, place) => sum + place.bytes.length, 0));
    expect(await listDamage(world.start().components)).toEqual([]);
  });
});
