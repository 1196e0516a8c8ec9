// From codes to XOR programs. In a group of columns every weighted row is made of three subset sums, one for each bit
// of the columns' labels (codes.ts), which share terms with each other and with the plain sum. A rebuild is the same
// sums over the columns that are read, then a small matrix over what they differ from the parity by.
import { present } from '../foundation/assert.ts';
import { type ColumnGroup, type LinearCode, spanned } from './codes.ts';
import { expressRows, type Solution } from './decode.ts';
import { PLANES, planeMasks } from './kernel/gf16.ts';
import { addPlanes, multiplyMatrix, type Planes, sharedSums, ZEROS } from './kernel/plane-sums.ts';
import { type Value, XorBuilder, type XorProgram } from './kernel/xor-program.ts';

type LoadPlane = (column: number, plane: number) => Value;

/** A column and its label within its group: it weighs what the label's bits add up to. */
interface Term {
  readonly column: number;
  readonly label: number;
}

/**
 * A group as the sums see it. If its plain sum is what tells one of its columns, the leftover, then that column is out
 * and the sum's parity is in: in every weighted row, label j becomes (j xor the leftover's), and the parity takes the
 * leftover's. So an unknown is gone and the rows still have the same form.
 */
interface GroupTerms {
  readonly group: ColumnGroup;
  readonly leftover: number | null;
  readonly terms: readonly Term[];
}

/** Rows of sums over the columns that can be loaded: weighted ones by row, plain ones by the group's sumRow. */
type Sums = ReadonlyMap<number, Planes>;

/** Inputs: the data columns in order. Outputs: the parity columns in order. */
export function encodeProgram(code: LinearCode): XorProgram {
  const builder = new XorBuilder();
  const rows = Array.from({ length: code.parityColumns }, (_, row) => row);
  const groups = code.groups.map((group) => groupTerms(code, group, null));
  const sums = sumRows(builder, code, groups, rows, (column, plane) => builder.load(column, plane));
  for (const row of rows) storeAll(builder, row, sums.get(row) ?? ZEROS);
  return builder.finish(code.dataColumns, code.parityColumns);
}

/** Inputs: solution.reads in order. Outputs: solution.wanted in order. */
export function repairProgram(code: LinearCode, solution: Solution): XorProgram {
  const { wanted, reads, equations } = solution;
  const builder = new XorBuilder();
  const load: LoadPlane = (column, plane) => {
    const input = reads.indexOf(column);
    return input === -1 ? null : builder.load(input, plane);
  };
  const groups = code.groups.map((group) => groupTerms(code, group, leftoverOf(group, solution)));
  const targets = wanted.map((column) => targetOf(code, groups, solution, column));
  const weightedEquations = equations.filter((row) => code.weightedRows.includes(row));
  const sums = sumRows(builder, code, groups, [...weightedEquations, ...targets.map(({ sumRow }) => sumRow)], load);

  const syndromes = weightedEquations.map((row) =>
    addPlanes(builder, sums.get(row) ?? ZEROS, columnPlanes(load, code.dataColumns + row)),
  );
  const unknowns = groups.flatMap(({ terms }) => terms.filter(({ column }) => !reads.includes(column)));
  const factors = expressRows(
    weightedEquations.map((row) => unknowns.map(({ column, label }) => weightOf(code, row, column, label))),
    targets.map((target) => unknowns.map(({ column, label }) => target.weight(column, label))),
  );
  return storeTargets(builder, solution, targets, sums, present(factors, 'a solution has enough equations'), syndromes);
}

/** A wanted column = a row of sums + the weighted unknowns + wanted columns rebuilt before it. */
interface Target {
  readonly column: number;
  readonly sumRow: number;
  readonly weight: (column: number, label: number) => number;
  readonly after: readonly number[];
}

const NO_ROW = -1;

function targetOf(code: LinearCode, groups: readonly GroupTerms[], solution: Solution, column: number): Target {
  const row = column - code.dataColumns;
  if (code.weightedRows.includes(row)) {
    return { column, sumRow: row, weight: (unknown, label) => weightOf(code, row, unknown, label), after: [] };
  }
  const isPlainSum = ({ group, leftover }: GroupTerms): boolean => leftover === column || group.sumRow === row;
  const own = groups.find(isPlainSum);
  if (!own) return { column, sumRow: NO_ROW, weight: (unknown) => (unknown === column ? 1 : 0), after: [] };
  const { sumRow } = own.group;
  const rest = unreadData(own.group, solution).filter((unknown) => unknown !== column);
  const areWanted = rest.every((unknown) => solution.wanted.includes(unknown));
  if (areWanted) return { column, sumRow, weight: () => 0, after: rest };
  return { column, sumRow, weight: (unknown) => (rest.includes(unknown) ? 1 : 0), after: [] };
}

