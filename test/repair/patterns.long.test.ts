// Every pattern of lost columns that a code survives comes back byte for byte, one pattern after the other; of those it
// does not survive each is named, and nothing is made up.
import { describe, expect, it } from 'vitest';
import type { CodecName } from '../../lib/codec/codec.ts';
import { codecOf } from '../../lib/codec/codecs.ts';
import { codecShape } from '../../lib/codec/shape.ts';
import { type Settings, settingsOf } from '../../lib/settings/settings.ts';
import { repairVolume, type VolumeRepaired } from '../../lib/volume/repair/repair-volume.ts';
import { listVolumes } from '../../lib/volume/rows/read-rows.ts';
import { newRunId } from '../../lib/volume/runs/runs.ts';
import type { World } from '../store/harness.ts';
import { LOOKED_AT, type PlantedPlace, placesIn, plantedWorld } from '../volume/planted.ts';
import { mark, wipe } from './drives.ts';

/** Of each code: how many patterns of so many lost columns there are, and how many of them it survives. */
const PATTERNS: Record<string, readonly (readonly [lost: number, all: number, survived: number])[]> = {
  'xor-2-1': [
    [1, 3, 3],
    [2, 3, 0],
  ],
  'replica-4': [
    [1, 4, 4],
    [2, 6, 6],
    [3, 4, 4],
    [4, 1, 0],
  ],
  'rs-6-3': [
    [1, 9, 9],
    [2, 36, 36],
    [3, 84, 84],
    [4, 126, 0],
  ],
  'lrc-12-2-2': [
    [1, 16, 16],
    [2, 120, 120],
    [3, 560, 560],
    [4, 1820, 1568],
  ],
};

function* subsets(of: number, count: number, from = 0): Generator<number[]> {
  if (count === 0) {
    yield [];
    return;
  }
  for (let i = from; i <= of - count; i++) for (const rest of subsets(of, count - 1, i + 1)) yield [i, ...rest];
}

interface Tried {
  readonly report: VolumeRepaired;
  readonly now: ReadonlyMap<string, Uint8Array>;
}

async function lose(made: World, volume: PlantedPlace['volume'], columns: readonly number[]): Promise<Tried> {
  const world = made.clone();
  for (const column of columns) {
    const drive = volume.extents[column]?.drive ?? -1;
    await wipe(world, drive);
    await mark(world, drive, 'lost');
  }
  const p = world.start({ othersDead: true });
  const report = await repairVolume(p.volumes, volume.id, newRunId(p.components, 'repair'));
  const places = (await placesIn(world)).filter((place) => place.volume.id === volume.id);
  return { report, now: new Map(places.map(({ column, name, bytes }) => [`${column}/${name}`, bytes])) };
}

describe.each(Object.keys(PATTERNS) as CodecName[])('%s', (codec) => {
  const { dataColumns, parityColumns } = codecShape(codec);
  const columns = dataColumns + parityColumns;
  const isHot = codec === 'replica-4';
  const warmCodec = (isHot ? 'xor-2-1' : codec) as Settings['warmCodec'];

  it.each(PATTERNS[codec] ?? [])(
    '%i lost columns: of %i patterns %i come back, byte for byte',
    async (count, all, survived) => {
      const made = await plantedWorld(
        31,
        settingsOf('demo', { ...LOOKED_AT, trashGraceMs: 0, warmCodec }),
        columns + 5,
      );
      await made.start().volumes.open.sealAll('hot');
      const volume = (await listVolumes(made.panda, 'c0')).find(
        (one) => one.codec === codec && one.state === 'sealed' && one.buckets.size > 0,
      );
      if (volume === undefined) throw new Error(`no volume of ${codec}`);
      const before = (await placesIn(made)).filter((place) => place.volume.id === volume.id);
      expect(before.length).toBeGreaterThanOrEqual(columns);
      let patterns = 0;
      let back = 0;
      for (const lost of subsets(columns, count)) {
        patterns += 1;
        const { report, now } = await lose(made, volume, lost);
        expect(report.skipped, `lost ${lost}`).toBeUndefined();
        const isSurvived = codecOf(codec).canReconstruct(lost);
        expect(report.left.length === 0, `lost ${lost}`).toBe(isSurvived);
        if (isSurvived) back += 1;
        for (const { column, name, bytes } of before) {
          const is = now.get(`${column}/${name}`);
          const where = `lost ${lost}: ${column}/${name}`;
          // What is not survived is missing where it was lost, and only there.
          if (is === undefined) expect(!isSurvived && lost.includes(column), where).toBe(true);
          else expect(Buffer.compare(is, bytes), where).toBe(0);
        }
        if (isSurvived) expect(now.size).toBe(before.length);
      }
      expect({ patterns, back }).toEqual({ patterns: all, back: survived });
    },
  );
});
