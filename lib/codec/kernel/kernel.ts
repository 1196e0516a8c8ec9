// What runs XOR programs over column bytes.
import type { XorProgram } from './xor-program.ts';

export interface Kernel {
  /**
   * Runs the program over `length` bytes (a multiple of CELL_BYTES). Inputs may be of any alignment and shorter than
   * `length`, then counting as zero-padded; every output has exactly `length` bytes and overlaps no input.
   */
  run(program: XorProgram, inputs: readonly Uint8Array[], outputs: readonly Uint8Array[], length: number): void;
}
