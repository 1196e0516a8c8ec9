// How many more columns are certainly survived, against every way of losing them.
import { describe, expect, it } from 'vitest';
import { CODEC_NAMES } from '../../lib/codec/codec.ts';
import { codecOf } from '../../lib/codec/codecs.ts';
import { volumeId } from '../../lib/foundation/ids.ts';
import type { DamageRow } from '../../lib/panda/rows/damage-row.ts';
import type { VolumeRow } from '../../lib/panda/rows/volume-row.ts';
import { LOST, RedundancyCount, spareOf, volumeSpare } from '../../lib/volume/check/redundancy.ts';

type Codec = VolumeRow['codec'];
const volume = (codec: Codec, columns: number) => ({
  id: volumeId('00000000000000aa'),
  codec,
  generation: 2,
  extents: Array.from({ length: columns }, (_, drive) => ({ drive, zone: 1, zoneGeneration: 1 })),
  directoriesPending: false,
});
const damaged = (column: number, part: DamageRow['part'] = 4, generation = 2): DamageRow => ({
  volume: volumeId('00000000000000aa'),
  generation,
  column,
  part,
  kind: 'missing',
  sinceMs: 1,
  reason: 'CHUNK_MISSING',
});

describe('the spare', () => {
  it('of a whole group is what the code promises', () => {
    const promised = CODEC_NAMES.map((name) => [name, spareOf(name)]);
    expect(Object.fromEntries(promised)).toEqual({
      single: 0,
      'replica-4': 3,
      'rs-6-3': 3,
      'lrc-12-2-2': 3,
      'xor-2-1': 1,
      'xor-3-1': 1,
    });
  });

  it('of what is left is never more than every further loss allows, and one more is not always survived', () => {
    for (const name of ['lrc-12-2-2', 'rs-6-3', 'replica-4', 'xor-3-1'] as const) {
      const { dataColumns, parityColumns, canReconstruct } = codecOf(name);
      const columns = dataColumns + parityColumns;
      for (let mask = 0; mask < 2 ** columns; mask += name === 'lrc-12-2-2' ? 97 : 1) {
        const lost = Array.from({ length: columns }, (_, i) => i).filter((i) => (mask >> i) & 1);
        if (lost.length > parityColumns + 1) continue;
        const spare = spareOf(name, lost);
        expect(spare === LOST).toBe(!canReconstruct(lost));
        if (spare < 1) continue;
        for (let one = 0; one < columns; one++)
          if (!lost.includes(one)) expect(spareOf(name, [...lost, one])).toBeGreaterThanOrEqual(spare - 1);
      }
    }
  });

  it('of a volume counts drives that are away and damage of its generation, group by group', () => {
    const rs = volume('rs-6-3', 9);
    expect(volumeSpare(rs, [], new Set())).toBe(3);
    expect(volumeSpare(rs, [], new Set([0, 4, 8]))).toBe(0);
    expect(volumeSpare(rs, [], new Set([0, 4, 7, 8]))).toBe(LOST);
    // Four columns, but of different groups.
    expect(volumeSpare(rs, [damaged(0, 1), damaged(1, 2), damaged(2, 3), damaged(3, 4)], new Set())).toBe(2);
    expect(volumeSpare(rs, [damaged(0), damaged(1), damaged(2)], new Set([8]))).toBe(LOST);
    expect(volumeSpare(rs, [damaged(0, 4, 1), damaged(1, 4, 1)], new Set())).toBe(3);
    expect(volumeSpare(rs, [damaged(5, 'pack'), damaged(6, 'pack')], new Set())).toBe(1);
    expect(
      volumeSpare(
        rs,
        [5, 6, 7, 8].map((column) => damaged(column, 'pack')),
        new Set(),
      ),
    ).toBe(0);
    const pending = { ...rs, directoriesPending: true };
    expect(volumeSpare(pending, [damaged(5, 'pack'), damaged(6, 'pack')], new Set())).toBe(3);
  });

  it('of many volumes is counted by how much is left', () => {
    const count = new RedundancyCount();
    for (const spare of [3, 3, 2, 0, 0, LOST]) count.add('rs-6-3', spare);
    count.add('xor-2-1', 1);
    expect(count.result).toEqual({
      volumes: 7,
      full: 3,
      reduced: [
        { spare: 0, of: 3, volumes: 2 },
        { spare: 2, of: 3, volumes: 1 },
      ],
      lost: 1,
    });
  });
});
