// From an XOR program to a WebAssembly SIMD module: one loop over cells, straight-line inside, every plane a v128.
import { CELL_BYTES } from '../codec.ts';
import { PLANES } from './gf16.ts';
import { emitModule, FunctionBody, PARAMETERS } from './wasm-emitter.ts';
import type { XorProgram } from './xor-program.ts';

const PLANE_BYTES = CELL_BYTES / PLANES;

/**
 * Parameters of `run(table, from, to)`: the address of the column addresses (inputs, then outputs, 4 bytes each), and a
 * range of bytes.
 */
const TABLE = 0;
const FROM = 1;
const TO = 2;

/** What a compiled program exports. `from` < `to`, both multiples of CELL_BYTES. */
export type RunCells = (table: number, from: number, to: number) => void;

/**
 * `endsValues`: every value ends with its cell. A local that is set in a loop otherwise lives on into the next round,
 * as far as V8's revectorizer can see, and it leaves values alone that have another use. Costs baseline code something,
 * optimized code nothing.
 */
export function compileProgram(program: XorProgram, endsValues = false): Uint8Array<ArrayBuffer> {
  const columns = program.inputs + program.outputs;
  const code = new FunctionBody();
  const addressOf = (column: number): number => PARAMETERS + column;
  for (let column = 0; column < columns; column++) {
    code
      .localGet(TABLE)
      .i32Load(4 * column)
      .localGet(FROM)
      .i32Add()
      .localSet(addressOf(column));
  }
  code.loop();
  const values = writeCell(code, program, addressOf, PARAMETERS + columns);
  for (let value = 0; endsValues && value < values; value++) code.v128Zero().localSet(PARAMETERS + columns + value);
  for (let column = 0; column < columns; column++) {
    code.localGet(addressOf(column)).i32Const(CELL_BYTES).i32Add().localSet(addressOf(column));
  }
  code.localGet(FROM).i32Const(CELL_BYTES).i32Add().localTee(FROM).localGet(TO).i32LessUnsigned().loopWhile();
  return emitModule(columns, values, code);
}

/**
 * Writes the steps for one cell and returns how many locals hold values. Loads happen at their first use, so that few
 * are alive at once.
 */
function writeCell(
  code: FunctionBody,
  program: XorProgram,
  addressOf: (column: number) => number,
  firstLocal: number,
): number {
  const local: number[] = [];
  let values = 0;
  const localOf = (value: number): number => {
    local[value] ??= firstLocal + values++;
    return local[value];
  };
  const push = (value: number): void => {
    const step = program.steps[value];
    if (step?.op !== 'load' || local[value] !== undefined) code.localGet(localOf(value));
    else
      code
        .localGet(addressOf(step.input))
        .v128Load(step.plane * PLANE_BYTES)
        .localTee(localOf(value));
  };
  program.steps.forEach((step, index) => {
    if (step.op === 'xor') {
      push(step.a);
      push(step.b);
      code.v128Xor().localSet(localOf(index));
    }
    if (step.op === 'store') {
      code.localGet(addressOf(program.inputs + step.output));
      push(step.value);
      code.v128Store(step.plane * PLANE_BYTES);
    }
  });
  return values;
}
