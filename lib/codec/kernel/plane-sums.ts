// Building blocks of the planner: sums and products over bit planes in which what several sums have in common is
// computed once.
import { PLANES, planeMasks } from './gf16.ts';
import type { Value, XorBuilder } from './xor-program.ts';

/** The planes of one column or of one row of sums. */
export type Planes = readonly Value[];

export const ZEROS: Planes = [null, null, null, null];

export const addPlanes = (builder: XorBuilder, a: Planes, b: Planes): Planes =>
  a.map((value, plane) => builder.xor(value, b[plane] as Value));

/** matrix * vectors over GF(16), bit by bit. */
export function multiplyMatrix(
  builder: XorBuilder,
  matrix: readonly (readonly number[])[],
  vectors: readonly Planes[],
): Planes[] {
  const sums = sharedSums(
    builder,
    matrix.flatMap((row) => bitSums(row, vectors)),
  );
  return matrix.map((_, row) => sums.slice(row * PLANES, (row + 1) * PLANES));
}

/**
 * The sum of each set; the pair of terms that most sets have in common is added first, again and again. Empties the
 * sets.
 */
export function sharedSums(builder: XorBuilder, sets: readonly Set<number>[]): Value[] {
  for (let pair = commonPair(sets); pair; pair = commonPair(sets)) {
    const [a, b] = pair;
    const shared = builder.xor(a, b) as number;
    for (const terms of sets) {
      if (!terms.has(a) || !terms.has(b)) continue;
      terms.delete(a);
      terms.delete(b);
      terms.add(shared);
    }
  }
  return sets.map((terms) => builder.sum([...terms]));
}

/** One row of a product as four sets of terms. A term that occurs twice cancels. */
function bitSums(row: readonly number[], vectors: readonly Planes[]): Set<number>[] {
  const sums = Array.from({ length: PLANES }, () => new Set<number>());
  row.forEach((factor, i) => {
    planeMasks(factor).forEach((mask, to) => {
      const terms = sums[to] as Set<number>;
      vectors[i]?.forEach((value, plane) => {
        if (value !== null && (mask >> plane) & 1 && !terms.delete(value)) terms.add(value);
      });
    });
  });
  return sums;
}

/** The pair of terms found in the most sets, at least two; ties go to the earliest found. */
function commonPair(sets: readonly ReadonlySet<number>[]): [number, number] | null {
  const terms = [...new Set(sets.flatMap((set) => [...set]))].sort((x, y) => x - y);
  const indexOf = new Map(terms.map((term, index) => [term, index]));
  const counts = new Uint8Array(terms.length * terms.length);
  let best = -1;
  let bestCount = 1;
  for (const set of sets) {
    const indices = Int32Array.from(set, (term) => indexOf.get(term) as number).sort();
    for (let i = 0; i < indices.length; i++) {
      for (let j = i + 1; j < indices.length; j++) {
        const pair = (indices[i] as number) * terms.length + (indices[j] as number);
        const count = (counts[pair] as number) + 1;
        counts[pair] = count;
        if (count <= bestCount) continue;
        bestCount = count;
        best = pair;
      }
    }
  }
  if (best === -1) return null;
  return [terms[Math.floor(best / terms.length)] as number, terms[best % terms.length] as number];
}
