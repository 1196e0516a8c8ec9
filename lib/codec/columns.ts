// Checks and padding of the columns handed to a codec. Wrong numbers and lengths are programmer errors.
import { assert, assertCount } from '../foundation/assert.ts';
import { CELL_BYTES } from './codec.ts';
import type { CodecShape } from './shape.ts';

/** The column itself if it has `length` bytes, else a zero-padded copy. */
export function padded(column: Uint8Array, length: number): Uint8Array {
  if (column.length === length) return column;
  const copy = new Uint8Array(length);
  copy.set(column);
  return copy;
}

export function assertDataColumns(name: string, data: readonly Uint8Array[], dataColumns: number): void {
  assert(data.length === dataColumns, `${name} encodes ${dataColumns} data columns, not ${data.length}`);
}

export function assertOutputs(name: string, outputs: readonly Uint8Array[], count: number, length: number): void {
  assert(
    outputs.length === count && outputs.every((output) => output.length === length),
    `${name} writes ${count} columns of ${length} bytes here, not ${outputs.map((output) => output.length)}`,
  );
}

export function assertColumnNumbers(name: string, columns: readonly number[], total: number): void {
  for (const column of columns) {
    assert(Number.isInteger(column) && column >= 0 && column < total, `${name} has no column ${column}`);
  }
}

export function assertPadded(length: number): void {
  assertCount(length, 'length');
  assert(length % CELL_BYTES === 0, `a padded length is a multiple of ${CELL_BYTES}, not ${length}`);
}

/** One entry for each column; data at most `length` bytes, parity exactly. */
export function assertColumns(
  name: string,
  columns: readonly (Uint8Array | null)[],
  shape: CodecShape,
  length: number,
): void {
  const { dataColumns, parityColumns } = shape;
  assert(
    columns.length === dataColumns + parityColumns,
    `${name} has ${dataColumns + parityColumns} columns, not ${columns.length}`,
  );
  columns.forEach((column, index) => {
    if (column === null) return;
    const fits = index < dataColumns ? column.length <= length : column.length === length;
    assert(fits, `column ${index} of ${name} has ${column.length} bytes where the padded length is ${length}`);
  });
}
