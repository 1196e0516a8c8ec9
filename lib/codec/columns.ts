// Checks and padding of the columns handed to a codec. Wrong numbers and lengths are programmer errors.
// These run on every call, so a message is only put together once something is wrong.
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
  if (outputs.length === count && outputs.every((output) => output.length === length)) return;
  const given = outputs.map((output) => output.length);
  assert(false, `${name} writes ${count} columns of ${length} bytes here, not ${given}`);
}

export function assertColumnNumbers(name: string, columns: readonly number[], total: number): void {
  for (const column of columns) {
    if (!(Number.isInteger(column) && column >= 0 && column < total)) assert(false, `${name} has no column ${column}`);
  }
}

export function assertPadded(length: number): void {
  assertCount(length, 'length');
  if (length % CELL_BYTES !== 0) assert(false, `a padded length is a multiple of ${CELL_BYTES}, not ${length}`);
}

/** One entry for each column; data at most `length` bytes, parity exactly. */
export function assertColumns(
  name: string,
  columns: readonly (Uint8Array | null)[],
  shape: CodecShape,
  length: number,
): void {
  const { dataColumns, parityColumns } = shape;
  const total = dataColumns + parityColumns;
  if (columns.length !== total) assert(false, `${name} has ${total} columns, not ${columns.length}`);
  for (let index = 0; index < total; index++) {
    const bytes = columns[index]?.length ?? length;
    if (index < dataColumns ? bytes <= length : bytes === length) continue;
    assert(false, `column ${index} of ${name} has ${bytes} bytes where the padded length is ${length}`);
  }
}
