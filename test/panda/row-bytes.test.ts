// The bytes of a row: every row comes back, equal rows are equal bytes, and no damaged bytes become a row or an error of another kind.
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PocketfulError } from '../../lib/foundation/errors.ts';
import type { Attribute, Attributes } from '../../lib/panda/panda.ts';
import { attributesOfBytes } from '../../lib/panda/sqlite/read-row-bytes.ts';
import { rowBytesOf } from '../../lib/panda/sqlite/row-bytes.ts';

const KEY = { partition: 'block/0a', sort: '0abc' };
const hex = fc.uint8Array({ minLength: 1, maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('hex'));
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  hex,
  hex.map((digits) => digits.toUpperCase()),
);
const scalar = fc.oneof(text, fc.maxSafeInteger());
const attribute: fc.Arbitrary<Attribute> = fc.oneof(
  scalar,
  fc.uint8Array({ maxLength: 300 }),
  fc.array(scalar, { maxLength: 5 }),
  fc
    .uniqueArray(fc.string({ unit: 'binary', minLength: 1, maxLength: 9 }), { minLength: 1, maxLength: 5 })
    .map((all) => new Set(all)),
);
const name = fc
  .string({ unit: 'binary', minLength: 1, maxLength: 60 })
  .filter((n) => !['pk', 'sk', '__proto__'].includes(n));
const attributes: fc.Arbitrary<Attributes> = fc.dictionary(name, attribute, { maxKeys: 8, noNullPrototype: true });

const MALFORMED = { kind: 'corrupt', code: 'ROW_MALFORMED' };
/** Bytes under a right checksum, as a forger would make them. */
function sealed(body: readonly number[]): Uint8Array {
  const bytes = Buffer.alloc(body.length + 4);
  bytes.set(body);
  bytes.writeUInt32LE(crc32(Buffer.from(body), crc32(`${KEY.partition}\0${KEY.sort}\0`)), body.length);
  return bytes;
}
const refused = (bytes: Uint8Array): void => {
  expect(() => attributesOfBytes(KEY, bytes), Buffer.from(bytes).toString('hex')).toThrow(
    expect.objectContaining(MALFORMED),
  );
};

describe('the bytes of a row', () => {
  it('bring every row back', () => {
    fc.assert(
      fc.property(attributes, (row) => {
        // As entries: an attribute called `constructor` would be taken for the class of the object.
        expect(Object.entries(attributesOfBytes(KEY, rowBytesOf(KEY, row))).sort()).toStrictEqual(
          Object.entries(row).sort(),
        );
      }),
    );
  });

  it('are the same for equal rows, in whatever order they were made', () => {
    fc.assert(
      fc.property(attributes, (row) => {
        const turned = Object.entries(row)
          .reverse()
          .map(([n, v]) => [n, v instanceof Set ? new Set([...v].reverse()) : v]);
        expect(rowBytesOf(KEY, Object.fromEntries(turned))).toEqual(rowBytesOf(KEY, row));
      }),
    );
  });

  it('are as documented', () => {
    const row = {
      n: 300,
      m: -2,
      b: new Uint8Array([1, 2, 3, 4]),
      s: new Set(['y', 'x']),
      t: 'é',
      l: [1, 'a'],
      h: '0123456789abcdef',
      none: new Set<string>(),
    };
    const body = [
      '02',
      '6162' + '0401020304',
      'c168' + '080123456789abcdef',
      '816c' + '02' + '0101' + '000161',
      '416d' + '02',
      '216e' + 'ac02',
      'a173' + '02' + '0178' + '0179',
      '0174' + '02c3a9',
    ].join('');
    const bytes = rowBytesOf(KEY, row);
    expect(Buffer.from(bytes.subarray(0, -4)).toString('hex')).toBe(body);
    expect(bytes).toEqual(new Uint8Array(sealed([...Buffer.from(body, 'hex')])));
    expect(Buffer.from(rowBytesOf(KEY, {}).subarray(0, -4)).toString('hex')).toBe('02');
  });

  it('belong to their key', () => {
    const bytes = rowBytesOf(KEY, { n: 1 });
    for (const other of [
      { ...KEY, sort: '0abd' },
      { ...KEY, partition: 'block/0b' },
      { partition: 'block/0a0', sort: 'abc' },
    ])
      expect(() => attributesOfBytes(other, bytes)).toThrow(expect.objectContaining(MALFORMED));
  });

  it('with any one bit flipped are refused', () => {
    const bytes = rowBytesOf(KEY, { b: new Uint8Array(60).fill(7), l: ['00112233445566', 5], n: 12, s: 'live' });
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Uint8Array.from(bytes);
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
      refused(flipped);
    }
    for (let length = 0; length < bytes.length; length++) refused(bytes.subarray(0, length));
  });

  it('that nobody wrote are refused, however sound their checksum', () => {
    const a = 0x61;
    for (const body of [
      [],
      [1],
      [3],
      [2, 0x20], // no name
      [2, 0x21], // ends in the name
      [2, 0x21, a], // ends before the value
      [2, 0xe1, a, 0], // no such tag
      [2, 0x21, a, 0x80], // ends in a number
      [2, 0x21, a, ...Array.from({ length: 8 }, () => 0xff), 1], // too large
      [2, 0x61, a, 5, 1], // more bytes than there are
      [2, 0x81, a, 200, 1], // more items than there are
      [2, 0x81, a, 1, 3, 0], // bytes in a list
      [2, 0xa1, a, 0], // an empty set
      [2, 0xa1, a, 2, 1, a, 1, a], // a member twice
      [2, 0xa1, a, 1, 0], // an empty member
      [2, 0x01, a, 1, 0xff], // no UTF-8
      [2, 0x01, a, 3, 0xed, 0xa0, 0x80], // half a surrogate pair
      [2, 0x21, 0x62, 1, 0x21, a, 1], // names that descend
      [2, 0x21, a, 1, 0x21, a, 1], // a name twice
      [2, 0x22, 0x70, 0x6b, 1], // pk
    ])
      refused(sealed(body));
  });

  it('of any kind give a row or ROW_MALFORMED, and nothing else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (body) => {
        try {
          rowBytesOf(KEY, attributesOfBytes(KEY, sealed([2, ...body])));
        } catch (error) {
          expect(error).toBeInstanceOf(PocketfulError);
          expect(error).toMatchObject(MALFORMED);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
