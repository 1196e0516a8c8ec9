// The SIMD kernel and its plain twin give the same bytes: every encode, every decodable pattern, and any mix of lengths,
// alignments and places. That both are right is known-answers.test.ts and roundtrip.test.ts.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parityBytes } from '../../lib/codec/codec.ts';
import { codecOf, createCodec } from '../../lib/codec/codecs.ts';
import { linearCodeOf } from '../../lib/codec/codes.ts';
import { arenaBytes, columnView, createArena } from '../../lib/codec/column-arena.ts';
import { createPlainKernel } from '../../lib/codec/kernel/plain-kernel.ts';
import { compileProgram } from '../../lib/codec/kernel/simd-compiler.ts';
import { createSimdKernel, hasSimd } from '../../lib/codec/kernel/simd-kernel.ts';
import { encodeProgram } from '../../lib/codec/planner.ts';
import { misaligned, patterns, randomColumns, sameBytes } from './reference.ts';

const LINEAR = ['rs-6-3', 'lrc-12-2-2', 'xor-2-1', 'xor-3-1'] as const;

describe.each(LINEAR)('%s', (name) => {
  const plain = createCodec(name, createPlainKernel());
  const simd = createCodec(name, createSimdKernel());
  const { dataColumns, parityColumns } = plain;
  const total = dataColumns + parityColumns;

  // The SIMD kernel rebuilds all patterns in roundtrip.test.ts, the twin those of four columns in twin.long.test.ts.
  it('the twin rebuilds every decodable pattern of up to three losses', () => {
    const length = 128;
    const data = randomColumns(dataColumns, length, 11);
    const parity = plain.encode(data);
    expect(simd.encode(data).every((column, i) => sameBytes(column, parity[i] as Uint8Array))).toBe(true);
    const columns = [...data, ...parity];
    for (const lost of patterns(total, Math.min(3, parityColumns))) {
      if (!plain.canReconstruct(lost)) continue;
      const holes = columns.map((column, i) => (lost.includes(i) ? null : column));
      const byPlain = plain.reconstruct(holes, lost, length);
      for (const [i, column] of lost.entries()) {
        expect(sameBytes(byPlain[i] as Uint8Array, columns[column] as Uint8Array), `lost ${lost}`).toBe(true);
      }
    }
  });

  it('any lengths, alignments and places', () => {
    const columnBytesMax = 40_000;
    const arenas = [0, 1].map(() => createArena(arenaBytes(total, columnBytesMax + 64)));
    const column = fc.record({
      bytes: fc.oneof(fc.constantFrom(0, 1, 63, 64, 65, 16_384, 32_768, 33_000), fc.nat(columnBytesMax)),
      shift: fc.nat(15),
      /** 2: an ordinary buffer. */
      place: fc.constantFrom(0, 0, 0, 1, 2),
    });
    fc.assert(
      fc.property(
        fc.array(column, { minLength: dataColumns, maxLength: dataColumns }),
        fc.constantFrom(0, 1, 2),
        fc.nat(2 ** 31),
        (shapes, outputPlace, seed) => {
          const random = randomColumns(
            dataColumns,
            shapes.map((shape) => shape.bytes),
            seed,
          );
          const data = random.map((bytes, i) => {
            const { place, shift } = shapes[i] as (typeof shapes)[number];
            const arena = arenas[place];
            if (!arena) return misaligned(bytes, shift);
            const around = columnView(arena, i, columnBytesMax + 64).fill(0xee);
            around.set(bytes, shift);
            return around.subarray(shift, shift + bytes.length);
          });
          const length = parityBytes(Math.max(...shapes.map((shape) => shape.bytes)));
          const outputs = Array.from({ length: parityColumns }, (_, i) => {
            const arena = arenas[outputPlace];
            return arena
              ? columnView(arena, dataColumns + i, columnBytesMax + 64).subarray(0, length)
              : new Uint8Array(length);
          });
          simd.encodeInto(data, outputs);
          plain.encode(random).forEach((expected, i) => {
            expect(sameBytes(outputs[i] as Uint8Array, expected)).toBe(true);
          });
          data.forEach((bytes, i) => {
            expect(sameBytes(bytes, random[i] as Uint8Array), 'inputs are left alone').toBe(true);
          });
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('compiled modules', () => {
  it('SIMD is what this runtime tests', () => {
    expect(hasSimd()).toBe(true);
  });

  it('are small, and made once per pattern', () => {
    for (const name of LINEAR) expect(compileProgram(encodeProgram(linearCodeOf(name))).length).toBeLessThan(4096);
  });

  it('more patterns than the caches hold still come back right', () => {
    const codec = codecOf('lrc-12-2-2');
    const data = randomColumns(12, 64, 5);
    const columns = [...data, ...codec.encode(data)];
    for (const lost of patterns(16, 3)) {
      const holes = columns.map((column, i) => (lost.includes(i) ? null : column));
      const found = codec.reconstruct(holes, lost, 64);
      expect(lost.every((column, i) => sameBytes(found[i] as Uint8Array, columns[column] as Uint8Array))).toBe(true);
    }
  });
});
