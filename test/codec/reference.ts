// What the tests compare with: the codes bit by bit from their definition, and ways to make columns and erasure patterns.
// Shares nothing with the code under test but the cell size.
import { CELL_BYTES, type CodecName, parityBytes } from '../../lib/codec/codec.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';

/** The generator matrices, written out. */
export const GENERATORS: Readonly<Record<CodecName, readonly (readonly number[])[]>> = {
  single: [],
  'replica-4': [[1], [1], [1]],
  'rs-6-3': [
    [1, 1, 1, 1, 1, 1],
    [1, 2, 3, 4, 5, 6],
    [1, 4, 5, 3, 2, 7],
  ],
  'lrc-12-2-2': [
    [1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1],
    [1, 2, 3, 9, 8, 11, 2, 8, 10, 9, 11, 1],
    [2, 9, 11, 8, 10, 1, 1, 9, 8, 2, 3, 11],
  ],
  'xor-2-1': [[1, 1]],
  'xor-3-1': [[1, 1, 1]],
};

/** Product in GF(16) by shifting and reducing. */
export function times(a: number, b: number): number {
  let product = 0;
  for (let bit = 0; bit < 4; bit++) if ((b >> bit) & 1) product ^= a << bit;
  for (let bit = 6; bit >= 4; bit--) if ((product >> bit) & 1) product ^= 0b10011 << (bit - 4);
  return product;
}

const PLANE_BYTES = CELL_BYTES / 4;
const bitAt = (bytes: Uint8Array, byte: number, bit: number): number => ((bytes[byte] ?? 0) >> bit) & 1;

/** Symbol number `index` (0..127) of the cell at `cell`: bit p comes from plane p. */
function symbolAt(column: Uint8Array, cell: number, index: number): number {
  let symbol = 0;
  for (let plane = 0; plane < 4; plane++) {
    symbol |= bitAt(column, cell + plane * PLANE_BYTES + (index >> 3), index & 7) << plane;
  }
  return symbol;
}

/** All parity columns, one symbol at a time. */
export function referenceParity(name: CodecName, data: readonly Uint8Array[]): Uint8Array[] {
  const length = parityBytes(Math.max(...data.map((column) => column.length)));
  return GENERATORS[name].map((row) => {
    const parity = new Uint8Array(length);
    for (let cell = 0; cell < length; cell += CELL_BYTES) {
      for (let index = 0; index < PLANE_BYTES * 8; index++) {
        const symbol = row.reduce(
          (sum, factor, i) => sum ^ times(factor, symbolAt(data[i] as Uint8Array, cell, index)),
          0,
        );
        for (let plane = 0; plane < 4; plane++) {
          const at = cell + plane * PLANE_BYTES + (index >> 3);
          parity[at] = (parity[at] as number) | (((symbol >> plane) & 1) << (index & 7));
        }
      }
    }
    return parity;
  });
}

export function randomColumns(count: number, lengths: number | readonly number[], seed = 1): Uint8Array[] {
  const randomness = new SeededRandomness(seed);
  return Array.from({ length: count }, (_, i) =>
    randomness.bytes(typeof lengths === 'number' ? lengths : (lengths[i] as number)),
  );
}

/** A copy that begins at an odd address of a larger buffer. */
export function misaligned(column: Uint8Array, shift: number): Uint8Array {
  const pool = new Uint8Array(column.length + 16).fill(0xee);
  pool.set(column, shift);
  return pool.subarray(shift, shift + column.length);
}

/** All sets of 1..max of the numbers 0..count-1. */
export function patterns(count: number, max: number): number[][] {
  const found: number[][] = [];
  const extend = (from: number, chosen: number[]): void => {
    if (chosen.length > 0) found.push(chosen);
    if (chosen.length === max) return;
    for (let next = from; next < count; next++) extend(next + 1, [...chosen, next]);
  };
  extend(0, []);
  return found;
}

export const zeroPadded = (column: Uint8Array, length: number): Uint8Array => {
  const out = new Uint8Array(length);
  out.set(column);
  return out;
};

/** Equal bytes; on megabytes this is far faster than a deep comparison. */
export const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
