// What volumes of seeded damage survive, of every code, and how they are counted.
import { CODEC_NAMES, type CodecName } from '../../lib/codec/codec.ts';
import { codecShape } from '../../lib/codec/shape.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import {
  columnsOn,
  domainColumnsMax,
  packSpare,
  RedundancyCount,
  spareOf,
  volumeSpare,
} from '../../lib/volume/check/redundancy.ts';
import { SeededRows, textOf } from './seeded-rows.ts';

const shape = (codec: CodecName): number => codecShape(codec).dataColumns + codecShape(codec).parityColumns;

/** What volumes certainly survive, by what is known of them. */
export function spareLines(): string[] {
  const lines = CODEC_NAMES.map((codec) => {
    const columns = shape(codec);
    const one = Array.from({ length: columns }, (_, i) => spareOf(codec, [i]));
    const two = Array.from({ length: columns - 1 }, (_, i) => spareOf(codec, [i, i + 1]));
    const prefix = Array.from({ length: columns + 1 }, (_, n) => spareOf(codec, [...Array(n).keys()]));
    const packs = [0, 1, 2, 5].map((copies) => packSpare(codec, copies));
    return `spare ${codec}: ${spareOf(codec)} ${one} ${two} ${prefix}; packs ${packs}; ${domainColumnsMax(codec)}`;
  });
  const count = new RedundancyCount();
  for (let seed = 1; seed <= 40; seed++) {
    const rows = new SeededRows(new SeededRandomness(seed));
    const volume = rows.volume({ codec: rows.pick(['xor-2-1', 'rs-6-3', 'lrc-12-2-2', 'replica-4']) });
    const parts = [0, 1, 'pack', 7] as const;
    const damage = rows.list(rows.below(5), () => ({
      volume: rows.once(6) ? rows.volume().id : volume.id,
      generation: rows.once(6) ? 9 : volume.generation,
      column: rows.once(8) ? 40 : rows.below(shape(volume.codec)),
      part: rows.pick(parts),
    }));
    const away = new Set(rows.list(rows.below(3), () => rows.pick(volume.extents).drive));
    const spare = volumeSpare(volume, damage as unknown as Parameters<typeof volumeSpare>[1], away);
    lines.push(`spare ${seed} ${volume.codec}: ${spare}, on ${columnsOn(volume, away)}`);
    count.add(volume.codec, spare);
  }
  return [...lines, `redundancy: ${textOf(count.result)}`];
}
