// The text form of a row: every row comes back, equal rows are equal texts, and no damaged text becomes a row or an
// error of another kind.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PocketfulError } from '../../lib/foundation/errors.ts';
import { ROW_TEXT_CHARACTERS_MAX } from '../../lib/limits/panda.ts';
import type { Attribute, Attributes } from '../../lib/panda/panda.ts';
import { decodeAttributes, encodeAttributes } from '../../lib/panda/row-encoding.ts';

const text = fc.string({ unit: 'binary', maxLength: 20 });
const scalar = fc.oneof(text, fc.maxSafeInteger());
const attribute: fc.Arbitrary<Attribute> = fc.oneof(
  scalar,
  fc.uint8Array({ maxLength: 100 }),
  fc.array(scalar, { maxLength: 5 }),
  fc
    .uniqueArray(fc.string({ unit: 'binary', minLength: 1, maxLength: 9 }), { minLength: 1, maxLength: 5 })
    .map((all) => new Set(all)),
);
const name = fc
  .string({ unit: 'binary', minLength: 1, maxLength: 9 })
  .filter((n) => !['pk', 'sk', '__proto__'].includes(n));
const attributes: fc.Arbitrary<Attributes> = fc.dictionary(name, attribute, { maxKeys: 8, noNullPrototype: true });

const malformed = (of: string): void => {
  expect(() => decodeAttributes(of), of).toThrow(expect.objectContaining({ kind: 'corrupt', code: 'ROW_MALFORMED' }));
};

describe('the text form of a row', () => {
  it('brings every row back', () => {
    fc.assert(
      fc.property(attributes, (row) => {
        expect(decodeAttributes(encodeAttributes(row))).toStrictEqual(row);
      }),
    );
  });

  it('is the same for equal rows, in whatever order they were made', () => {
    fc.assert(
      fc.property(attributes, (row) => {
        const turned = Object.entries(row)
          .reverse()
          .map(([n, v]) => [n, v instanceof Set ? new Set([...v].reverse()) : v]);
        expect(encodeAttributes(Object.fromEntries(turned))).toBe(encodeAttributes(row));
      }),
    );
  });

  it('is as documented', () => {
    const row = {
      n: 1,
      b: new Uint8Array([1, 2, 3, 4]),
      s: new Set(['y', 'x']),
      t: 'é',
      l: [1, 'a'],
      none: new Set<string>(),
    };
    expect(encodeAttributes(row)).toBe('[1,{"b":{"b":"AQIDBA=="},"l":[1,"a"],"n":1,"s":{"s":["x","y"]},"t":"é"}]');
    expect(encodeAttributes({})).toBe('[1,{}]');
  });

  it('refuses what it has not written', () => {
    for (const not of [
      '',
      '[',
      'null',
      '1',
      '{}',
      '[]',
      '[1]',
      '[1,{},0]',
      '["1",{}]',
      '[2,{}]',
      '[1,[]]',
      '[1,null]',
      '[1,"x"]',
    ])
      malformed(not);
    for (const value of [
      '0.5',
      '1e300',
      '9007199254740992',
      'true',
      'null',
      '"\\ud800"',
      '{}',
      '[[]]',
      '[0.5]',
      '[null]',
    ])
      malformed(`[1,{"a":${value}}]`);
    for (const value of [
      '{"b":1}',
      '{"b":"A"}',
      '{"b":"A==="}',
      '{"b":"AQ!="}',
      '{"b":"AQ==","c":1}',
      '{"b":"AQ==","s":["x"]}',
    ])
      malformed(`[1,{"a":${value}}]`);
    for (const value of ['{"s":[]}', '{"s":[""]}', '{"s":[1]}', '{"s":["x","x"]}', '{"s":["\\ud800"]}', '{"s":"x"}'])
      malformed(`[1,{"a":${value}}]`);
    for (const bad of ['', 'pk', 'sk', '__proto__', '\\ud800', 'x'.repeat(256)]) malformed(`[1,{"${bad}":1}]`);
    malformed(`[1,{"a":"${'x'.repeat(ROW_TEXT_CHARACTERS_MAX)}"}]`);
    malformed(`[1,{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}]`);
  });

  it('makes of damaged text another row or ROW_MALFORMED, and nothing else', () => {
    const damage = fc.tuple(fc.nat(), fc.constantFrom('', '"', '{', ']', '0', '\\', 'x', ',', '\u0000'));
    fc.assert(
      fc.property(attributes, fc.array(damage, { minLength: 1, maxLength: 4 }), (row, hits) => {
        let damaged = encodeAttributes(row);
        for (const [at, by] of hits) {
          const index = at % damaged.length;
          damaged = damaged.slice(0, index) + by + damaged.slice(index + 1);
        }
        try {
          encodeAttributes(decodeAttributes(damaged));
        } catch (error) {
          expect(error).toBeInstanceOf(PocketfulError);
          expect(error).toMatchObject({ kind: 'corrupt', code: 'ROW_MALFORMED' });
        }
      }),
      { numRuns: 500 },
    );
  });
});
