// XOR programs: straight-line programs over the bit planes of columns, what every encode and every rebuild comes down
// to. A program is data; kernels run it over cells. The builder drops duplicates, so equal sums are computed once.
import { assert } from '../../foundation/assert.ts';
import { PROGRAM_VALUES_MAX } from '../../limits/bytes.ts';
import { PLANES } from './gf16.ts';

/** A value is the index of its step. Steps only refer to earlier ones. */
export type Step =
  | { readonly op: 'load'; readonly input: number; readonly plane: number }
  | { readonly op: 'xor'; readonly a: number; readonly b: number }
  | { readonly op: 'store'; readonly output: number; readonly plane: number; readonly value: number };

export interface XorProgram {
  readonly inputs: number;
  readonly outputs: number;
  readonly steps: readonly Step[];
}

/** A plane's value while a program is built; null is the plane of zeros. */
export type Value = number | null;

export class XorBuilder {
  readonly #steps: Step[] = [];
  /** Loads have negative keys, sums positive ones. */
  readonly #known = new Map<number, number>();

  load(input: number, plane: number): number {
    return this.#once(-1 - (input * PLANES + plane), { op: 'load', input, plane });
  }

  xor(a: Value, b: Value): Value {
    if (a === null) return b;
    if (b === null) return a;
    if (a === b) return null;
    const low = Math.min(a, b);
    const high = Math.max(a, b);
    return this.#once(low * PROGRAM_VALUES_MAX + high, { op: 'xor', a: low, b: high });
  }

  sum(values: readonly Value[]): Value {
    return values.reduce((total, value) => this.xor(total, value), null);
  }

  store(output: number, plane: number, value: Value): void {
    assert(value !== null, 'no column of a code is all zeros');
    this.#steps.push({ op: 'store', output, plane, value });
  }

  finish(inputs: number, outputs: number): XorProgram {
    return { inputs, outputs, steps: this.#steps };
  }

  #once(key: number, step: Step): number {
    let index = this.#known.get(key);
    if (index === undefined) {
      index = this.#steps.push(step) - 1;
      this.#known.set(key, index);
    }
    return index;
  }
}
