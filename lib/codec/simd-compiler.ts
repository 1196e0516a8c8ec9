// From an XOR program to a WebAssembly SIMD module: one loop over cells, straight-line inside, every plane a v128.
import { CELL_BYTES } from './codec.ts';
import { PLANES } from './gf16.ts';
import * as wasm from './wasm-emitter.ts';
import type { XorProgram } from './xor-program.ts';

const PLANE_BYTES = CELL_BYTES / PLANES;

/** Parameters of `run(table, from, to)`: the address of the column addresses (inputs, then outputs, 4 bytes each), and a range of bytes. */
const TABLE = 0;
const FROM = 1;
const TO = 2;

/** What a compiled program exports. `from` < `to`, both multiples of CELL_BYTES. */
export type RunCells = (table: number, from: number, to: number) => void;

export function compileProgram(program: XorProgram): Uint8Array<ArrayBuffer> {
  const columns = program.inputs + program.outputs;
  const addressOf = (column: number): number => wasm.PARAMETERS + column;
  const { code, values } = cellCode(program, addressOf, wasm.PARAMETERS + columns);
  const setUp: number[] = [];
  const advance: number[] = [];
  for (let column = 0; column < columns; column++) {
    const address = addressOf(column);
    setUp.push(...wasm.localGet(TABLE), ...wasm.i32Load(4 * column));
    setUp.push(...wasm.localGet(FROM), ...wasm.i32Add, ...wasm.localSet(address));
    advance.push(...wasm.localGet(address), ...wasm.i32Const(CELL_BYTES), ...wasm.i32Add, ...wasm.localSet(address));
  }
  advance.push(...wasm.localGet(FROM), ...wasm.i32Const(CELL_BYTES), ...wasm.i32Add, ...wasm.localTee(FROM));
  advance.push(...wasm.localGet(TO), ...wasm.i32LessUnsigned);
  return wasm.emitModule(columns, values, [...setUp, ...wasm.doWhile([...code, ...advance])]);
}

/** The steps for one cell. Loads happen at their first use, so that few values are alive at once. */
function cellCode(
  program: XorProgram,
  addressOf: (column: number) => number,
  firstLocal: number,
): { code: number[]; values: number } {
  const code: number[] = [];
  const local: number[] = [];
  let values = 0;
  const localOf = (value: number): number => (local[value] ??= firstLocal + values++);
  const push = (value: number): void => {
    const step = program.steps[value];
    if (step?.op !== 'load' || local[value] !== undefined) return void code.push(...wasm.localGet(localOf(value)));
    code.push(...wasm.localGet(addressOf(step.input)), ...wasm.v128Load(step.plane * PLANE_BYTES));
    code.push(...wasm.localTee(localOf(value)));
  };
  program.steps.forEach((step, index) => {
    if (step.op === 'xor') {
      push(step.a);
      push(step.b);
      code.push(...wasm.v128Xor, ...wasm.localSet(localOf(index)));
    }
    if (step.op === 'store') {
      code.push(...wasm.localGet(addressOf(program.inputs + step.output)));
      push(step.value);
      code.push(...wasm.v128Store(step.plane * PLANE_BYTES));
    }
  });
  return { code, values };
}
