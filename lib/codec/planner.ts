// From codes to XOR programs. Weighted rows are made of three subset sums per group of columns, shared with the group's
// plain sum; a rebuild is the same sums with the lost columns left out, then a small matrix over the syndromes whose
// common pairs are computed once.
import type { ColumnGroup, LinearCode } from './codes.ts';
import type { Solution } from './decode.ts';
import { PLANES, planeMasks } from './gf16.ts';
import { type Value, XorBuilder, type XorProgram } from './xor-program.ts';

/** The planes of one column or of one parity row. */
type Planes = readonly Value[];
type LoadPlane = (column: number, plane: number) => Value;

const ZEROS: Planes = [null, null, null, null];

/** Inputs: the data columns in order. Outputs: the parity columns in order. */
export function encodeProgram(code: LinearCode): XorProgram {
  const builder = new XorBuilder();
  const rows = Array.from({ length: code.parityColumns }, (_, row) => row);
  const parity = rowSums(builder, code, rows, (column, plane) => builder.load(column, plane));
  parity.forEach((planes, row) => {
    storeAll(builder, row, planes);
  });
  return builder.finish(code.dataColumns, code.parityColumns);
}

/** Inputs: solution.reads in order. Outputs: solution.wanted in order. */
export function repairProgram(code: LinearCode, solution: Solution): XorProgram {
  const { wanted, reads, equations, factors } = solution;
  const builder = new XorBuilder();
  const load: LoadPlane = (column, plane) => {
    const input = reads.indexOf(column);
    return input === -1 ? null : builder.load(input, plane);
  };
  const wantedRows = wanted.filter((column) => column >= code.dataColumns).map((column) => column - code.dataColumns);
  const sums = rowSums(builder, code, [...equations, ...wantedRows], load);
  const syndromes = equations.map((row) =>
    (sums[row] as Planes).map((sum, plane) => builder.xor(sum, load(code.dataColumns + row, plane))),
  );
  const solved = multiplyMatrix(builder, factors, syndromes);
  wanted.forEach((column, output) => {
    const own = sums[column - code.dataColumns] ?? ZEROS;
    storeAll(
      builder,
      output,
      own.map((sum, plane) => builder.xor(sum, solved[output]?.[plane] ?? null)),
    );
  });
  return builder.finish(reads.length, wanted.length);
}

/** The generator rows asked for, over the columns that `load` gives; rows not asked for stay undefined. */
function rowSums(builder: XorBuilder, code: LinearCode, rows: readonly number[], load: LoadPlane): Planes[] {
  const sums: Value[][] = [];
  for (const row of rows) sums[row] = [...ZEROS];
  const weighted = code.weightedRows.some((row) => sums[row]);
  for (const group of code.groups) {
    for (let plane = 0; plane < PLANES; plane++) {
      const columns = Array.from({ length: group.columns }, (_, i) => load(group.firstColumn + i, plane));
      if (weighted) addGroup(builder, code, group, columns, plane, sums);
      else if (sums[group.sumRow]) (sums[group.sumRow] as Value[])[plane] = builder.sum(columns);
    }
  }
  return sums;
}

/** Adds one plane of one group to the weighted rows, and to its sum row if asked for. */
function addGroup(
  builder: XorBuilder,
  code: LinearCode,
  group: ColumnGroup,
  columns: readonly Value[],
  plane: number,
  sums: readonly (Value[] | undefined)[],
): void {
  const { subsets, total } = subsetSums(builder, columns);
  const own = sums[group.sumRow];
  if (own) own[plane] = total();
  subsets.forEach((subset, bit) => {
    code.weightedRows.forEach((row, weight) => {
      const sum = sums[row];
      if (!sum) return;
      planeMasks(group.basis[bit]?.[weight] as number).forEach((mask, to) => {
        if ((mask >> plane) & 1) sum[to] = builder.xor(sum[to] as Value, subset);
      });
    });
  });
}

/** For six columns numbered from 1: the sums of those with bit 0, 1 and 2 set, and on demand the sum of all, sharing terms. */
function subsetSums(builder: XorBuilder, columns: readonly Value[]): { subsets: Value[]; total: () => Value } {
  const [c1, c2, c3, c4, c5, c6] = columns as [Value, Value, Value, Value, Value, Value];
  const bit0 = builder.sum([c1, c3, c5]);
  const pair = builder.xor(c2, c6);
  const bit1 = builder.xor(c3, pair);
  const total = (): Value => builder.sum([bit0, pair, c4]);
  const bit2 = builder.sum([c4, c5, c6]);
  return { subsets: [bit0, bit1, bit2], total };
}

/** matrix * vectors over GF(16), bit by bit; the pair of terms that most sums have in common is computed first, again and again. */
function multiplyMatrix(
  builder: XorBuilder,
  matrix: readonly (readonly number[])[],
  vectors: readonly Planes[],
): Planes[] {
  const sums = matrix.flatMap((row) => bitSums(row, vectors));
  for (let pair = commonPair(sums); pair; pair = commonPair(sums)) {
    const [a, b] = pair;
    const shared = builder.xor(a, b) as number;
    for (const terms of sums) {
      if (!terms.has(a) || !terms.has(b)) continue;
      terms.delete(a);
      terms.delete(b);
      terms.add(shared);
    }
  }
  return matrix.map((_, row) => sums.slice(row * PLANES, (row + 1) * PLANES).map((terms) => builder.sum([...terms])));
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

/** The pair of terms found in the most sums, at least two; ties go to the earliest. */
function commonPair(sums: readonly ReadonlySet<number>[]): [number, number] | null {
  const counts = new Map<number, number>();
  let best: [number, number] | null = null;
  let bestCount = 1;
  for (const terms of sums) {
    const sorted = [...terms].sort((x, y) => x - y);
    sorted.forEach((a, i) => {
      for (const b of sorted.slice(i + 1)) {
        const count = (counts.get(a * 0x1_0000 + b) ?? 0) + 1;
        counts.set(a * 0x1_0000 + b, count);
        if (count > bestCount) {
          bestCount = count;
          best = [a, b];
        }
      }
    });
  }
  return best;
}

function storeAll(builder: XorBuilder, output: number, planes: Planes): void {
  planes.forEach((value, plane) => {
    builder.store(output, plane, value);
  });
}
