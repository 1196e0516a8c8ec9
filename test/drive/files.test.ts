// The bytes of a file, in writes of a bounded length, and what is left of one that was cut short.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { restOf, writesOf } from '../../lib/drive/files.ts';

const partsOf = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 12 });

describe('the writes of a file', () => {
  it('are its bytes, each as long as it may be but the last', () => {
    fc.assert(
      fc.property(partsOf, fc.integer({ min: 1, max: 50 }), (parts, bytesMax) => {
        const writes = [...writesOf(parts, bytesMax)].map((together) => Buffer.concat(together));
        expect(Buffer.concat(writes)).toEqual(Buffer.concat(parts));
        for (const [i, { length }] of writes.entries())
          if (i < writes.length - 1) expect(length).toBe(bytesMax);
          else expect(length > 0 && length <= bytesMax).toBe(true);
      }),
    );
  });

  it('have no empty part, and are none of nothing', () => {
    fc.assert(
      fc.property(partsOf, fc.integer({ min: 1, max: 50 }), (parts, bytesMax) => {
        for (const together of writesOf(parts, bytesMax)) expect(together.every(({ length }) => length > 0)).toBe(true);
      }),
    );
    expect([...writesOf([], 10)]).toEqual([]);
    expect([...writesOf([new Uint8Array(0)], 10)]).toEqual([]);
  });

  it('go on behind what was written of one', () => {
    fc.assert(
      fc.property(partsOf, fc.nat({ max: 500 }), (parts, bytes) => {
        const all = Buffer.concat(parts);
        const written = Math.min(bytes, all.length);
        expect(Buffer.concat(restOf(parts, written))).toEqual(all.subarray(written));
        expect(restOf(parts, all.length)).toEqual([]);
      }),
    );
  });
});