function storeTargets(
  builder: XorBuilder,
  { reads, wanted }: Solution,
  targets: readonly Target[],
  sums: Sums,
  factors: readonly (readonly number[])[],
  syndromes: readonly Planes[],
): XorProgram {
  const solved = multiplyMatrix(builder, factors, syndromes);
  const rebuilt = new Map<number, Planes>();
  // Those that wait for others wait for columns that do not wait.
  const order = targets
    .map((target, i) => ({ target, i }))
    .sort((a, b) => a.target.after.length - b.target.after.length);
  for (const { target, i } of order) {
    const parts = [sums.get(target.sumRow) ?? ZEROS, ...target.after.map((column) => rebuilt.get(column) ?? ZEROS)];
    const planes = parts.reduce((sum, part) => addPlanes(builder, sum, part), solved[i] ?? ZEROS);
    rebuilt.set(target.column, planes);
  }
  wanted.forEach((column, output) => {
    storeAll(builder, output, rebuilt.get(column) ?? ZEROS);
  });
  return builder.finish(reads.length, wanted.length);
}

const unreadData = ({ firstColumn, columns }: ColumnGroup, { reads }: Solution): number[] =>
  Array.from({ length: columns }, (_, i) => firstColumn + i).filter((column) => !reads.includes(column));

/**
 * The column that the group's plain sum is used for: one that is not wanted if there is one, for it need not be
 * computed.
 */
function leftoverOf(group: ColumnGroup, solution: Solution): number | null {
  if (!solution.equations.includes(group.sumRow)) return null;
  const unread = unreadData(group, solution);
  return unread.find((column) => !solution.wanted.includes(column)) ?? unread.at(-1) ?? null;
}

function groupTerms(code: LinearCode, group: ColumnGroup, leftover: number | null): GroupTerms {
  const { firstColumn, columns, sumRow } = group;
  const all = Array.from({ length: columns }, (_, i) => ({ column: firstColumn + i, label: i + 1 }));
  if (leftover === null) return { group, leftover, terms: all };
  const shift = leftover - firstColumn + 1;
  const others = all.filter(({ column }) => column !== leftover);
  const terms = others.map(({ column, label }) => ({ column, label: label ^ shift }));
  return { group, leftover, terms: [...terms, { column: code.dataColumns + sumRow, label: shift }] };
}

/** The coefficient of a column with this label in a weighted row. */
function weightOf(code: LinearCode, row: number, column: number, label: number): number {
  const group = code.groups.find((g) => column >= g.firstColumn && column < g.firstColumn + g.columns);
  return group ? spanned(group.basis, label, code.weightedRows.indexOf(row)) : 0;
}

/** The rows asked for, over the columns that `load` gives. */
function sumRows(
  builder: XorBuilder,
  code: LinearCode,
  groups: readonly GroupTerms[],
  rows: readonly number[],
  load: LoadPlane,
): Sums {
  const sums = new Map<number, Value[]>();
  for (const row of rows) sums.set(row, [...ZEROS]);
  const weights = code.weightedRows.flatMap((row, weight) => {
    const sum = sums.get(row);
    return sum ? [{ sum, weight }] : [];
  });
  for (const { group, terms } of groups) {
    for (let plane = 0; plane < PLANES; plane++) {
      const total = sums.get(group.sumRow);
      const loaded = terms.map(({ column, label }) => ({ value: load(column, plane), label }));
      if (weights.length === 0) {
        if (total) total[plane] = builder.sum(loaded.map(({ value }) => value));
        continue;
      }
      const subsets = subsetSums(builder, loaded, total !== undefined);
      if (total) total[plane] = subsets[3] as Value;
      for (const { sum, weight } of weights) addSubsets(builder, group, weight, plane, subsets, sum);
    }
  }
  return sums;
}

/** The sums of the values whose label has bit 0, 1 and 2, and if asked for, of all values. */
function subsetSums(
  builder: XorBuilder,
  labelled: readonly { readonly value: Value; readonly label: number }[],
  withTotal: boolean,
): Value[] {
  const valuesWhere = (test: (label: number) => boolean): Set<number> =>
    new Set(labelled.flatMap(({ value, label }) => (value !== null && test(label) ? [value] : [])));
  const sets = [0, 1, 2].map((bit) => valuesWhere((label) => ((label >> bit) & 1) === 1));
  if (!withTotal) return sharedSums(builder, sets);
  const [bit0, bit1, bit2, without0] = sharedSums(builder, [...sets, valuesWhere((label) => (label & 1) === 0)]);
  return [bit0 ?? null, bit1 ?? null, bit2 ?? null, builder.xor(bit0 ?? null, without0 ?? null)];
}

/**
 * Adds what one plane of a group contributes to a weighted row: for each basis vector, its product with that subset's
 * sum.
 */
function addSubsets(
  builder: XorBuilder,
  group: ColumnGroup,
  weight: number,
  plane: number,
  subsets: readonly Value[],
  row: Value[],
): void {
  group.basis.forEach((vector, bit) => {
    planeMasks(vector[weight] as number).forEach((mask, to) => {
      if ((mask >> plane) & 1) row[to] = builder.xor(row[to] as Value, subsets[bit] as Value);
    });
  });
}

const columnPlanes = (load: LoadPlane, column: number): Planes =>
  Array.from({ length: PLANES }, (_, plane) => load(column, plane));

function storeAll(builder: XorBuilder, output: number, planes: Planes): void {
  planes.forEach((value, plane) => {
    builder.store(output, plane, value);
  });
}
