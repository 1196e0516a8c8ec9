// The kernel in WebAssembly SIMD: one compiled module per program, kept in a bounded cache, instantiated once per
// memory. Columns in the memory it runs in are used where they are; others pass through strips; ended ones read from a
// strip of zeros.
import { present } from '../../foundation/assert.ts';
import { MODULES_MAX } from '../../limits/bytes.ts';
import { BoundedCache } from '../bounded-cache.ts';
import { CELL_BYTES } from '../codec.ts';
import { arenaBytes, arenaOf, type ColumnArena, createArena, STRIP_BYTES } from '../column-arena.ts';
import type { Kernel } from './kernel.ts';
import { agreesWithTwin, isRevectorizing, refuseToRevectorize } from './revectorize.ts';
import { compileProgram, type RunCells } from './simd-compiler.ts';
import { type WasmModule, wasmHost } from './wasm-host.ts';
import type { XorProgram } from './xor-program.ts';

/** Longest range in one call: V8 swaps in its optimized code only between calls. */
const CALL_BYTES = 256 * 1024;

/** The smallest module with a v128 in it. */
const PROBE = compileProgram({
  inputs: 1,
  outputs: 1,
  steps: [
    { op: 'load', input: 0, plane: 0 },
    { op: 'store', output: 0, plane: 0, value: 0 },
  ],
});

export const hasSimd = (): boolean => wasmHost?.validate(PROBE) ?? false;

interface Compiled {
  readonly module: WasmModule;
  readonly runs: WeakMap<ColumnArena, RunCells>;
}

/** `agrees` is for tests: whether a revectorized program may be used. */
export function createSimdKernel(agrees = agreesWithTwin): Kernel {
  const host = present(wasmHost, 'no WebAssembly here');
  const instance = (module: WasmModule, arena: ColumnArena): RunCells =>
    new host.Instance(module, { columns: { memory: arena.memory } }).exports.run as RunCells;
  const moduleOf = (program: XorProgram): WasmModule => {
    if (isRevectorizing()) {
      const module = new host.Module(compileProgram(program, true));
      if (agrees(program, (arena) => instance(module, arena))) return module;
      refuseToRevectorize();
    }
    return new host.Module(compileProgram(program));
  };
  const compiled = new BoundedCache<XorProgram, Compiled>(MODULES_MAX);
  let ownArena: ColumnArena | undefined;

  const runOf = (program: XorProgram, arena: ColumnArena): RunCells => {
    const { module, runs } = compiled.getOrMake(program, () => ({
      module: moduleOf(program),
      runs: new WeakMap(),
    }));
    let run = runs.get(arena);
    if (!run) {
      run = instance(module, arena);
      runs.set(arena, run);
    }
    return run;
  };

  return {
    run(program, inputs, outputs, length) {
      ownArena ??= createArena(arenaBytes(0, 0));
      const arena = arenaOf(outputs[0] as Uint8Array) ?? arenaOf(inputs[0] as Uint8Array) ?? ownArena;
      const run = runOf(program, arena);
      if (areComplete(arena, inputs, length) && areComplete(arena, outputs, length)) {
        return runSection(arena, run, inputs, outputs, 0, length);
      }
      for (const { from, to } of sections(arena, inputs, outputs, length)) {
        runSection(arena, run, inputs, outputs, from, to);
        outputs.forEach((output, i) => {
          if (isIn(arena, output)) return;
          const strip = arena.stripAddress(inputs.length + i);
          output.set(arena.bytes.subarray(strip, strip + to - from), from);
        });
      }
    },
  };
}

const isIn = (arena: ColumnArena, view: Uint8Array): boolean => view.buffer === arena.memory.buffer;

const areComplete = (arena: ColumnArena, columns: readonly Uint8Array[], length: number): boolean =>
  columns.every((column) => isIn(arena, column) && column.length === length);

/** Runs one section; outputs that are not in the arena are left in their strips. */
function runSection(
  arena: ColumnArena,
  run: RunCells,
  inputs: readonly Uint8Array[],
  outputs: readonly Uint8Array[],
  from: number,
  to: number,
): void {
  inputs.forEach((input, i) => {
    arena.table[i] = placeInput(arena, input, i, from, to);
  });
  outputs.forEach((output, i) => {
    const column = inputs.length + i;
    arena.table[column] = isIn(arena, output) ? output.byteOffset + from : arena.stripAddress(column);
  });
  for (let at = 0; at < to - from; at += CALL_BYTES) run(arena.tableAddress, at, Math.min(to - from, at + CALL_BYTES));
}

/**
 * The length cut where a column in the arena ends, at whole cells: within a section it is complete, ends in this one
 * cell, or is over. Sections in which anything is copied or over are no longer than a strip.
 */
function* sections(
  arena: ColumnArena,
  inputs: readonly Uint8Array[],
  outputs: readonly Uint8Array[],
  length: number,
): Generator<{ from: number; to: number }> {
  const copies = !inputs.every((column) => isIn(arena, column)) || !outputs.every((column) => isIn(arena, column));
  const ends = inputs.filter((input) => input.length < length).map((input) => input.length);
  const cuts = new Set(ends.flatMap((end) => [floorCell(end), floorCell(end + CELL_BYTES - 1)]));
  cuts.add(length);
  let from = 0;
  for (const cut of [...cuts].sort((a, b) => a - b)) {
    while (from < cut) {
      const inStrips = copies || ends.some((end) => end < cut);
      const to = inStrips ? Math.min(cut, from + STRIP_BYTES) : cut;
      yield { from, to };
      from = to;
    }
  }
}

const floorCell = (bytes: number): number => bytes - (bytes % CELL_BYTES);

/** The address of an input's bytes of this section: in place, zeros, or a padded copy. */
function placeInput(arena: ColumnArena, input: Uint8Array, column: number, from: number, to: number): number {
  if (input.length <= from) return arena.zerosAddress;
  if (isIn(arena, input) && input.length >= to) return input.byteOffset + from;
  const strip = arena.stripAddress(column);
  const given = input.subarray(from, to);
  arena.bytes.set(given, strip);
  arena.bytes.fill(0, strip + given.length, strip + to - from);
  return strip;
}
