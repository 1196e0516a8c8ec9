// The order of rows: by the UTF-8 bytes of their keys, as DynamoDB and SQLite's BINARY collation have it. JavaScript
// compares UTF-16 code units, which puts astral characters (surrogates, D800-DFFF) before U+E000-U+FFFF; UTF-8 puts
// them after.
import type { Key } from './panda.ts';

/** Negative, zero or positive, as Array.prototype.sort wants it. Well-formed strings only. */
export function compareUtf8(a: string, b: string): number {
  if (a === b) return 0;
  const shorter = Math.min(a.length, b.length);
  for (let i = 0; i < shorter; i++) {
    const unitA = a.charCodeAt(i);
    const unitB = b.charCodeAt(i);
    if (unitA !== unitB) return rank(unitA) - rank(unitB);
  }
  return a.length - b.length;
}

export const compareKeys = (a: Key, b: Key): number =>
  compareUtf8(a.partition, b.partition) || compareUtf8(a.sort, b.sort);

/** Of one row, and of no other: for maps. */
export const keyText = ({ partition, sort }: Key): string => `${partition}\0${sort}`;

/** Surrogates above everything else in the BMP: the order code points (and so UTF-8 bytes) have. */
function rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}

/** Position of the first element of an ascending list that is not below `key`. */
export function lowerBound(ascending: readonly string[], key: string): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareUtf8(ascending[middle] as string, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
