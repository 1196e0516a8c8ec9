// What can be rebuilt from what: over GF(16), the lost data columns are unknowns and every parity column that can be
// read is an equation. This file picks the equations that need the fewest reads, and solves them; it touches no column
// bytes.
import type { LinearCode } from './codes.ts';
import { multiply, rankOf, reduceRows } from './kernel/gf16.ts';

/**
 * What to read, and which parity rows to use, to rebuild columns: as few as will do, so the solution is the only one.
 */
export interface Solution {
  /** Column numbers, ascending. */
  readonly wanted: readonly number[];
  /** Column numbers, ascending: data and the parity of `equations`. */
  readonly reads: readonly number[];
  /** Parity rows. */
  readonly equations: readonly number[];
}

export const maskOf = (columns: readonly number[]): number => columns.reduce((mask, column) => mask | (1 << column), 0);

/** The numbers of the bits set, ascending. */
export function columnsOf(mask: number): number[] {
  const columns: number[] = [];
  for (let column = 0; mask >> column; column++) if ((mask >> column) & 1) columns.push(column);
  return columns;
}

/** True if all columns of the mask can be rebuilt from all the others. */
export function isDecodable(code: LinearCode, lostMask: number): boolean {
  const unknowns = lostData(code, lostMask);
  const rows = parityRowsLeft(code, lostMask).map((row) => restricted(code, row, unknowns));
  return unknowns.length === 0 || (rows.length > 0 && rankOf(rows) === unknowns.length);
}

/**
 * The cheapest way to rebuild the lost columns of `wantedMask` while those of `lostMask` cannot be read; null if there
 * is none. Fewest reads win; among equals the fewest, lowest equations (plain sums come first).
 */
export function solve(code: LinearCode, lostMask: number, wantedMask: number): Solution | null {
  const rows = parityRowsLeft(code, lostMask);
  let best: Solution | null = null;
  for (let choice = 0; choice < 1 << rows.length; choice++) {
    const equations = rows.filter((_, i) => (choice >> i) & 1);
    const solution = solveWith(code, lostMask, wantedMask, equations);
    if (solution && (!best || isCheaper(solution, best))) best = solution;
  }
  return best;
}

function isCheaper(a: Solution, b: Solution): boolean {
  if (a.reads.length !== b.reads.length) return a.reads.length < b.reads.length;
  return a.equations.length < b.equations.length;
}

/** The solution that uses all of `equations`; null if they do not suffice, or if one of them adds nothing. */
function solveWith(
  code: LinearCode,
  lostMask: number,
  wantedMask: number,
  equations: readonly number[],
): Solution | null {
  const unknowns = lostData(code, lostMask);
  const wanted = columnsOf(wantedMask);
  const factors = expressRows(
    equations.map((row) => restricted(code, row, unknowns)),
    wanted.map((column) => unknowns.map((unknown) => coefficient(code, column, unknown))),
  );
  if (!factors) return null;
  if (equations.some((_, e) => factors.every((row) => row[e] === 0))) return null;
  const reads = new Set(equations.map((row) => code.dataColumns + row));
  for (let data = 0; data < code.dataColumns; data++) {
    if (!((lostMask >> data) & 1) && wanted.some((column, i) => weightOf(code, column, data, equations, factors[i])))
      reads.add(data);
  }
  return { wanted, reads: [...reads].sort((a, b) => a - b), equations };
}

/** The coefficient of a data column that is read in the final formula of a wanted column. */
function weightOf(
  code: LinearCode,
  wanted: number,
  data: number,
  equations: readonly number[],
  factors: readonly number[] = [],
): number {
  return equations.reduce(
    (sum, row, e) => sum ^ multiply(factors[e] as number, coefficient(code, code.dataColumns + row, data)),
    coefficient(code, wanted, data),
  );
}

/** Each target as a combination of `rows`, which must be independent; null if one is outside their span. */
export function expressRows(
  rows: readonly (readonly number[])[],
  targets: readonly (readonly number[])[],
): number[][] | null {
  const unknowns = targets[0]?.length ?? 0;
  // One line per unknown: what each row, then each target, has there. Solving it gives the combinations column by
  // column.
  const system = Array.from({ length: unknowns }, (_, u) => [...rows, ...targets].map((row) => row[u] as number));
  const pivots = reduceRows(system, rows.length);
  if (pivots.length < rows.length) return null;
  if (system.slice(rows.length).some((line) => line.some((symbol) => symbol !== 0))) return null;
  return targets.map((_, t) => rows.map((_, r) => system[r]?.[rows.length + t] as number));
}

/** How much of a data column there is in any column: the generator matrix extended by the identity. */
function coefficient(code: LinearCode, column: number, data: number): number {
  if (column < code.dataColumns) return column === data ? 1 : 0;
  return code.generator[column - code.dataColumns]?.[data] as number;
}

const lostData = (code: LinearCode, lostMask: number): number[] => columnsOf(lostMask & ((1 << code.dataColumns) - 1));

const parityRowsLeft = (code: LinearCode, lostMask: number): number[] =>
  columnsOf(~(lostMask >> code.dataColumns) & ((1 << code.parityColumns) - 1));

const restricted = (code: LinearCode, row: number, unknowns: readonly number[]): number[] =>
  unknowns.map((data) => code.generator[row]?.[data] as number);
