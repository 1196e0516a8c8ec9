// Every codec gives back what it was given: all decodable patterns, all kinds of lengths and alignments, windows, and
// explicit refusals of the rest. Parity is compared with the code written out bit by bit.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CODEC_NAMES, type Codec, type CodecName, parityBytes } from '../../lib/codec/codec.ts';
import { codecOf } from '../../lib/codec/codecs.ts';
import { isKind } from '../../lib/foundation/errors.ts';
import { misaligned, patterns, randomColumns, referenceParity, sameBytes, zeroPadded } from './reference.ts';

const columnsOf = (codec: Codec, data: readonly Uint8Array[]): Uint8Array[] => [...data, ...codec.encode(data)];
const without = (columns: readonly Uint8Array[], lost: readonly number[]): (Uint8Array | null)[] =>
  columns.map((column, i) => (lost.includes(i) ? null : column));

describe.each(CODEC_NAMES)('%s', (name) => {
  const codec = codecOf(name);
  const total = codec.dataColumns + codec.parityColumns;
  const lossesMax = Math.min(total, Math.max(codec.parityColumns + 1, 1));

  it('every pattern of losses comes back byte for byte, or is refused by all three questions', () => {
    const length = 192;
    const columns = columnsOf(codec, randomColumns(codec.dataColumns, length));
    let rebuilt = 0;
    for (const lost of patterns(total, Math.min(lossesMax, 4))) {
      if (codec.canReconstruct(lost)) {
        const found = codec.reconstruct(without(columns, lost), lost, length);
        for (const [i, column] of lost.entries()) {
          expect(sameBytes(found[i] as Uint8Array, columns[column] as Uint8Array), `lost ${lost}`).toBe(true);
        }
        rebuilt++;
      } else {
        expect(codec.repairPlan(lost).ok).toBe(false);
        expectUndecodable(() => codec.reconstruct(without(columns, lost), lost, length));
      }
    }
    expect(rebuilt).toBe(DECODABLE[name]);
  });

  it('the columns of the plan are enough, and each wanted column can come alone', () => {
    const columns = columnsOf(codec, randomColumns(codec.dataColumns, 64));
    // All pairs, and every 41st of the longer patterns.
    for (const lost of patterns(total, codec.parityColumns).filter((set, i) => set.length <= 2 || i % 41 === 0)) {
      for (const wanted of [...lost.map((column) => [column]), lost, [...lost].reverse()]) {
        const plan = codec.repairPlan(lost, wanted);
        if (!plan.ok) continue;
        const read = columns.map((column, i) => (plan.reads.includes(i) ? column : null));
        const found = codec.reconstruct(read, wanted, 64);
        expect(found.map((column) => Buffer.from(column))).toEqual(
          wanted.map((column) => Buffer.from(columns[column] as Uint8Array)),
        );
      }
    }
  });

  it('any lengths, alignment and padding: parity as defined, data back', () => {
    const lengths = fc.oneof(fc.constantFrom(0, 1, 15, 16, 63, 64, 65, 127, 128, 4095, 4096, 4097), fc.nat(700));
    fc.assert(
      fc.property(
        fc.array(lengths, { minLength: codec.dataColumns, maxLength: codec.dataColumns }),
        fc.nat(15),
        fc.nat(2 ** 31),
        (columnBytes, shift, seed) => {
          const data = randomColumns(codec.dataColumns, columnBytes, seed).map((c, i) =>
            misaligned(c, (shift + i) % 16),
          );
          const before = data.map((column) => Buffer.from(column));
          const length = parityBytes(Math.max(...columnBytes));
          const parity = codec.encode(data);
          expect(parity.every((column) => column.length === length)).toBe(true);
          const expected = referenceParity(name, data);
          expect(parity.every((column, i) => sameBytes(column, expected[i] as Uint8Array))).toBe(true);
          const columns = [...data, ...parity];
          const lost = patterns(total, codec.parityColumns)[seed % Math.max(1, DECODABLE[name])] ?? [];
          if (!codec.canReconstruct(lost)) return;
          const found = codec.reconstruct(without(columns, lost), lost, length);
          lost.forEach((column, i) => {
            expect(sameBytes(found[i] as Uint8Array, zeroPadded(columns[column] as Uint8Array, length))).toBe(true);
          });
          expect(data.every((column, i) => sameBytes(column, before[i] as Uint8Array))).toBe(true);
        },
      ),
      { numRuns: name === 'lrc-12-2-2' ? 40 : 60 },
    );
  });

  it('a window of the columns gives the same bytes as the whole', () => {
    const lengths = Array.from({ length: codec.dataColumns }, (_, i) => 10_000 - 777 * i);
    const data = randomColumns(codec.dataColumns, lengths, 7);
    const columns = columnsOf(codec, data);
    const whole = parityBytes(10_000);
    const lost = codec.parityColumns > 0 ? [0] : [];
    fc.assert(
      fc.property(fc.nat(whole / 64 - 1), fc.integer({ min: 1, max: 80 }), (firstCell, cells) => {
        const from = firstCell * 64;
        const to = Math.min(whole, from + cells * 64);
        const window = columns.map((column) =>
          column.subarray(Math.min(from, column.length), Math.min(to, column.length)),
        );
        const found = codec.reconstruct(without(window, lost), lost, to - from);
        lost.forEach((column, i) => {
          const expected = zeroPadded(columns[column] as Uint8Array, whole).subarray(from, to);
          expect(sameBytes(found[i] as Uint8Array, expected)).toBe(true);
        });
        const parity = codec.encode(window.slice(0, codec.dataColumns));
        parity.forEach((column, i) => {
          const expected = (columns[codec.dataColumns + i] as Uint8Array).subarray(from, from + column.length);
          expect(sameBytes(column, expected)).toBe(true);
        });
      }),
      { numRuns: 50 },
    );
  });

  it('large columns', () => {
    const length = 3 * 1024 * 1024 + 64;
    const piece = randomColumns(codec.dataColumns, 65_536 + 17, 3);
    const data = piece.map((bytes) => {
      const column = new Uint8Array(length);
      for (let at = 0; at < length; at += bytes.length) column.set(bytes.subarray(0, length - at), at);
      return column;
    });
    const columns = columnsOf(codec, data);
    const lost = Array.from({ length: codec.parityColumns }, (_, i) => 2 * i).filter((column) => column < total);
    const solvable = codec.canReconstruct(lost) ? lost : [0];
    if (!codec.canReconstruct(solvable)) return;
    codec.reconstruct(without(columns, solvable), solvable, length).forEach((column, i) => {
      expect(sameBytes(column, columns[solvable[i] as number] as Uint8Array)).toBe(true);
    });
  });

  it('columns of the wrong number or length are programmer errors', () => {
    const data = randomColumns(codec.dataColumns, 64);
    const columns = columnsOf(codec, data);
    expect(() => codec.encode([...data, new Uint8Array(1)])).toThrow('data columns');
    expect(() => codec.reconstruct(columns.slice(1), [0], 64)).toThrow('columns, not');
    expect(() => codec.reconstruct(columns, [0], 63)).toThrow();
    expect(() => codec.reconstruct(columns, [0], 0)).toThrow('padded length is 0');
    if (codec.parityColumns > 0) {
      const short = [...columns.slice(0, -1), (columns.at(-1) as Uint8Array).subarray(1)];
      expect(() => codec.reconstruct(short, [0], 64)).toThrow('63 bytes');
    }
    expect(() => codec.reconstruct(columns, [total], 64)).toThrow(`no column ${total}`);
  });

  it('columns that are there come back as they are, padded', () => {
    const data = randomColumns(codec.dataColumns, Array(codec.dataColumns).fill(100));
    const columns = columnsOf(codec, data);
    expect(codec.reconstruct(columns, [0], 128).map((c) => Buffer.from(c))).toEqual([
      Buffer.from(zeroPadded(data[0] as Uint8Array, 128)),
    ]);
    expect(codec.reconstruct(columns, [], 128)).toEqual([]);
  });

  it('an empty group has empty parity', () => {
    const parity = codec.encode(randomColumns(codec.dataColumns, 0));
    expect(parity.map((column) => column.length)).toEqual(Array(codec.parityColumns).fill(0));
    if (codec.parityColumns > 0) {
      const columns = without([...randomColumns(codec.dataColumns, 0), ...parity], [0]);
      expect(codec.reconstruct(columns, [0], 0)).toEqual([new Uint8Array(0)]);
    }
  });
});

/** Patterns of up to min(m+1, 4) losses that can be undone. */
const DECODABLE: Readonly<Record<CodecName, number>> = {
  single: 0,
  'replica-4': 14,
  'rs-6-3': 129,
  'lrc-12-2-2': 16 + 120 + 560 + 1568,
  'xor-2-1': 3,
  'xor-3-1': 4,
};

function expectUndecodable(call: () => unknown): void {
  let thrown: unknown;
  try {
    call();
  } catch (error) {
    thrown = error;
  }
  expect(isKind(thrown, 'corrupt') && thrown.code).toBe('CODE_UNDECODABLE');
}
