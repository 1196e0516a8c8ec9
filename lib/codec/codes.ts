// The codes as data: which linear combination of the data columns each parity column is. These tables are part of the
// on-disk contract and never change. A group of up to seven columns takes its coefficients from the span of three basis
// vectors, column j (counted from 1) using the bits of j; so all weighted rows are made from three subset sums of the
// group.
import { assert } from '../foundation/assert.ts';
import type { CodecName } from './codec.ts';
import { codecShape } from './shape.ts';

/** Data columns that are summed into one parity row and share one basis of coefficients. */
export interface ColumnGroup {
  readonly firstColumn: number;
  readonly columns: number;
  /** The parity row that is the plain XOR of this group. */
  readonly sumRow: number;
  /** For each bit of (column - firstColumn + 1), the coefficient it adds in each weighted row. */
  readonly basis: readonly (readonly number[])[];
}

export interface LinearCode {
  readonly name: CodecName;
  readonly dataColumns: number;
  readonly parityColumns: number;
  readonly groups: readonly ColumnGroup[];
  /** Parity rows with coefficients other than 0 and 1. */
  readonly weightedRows: readonly number[];
  /** generator[row][column]: the coefficient of a data column in a parity row. */
  readonly generator: readonly (readonly number[])[];
}

/** The codes whose parity is computed; `single` and `replica-4` only copy. */
export type LinearCodeName = Exclude<CodecName, 'single' | 'replica-4'>;

const LINEAR_CODES: Readonly<Record<LinearCodeName, LinearCode>> = {
  'rs-6-3': linearCode('rs-6-3', [1, 2], [group(0, 6, 0, [1, 1], [2, 4], [4, 3])]),
  'lrc-12-2-2': linearCode(
    'lrc-12-2-2',
    [2, 3],
    [group(0, 6, 0, [1, 2], [2, 9], [9, 8]), group(6, 6, 1, [2, 1], [8, 9], [9, 2])],
  ),
  'xor-2-1': linearCode('xor-2-1', [], [group(0, 2, 0)]),
  'xor-3-1': linearCode('xor-3-1', [], [group(0, 3, 0)]),
};

export const linearCodeOf = (name: LinearCodeName): LinearCode => LINEAR_CODES[name];

function group(firstColumn: number, columns: number, sumRow: number, ...basis: number[][]): ColumnGroup {
  return { firstColumn, columns, sumRow, basis };
}

function linearCode(name: CodecName, weightedRows: readonly number[], groups: readonly ColumnGroup[]): LinearCode {
  const { dataColumns, parityColumns } = codecShape(name);
  const generator = Array.from({ length: parityColumns }, () => new Array<number>(dataColumns).fill(0));
  const put = (row: number, column: number, coefficient: number): void => {
    assert(generator[row]?.[column] === 0, `${name}: row ${row} column ${column} is set twice or out of range`);
    (generator[row] as number[])[column] = coefficient;
  };
  for (const { firstColumn, columns, sumRow, basis } of groups) {
    for (let i = 0; i < columns; i++) {
      put(sumRow, firstColumn + i, 1);
      weightedRows.forEach((row, weight) => {
        put(row, firstColumn + i, spanned(basis, i + 1, weight));
      });
    }
  }
  return { name, dataColumns, parityColumns, groups, weightedRows, generator };
}

/** The coefficient that a label stands for in one weighted row: the sum of the basis vectors of its bits. */
export function spanned(basis: readonly (readonly number[])[], label: number, weight: number): number {
  return basis.reduce((sum, vector, bit) => ((label >> bit) & 1 ? sum ^ (vector[weight] as number) : sum), 0);
}
