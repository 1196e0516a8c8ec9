// V8 can run two 128-bit operations on neighbouring bytes as one of 256 bits (`--experimental-wasm-revectorize`). It is
// an experiment of V8's, so it is off unless asked for, every program compiled under it is compared with the plain twin
// before its first use, and the first difference turns it off for good.
import { CELL_BYTES } from '../codec.ts';
import { arenaBytes, type ColumnArena, columnView, createArena } from '../column-arena.ts';
import { createPlainKernel } from './plain-kernel.ts';
import type { RunCells } from './simd-compiler.ts';
import type { XorProgram } from './xor-program.ts';

type SetFlag = (flag: string) => void;

let state: 'off' | 'on' | 'refused' = 'off';
let setFlag: SetFlag = () => {};

/**
 * For programs compiled from now on; `flags` tells V8. They are compiled at once by the optimizing compiler: baseline
 * code would say nothing about it.
 */
export function revectorize(flags: SetFlag): void {
  if (state !== 'off') return;
  setFlag = flags;
  setFlag('--experimental-wasm-revectorize');
  setFlag('--no-liftoff');
  state = 'on';
}

export const isRevectorizing = (): boolean => state === 'on';

export function refuseToRevectorize(): void {
  setFlag('--no-experimental-wasm-revectorize');
  setFlag('--liftoff');
  state = 'refused';
}

/** A range long enough for the loop to come round, in columns too many for the stride to hide a mistake. */
const PROBE_BYTES = 8 * CELL_BYTES;

/** Whether a compiled program does what the plain twin does. */
export function agreesWithTwin(program: XorProgram, runIn: (arena: ColumnArena) => RunCells): boolean {
  const columns = program.inputs + program.outputs;
  const arena = createArena(arenaBytes(columns, PROBE_BYTES));
  const views = Array.from({ length: columns }, (_, column) => columnView(arena, column, PROBE_BYTES));
  for (const [column, view] of views.entries()) {
    // Bytes of a linear congruential generator: every plane of every cell differs.
    let at = 0x9e3779b9 ^ (column * 0x85ebca6b);
    for (let i = 0; i < view.length; i++) {
      at = (Math.imul(at, 1664525) + 1013904223) | 0;
      view[i] = at >>> 24;
    }
    arena.table[column] = view.byteOffset;
  }
  const expected = views.slice(program.inputs).map((view) => new Uint8Array(view.length));
  createPlainKernel().run(program, views.slice(0, program.inputs), expected, PROBE_BYTES);
  runIn(arena)(arena.tableAddress, 0, PROBE_BYTES);
  return expected.every((bytes, i) => Buffer.compare(bytes, views[program.inputs + i] as Uint8Array) === 0);
}
