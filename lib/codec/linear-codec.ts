// A codec whose parity is computed: plans are solved and turned into XOR programs once per erasure pattern, then a
// kernel runs them.
import { corrupt } from '../foundation/errors.ts';
import { PATTERNS_MAX } from '../limits/bytes.ts';
import { BoundedCache } from './bounded-cache.ts';
import { parityBytes } from './codec.ts';
import type { LinearCode } from './codes.ts';
import {
  assertColumnNumbers,
  assertColumns,
  assertDataColumns,
  assertOutputs,
  assertPadded,
  padded,
} from './columns.ts';
import { columnsOf, isDecodable, maskOf, type Solution, solve } from './decode.ts';
import type { InPlaceCodec } from './in-place.ts';
import type { Kernel } from './kernel/kernel.ts';
import type { XorProgram } from './kernel/xor-program.ts';
import { encodeProgram, repairProgram } from './planner.ts';
import { codecShape } from './shape.ts';

export function createLinearCodec(code: LinearCode, kernel: Kernel): InPlaceCodec {
  const { name, dataColumns, parityColumns } = code;
  const shape = codecShape(name);
  const total = dataColumns + parityColumns;
  const encoder = encodeProgram(code);
  const solutions = new BoundedCache<number, Solution | 'none'>(PATTERNS_MAX);
  const programs = new BoundedCache<number, XorProgram>(PATTERNS_MAX);

  const solutionOf = (lostMask: number, wantedMask: number): Solution | 'none' =>
    solutions.getOrMake(keyOf(lostMask, wantedMask), () => solve(code, lostMask, wantedMask) ?? 'none');

  /** The same reads and wanted columns make the same program, whatever else was lost. */
  const programOf = (solution: Solution): XorProgram =>
    programs.getOrMake(keyOf(maskOf(solution.reads), maskOf(solution.wanted)), () => repairProgram(code, solution));

  return {
    name,
    dataColumns,
    parityColumns,
    overhead: total / dataColumns,

    encode(data) {
      const length = parityBytes(Math.max(0, ...data.map((column) => column.length)));
      const parity = Array.from({ length: parityColumns }, () => unfilled(length));
      this.encodeInto(data, parity);
      return parity;
    },

    encodeInto(data, parity) {
      assertDataColumns(name, data, dataColumns);
      const length = parityBytes(Math.max(...data.map((column) => column.length)));
      assertOutputs(name, parity, parityColumns, length);
      kernel.run(encoder, data, parity, length);
    },

    canReconstruct(lost) {
      assertColumnNumbers(name, lost, total);
      return isDecodable(code, maskOf(lost));
    },

    repairPlan(lost, wanted = lost) {
      assertColumnNumbers(name, lost, total);
      assertColumnNumbers(name, wanted, total);
      const lostMask = maskOf(lost);
      const wantedMask = maskOf(wanted);
      const solution = solutionOf(lostMask, wantedMask & lostMask);
      if (solution === 'none') return { ok: false, reason: reasonOf(code, lostMask, wantedMask & lostMask) };
      return { ok: true, reads: columnsOf(maskOf(solution.reads) | (wantedMask & ~lostMask)) };
    },

    reconstruct(columns, wanted, length) {
      assertPadded(length);
      const distinct = columnsOf(maskOf(wanted));
      const rebuilt = distinct.map((column) => (columns[column] ? undefined : unfilled(length)));
      const lost = distinct.filter((_, i) => rebuilt[i]);
      this.reconstructInto(
        columns,
        lost,
        length,
        rebuilt.filter((column) => column !== undefined),
      );
      assertColumnNumbers(name, wanted, total);
      return wanted.map((column) => rebuilt[distinct.indexOf(column)] ?? padded(columns[column] as Uint8Array, length));
    },

    reconstructInto(columns, lost, length, into) {
      assertColumns(name, columns, shape, length);
      assertColumnNumbers(name, lost, total);
      assertPadded(length);
      assertOutputs(name, into, lost.length, length);
      const lostMask = maskOfLost(columns);
      const solution = solutionOf(lostMask, maskOf(lost));
      if (solution === 'none') throw corrupt('CODE_UNDECODABLE', reasonOf(code, lostMask, maskOf(lost)));
      if (lost.length === 0) return;
      const reads = solution.reads.map((column) => columns[column] as Uint8Array);
      const outputs = solution.wanted.map((column) => into[lost.indexOf(column)] as Uint8Array);
      kernel.run(programOf(solution), reads, outputs, length);
    },
  };
}

/** A column of its own memory, not filled with zeros first: the kernel writes every byte of it. */
const unfilled = (length: number): Uint8Array => new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);

function maskOfLost(columns: readonly (Uint8Array | null)[]): number {
  let mask = 0;
  for (let column = 0; column < columns.length; column++) if (columns[column] === null) mask |= 1 << column;
  return mask;
}

const keyOf = (high: number, low: number): number => high * 0x1_0000 + low;

function reasonOf(code: LinearCode, lostMask: number, wantedMask: number): string {
  const lost = columnsOf(lostMask);
  const wanted = columnsOf(wantedMask);
  return `${code.name} cannot rebuild column ${wanted.join(', ')} with ${lost.length} columns lost (${lost.join(', ')})`;
}
