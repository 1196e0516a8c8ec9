// The order of rows against the definition: comparing the UTF-8 bytes themselves.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { compareUtf8, lowerBound } from '../../lib/panda/sort-order.ts';

const unit = fc.constantFrom(
  'a',
  'b',
  '\u0000',
  'é',
  '\ud7ff',
  '\ue000',
  '\uffff',
  '\u{10000}',
  '\u{10FFFF}',
  '\u{1F600}',
);
const text = fc.oneof(fc.string({ unit, maxLength: 4 }), fc.string({ unit: 'binary', maxLength: 4 }));
const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

it('is the order of UTF-8 bytes', () => {
  fc.assert(
    fc.property(text, text, (a, b) => {
      expect(Math.sign(compareUtf8(a, b))).toBe(byBytes(a, b));
    }),
    { numRuns: 2000 },
  );
});

it('finds the first key that is not below', () => {
  fc.assert(
    fc.property(fc.uniqueArray(text), text, (all, key) => {
      const sorted = [...all].sort(byBytes);
      const first = sorted.findIndex((one) => byBytes(one, key) >= 0);
      expect(lowerBound(sorted, key)).toBe(first < 0 ? sorted.length : first);
    }),
  );
});
