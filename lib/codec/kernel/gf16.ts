// The field GF(16): polynomials over GF(2) modulo x^4 + x + 1, a symbol as an integer 0..15. A symbol times a constant
// is linear over its four bits, so on bit planes a multiplication is a fixed set of XORs: `planeMasks` says which.
import { assert } from '../../foundation/assert.ts';

/** Bits of a symbol, hence bit planes of a cell. */
export const PLANES = 4;

const ORDER = 15;
const POWERS: number[] = [];
const LOGARITHMS: number[] = [];
for (let power = 0, symbol = 1; power < ORDER; power++) {
  POWERS[power] = symbol;
  LOGARITHMS[symbol] = power;
  symbol <<= 1;
  if (symbol & 0b10000) symbol ^= 0b10011;
}

export function multiply(a: number, b: number): number {
  if (a === 0 || b === 0) return 0;
  return POWERS[((LOGARITHMS[a] as number) + (LOGARITHMS[b] as number)) % ORDER] as number;
}

export function inverse(a: number): number {
  assert(a !== 0, 'zero has no inverse');
  return POWERS[(ORDER - (LOGARITHMS[a] as number)) % ORDER] as number;
}

/** For each plane of c * x, the set of planes of x it is the XOR of, as a mask of four bits. */
export function planeMasks(c: number): readonly number[] {
  const masks = new Array<number>(PLANES).fill(0);
  for (let plane = 0; plane < PLANES; plane++) {
    const image = multiply(c, 1 << plane);
    for (let to = 0; to < PLANES; to++) if ((image >> to) & 1) masks[to] = (masks[to] as number) | (1 << plane);
  }
  return masks;
}

/**
 * Row-reduces `rows` in place by Gauss and Jordan, pivots taken from the first `width` columns only. Returns the pivot
 * columns.
 */
export function reduceRows(rows: number[][], width: number): number[] {
  const pivots: number[] = [];
  for (let column = 0; column < width && pivots.length < rows.length; column++) {
    const at = pivots.length;
    const found = rows.findIndex((row, index) => index >= at && row[column] !== 0);
    if (found === -1) continue;
    const pivotRow = rows[found] as number[];
    rows[found] = rows[at] as number[];
    const scale = inverse(pivotRow[column] as number);
    const scaled = pivotRow.map((symbol) => multiply(symbol, scale));
    rows[at] = scaled;
    for (let other = 0; other < rows.length; other++) {
      const row = rows[other] as number[];
      const factor = row[column] as number;
      if (other === at || factor === 0) continue;
      rows[other] = row.map((symbol, i) => symbol ^ multiply(factor, scaled[i] as number));
    }
    pivots.push(column);
  }
  return pivots;
}

export const rankOf = (rows: readonly (readonly number[])[]): number =>
  reduceRows(
    rows.map((row) => [...row]),
    rows[0]?.length ?? 0,
  ).length;
