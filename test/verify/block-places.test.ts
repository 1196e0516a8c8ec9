// What the index scanner makes of a block's row, without making a row of it: the same facts, or none.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesOf } from '../../lib/foundation/ids.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { BlockPlace } from '../../lib/panda/rows/block/block-place.ts';
import { type BlockRow, blockFromRow } from '../../lib/panda/rows/block-row.ts';
import { halvesOf, IdNumbers } from '../../lib/verify/id-numbers.ts';
import { blocksOf, rowOf } from '../panda/block-arbitraries.ts';

const blocks = blocksOf({
  cell: fc.constantFrom('c0', 'c1', 'c00'),
  refs: fc.integer({ min: 1, max: 5 }),
  kekVersion: fc.nat(9),
});

function factsOf({ cell, bucket, slot, recordId, recordBytes, hint }: BlockRow): object {
  const [bucketHigh, bucketLow] = halvesOf(bucket);
  const [volumeHigh, volumeLow] = halvesOf(hint.volume);
  const { volume, ...place } = hint;
  const recordHead = Number.parseInt(recordId.slice(0, 8), 16);
  return {
    isOfCell: cell === 'c0',
    bucketHigh,
    bucketLow,
    slot,
    recordHead,
    recordBytes,
    volumeHigh,
    volumeLow,
    ...place,
  };
}

describe('the place of a block', () => {
  it('is what its row says', () => {
    const place = new BlockPlace('c0');
    fc.assert(
      fc.property(blocks, (block) => {
        expect(place.read(rowOf(block))).toBe(true);
        expect({ ...place }).toEqual(factsOf(block));
      }),
    );
  });

  it('is not read from what is no row of a block', () => {
    const place = new BlockPlace('c0');
    const isRefused = (read: () => unknown): boolean => {
      try {
        read();
        return false;
      } catch {
        return true;
      }
    };
    fc.assert(
      fc.property(blocks, fc.constantFrom('d', 'p', 'r'), fc.nat(60), fc.nat(255), (block, name, at, byte) => {
        const row = rowOf(block);
        const bytes = new Uint8Array(row.attributes[name] as Uint8Array);
        for (const spoilt of [
          bytes.subarray(0, at),
          Buffer.concat([bytes, Buffer.from([byte])]),
          bytes.with(at % bytes.length, byte),
        ]) {
          const other = { ...row, attributes: { ...row.attributes, [name]: spoilt } };
          if (isRefused(() => blockFromRow(other))) expect(place.read(other)).toBe(false);
          else if (place.read(other)) expect({ ...place }).toEqual(factsOf(blockFromRow(other)));
        }
      }),
      { numRuns: 500 },
    );
    const some = fc.sample(blocks, { numRuns: 1, seed: 3 })[0] as BlockRow;
    expect(place.read({ ...rowOf(some), sort: 'ab' })).toBe(false);
    expect(place.read({ ...rowOf(some), attributes: { r: bytesOf('00'.repeat(16)), b: 'x', n: 1 } })).toBe(false);
  });
});

describe('numbers of ids', () => {
  it('count up, and are found again, however many there are', () => {
    const random = new SeededRandomness(1);
    const numbers = new IdNumbers();
    const known = new Map<string, number>();
    for (let i = 0; i < 20_000; i++) {
      const id = Buffer.from(random.bytes(8)).toString('hex');
      const generation = random.below(3);
      const name = `${id}/${generation}`;
      expect(numbers.find(...halvesOf(id), generation)).toBe(known.get(name));
      const number = numbers.of(...halvesOf(id), generation);
      expect(number).toBe(known.get(name) ?? known.size);
      known.set(name, number);
    }
    // The same place of the table for many: ids that differ in their generation or a high bit only.
    for (let i = 0; i < 2000; i++) numbers.of(0x8000_0000 + (i << 16), 7, i % 5);
    for (const [name, number] of known) {
      const [id = '', generation] = name.split('/');
      expect(numbers.find(...halvesOf(id), Number(generation))).toBe(number);
      expect(numbers.idOf(number)).toBe(id);
    }
  });
});
