// The kernel in plain TypeScript: an interpreter that runs each XOR over a strip of cells small enough for the
// first-level cache. Strips are copied in and out of one aligned scratch, which also settles alignment, lengths and
// padding. It is the oracle of the SIMD kernel and its stand-in where SIMD is missing.
import { assert } from '../../foundation/assert.ts';
import { CELL_BYTES } from '../codec.ts';
import { PLANES } from './gf16.ts';
import type { Kernel } from './kernel.ts';
import type { XorProgram } from './xor-program.ts';

const STRIP_BYTES = 4096;
const STRIP_WORDS = STRIP_BYTES / 4;
const CELL_WORDS = CELL_BYTES / 4;
const PLANE_WORDS = 4;

/** A sum of two or more planes; all are word offsets into the scratch. */
interface PlacedSum {
  readonly sum: number;
  readonly terms: readonly number[];
}

interface PlacedProgram {
  readonly sums: readonly PlacedSum[];
  /** Strips of scratch needed: inputs, then outputs, then temporaries, four planes to a strip. */
  readonly strips: number;
}

export function createPlainKernel(): Kernel {
  const placed = new WeakMap<XorProgram, PlacedProgram>();
  let words = new Int32Array(0);
  let bytes = new Uint8Array(0);

  return {
    run(program, inputs, outputs, length) {
      const placement = placed.get(program) ?? placeValues(program);
      placed.set(program, placement);
      if (words.length < placement.strips * STRIP_WORDS) {
        words = new Int32Array(placement.strips * STRIP_WORDS);
        bytes = new Uint8Array(words.buffer);
      }
      for (let from = 0; from < length; from += STRIP_BYTES) {
        const count = Math.min(STRIP_BYTES, length - from);
        inputs.forEach((input, i) => {
          copyIn(bytes, i * STRIP_BYTES, input, from, count);
        });
        runStrip(words, placement.sums, count / 4);
        outputs.forEach((output, i) => {
          const at = (program.inputs + i) * STRIP_BYTES;
          output.set(bytes.subarray(at, at + count), from);
        });
      }
    },
  };
}

function copyIn(scratch: Uint8Array, at: number, input: Uint8Array, from: number, count: number): void {
  const given = Math.max(0, Math.min(count, input.length - from));
  if (given > 0) scratch.set(input.subarray(from, from + given), at);
  if (given < count) scratch.fill(0, at + given, at + count);
}

function runStrip(words: Int32Array, sums: readonly PlacedSum[], count: number): void {
  for (const { sum, terms } of sums) {
    const [a, b, c] = terms as [number, number, number];
    if (terms.length === 2) sumOfTwo(words, sum, a, b, count);
    else sumOfThree(words, sum, a, b, c, count);
    for (let next = 3; next < terms.length; next += 2) {
      if (next + 1 < terms.length) {
        sumOfThree(words, sum, sum, terms[next] as number, terms[next + 1] as number, count);
      } else sumOfTwo(words, sum, sum, terms[next] as number, count);
    }
  }
}

/** One plane of every cell of the strip. */
function sumOfTwo(words: Int32Array, sum: number, a: number, b: number, count: number): void {
  for (let i = 0; i < count; i += CELL_WORDS) {
    words[sum + i] = (words[a + i] as number) ^ (words[b + i] as number);
    words[sum + i + 1] = (words[a + i + 1] as number) ^ (words[b + i + 1] as number);
    words[sum + i + 2] = (words[a + i + 2] as number) ^ (words[b + i + 2] as number);
    words[sum + i + 3] = (words[a + i + 3] as number) ^ (words[b + i + 3] as number);
  }
}

/** The same with three terms: one store less than two sums of two. */
function sumOfThree(words: Int32Array, sum: number, a: number, b: number, c: number, count: number): void {
  for (let i = 0; i < count; i += CELL_WORDS) {
    words[sum + i] = (words[a + i] as number) ^ (words[b + i] as number) ^ (words[c + i] as number);
    words[sum + i + 1] = (words[a + i + 1] as number) ^ (words[b + i + 1] as number) ^ (words[c + i + 1] as number);
    words[sum + i + 2] = (words[a + i + 2] as number) ^ (words[b + i + 2] as number) ^ (words[c + i + 2] as number);
    words[sum + i + 3] = (words[a + i + 3] as number) ^ (words[b + i + 3] as number) ^ (words[c + i + 3] as number);
  }
}

/** Gives every value a plane of the scratch: loads and stored sums where their column is, other sums a temporary. */
function placeValues(program: XorProgram): PlacedProgram {
  const place: number[] = [];
  program.steps.forEach((step, index) => {
    if (step.op === 'load') place[index] = planeAt(step.input, step.plane);
    if (step.op !== 'store') return;
    assert(place[step.value] === undefined, 'a column of a code is a sum, and no two columns are equal');
    place[step.value] = planeAt(program.inputs + step.output, step.plane);
  });

  const sums = longSums(program);
  const lastUse: number[] = [];
  sums.forEach(({ terms }, index) => {
    for (const term of terms) lastUse[term] = index;
  });
  const temporaries = createTemporaries(program.inputs + program.outputs);
  const placed = sums.map(({ value, terms }, index): PlacedSum => {
    place[value] ??= temporaries.take();
    // A term can occur twice, once in each of two merged sums; its place is still free only once.
    for (const term of new Set(terms)) if (lastUse[term] === index) temporaries.giveBack(place[term] as number);
    return { sum: place[value] as number, terms: terms.map((term) => place[term] as number) };
  });
  return { sums: placed, strips: temporaries.strips() };
}

/** The XORs of a program as sums of many terms: one that is used only once, by another XOR, becomes part of it. */
function longSums(program: XorProgram): { value: number; terms: number[] }[] {
  const uses: number[] = [];
  const use = (value: number, by: number): void => {
    uses[value] = (uses[value] ?? 0) + by;
  };
  for (const step of program.steps) {
    if (step.op === 'xor') for (const operand of [step.a, step.b]) use(operand, 1);
    if (step.op === 'store') use(step.value, Number.POSITIVE_INFINITY);
  }
  const isPart = (value: number): boolean => program.steps[value]?.op === 'xor' && uses[value] === 1;
  const termsOf = (value: number): number[] => {
    const step = program.steps[value];
    assert(step?.op === 'xor', 'only sums have terms');
    return [step.a, step.b].flatMap((operand) => (isPart(operand) ? termsOf(operand) : [operand]));
  };
  return program.steps.flatMap((step, value) =>
    step.op === 'xor' && (uses[value] ?? 0) > 1 ? [{ value, terms: termsOf(value) }] : [],
  );
}

/** Planes behind those of the columns, reused after their last use. */
function createTemporaries(firstStrip: number): {
  take(): number;
  giveBack(place: number): void;
  strips(): number;
} {
  const free: number[] = [];
  let taken = 0;
  return {
    take() {
      const reused = free.pop();
      if (reused !== undefined) return reused;
      const next = taken++;
      return planeAt(firstStrip + Math.floor(next / PLANES), next % PLANES);
    },
    giveBack(place) {
      if (place >= planeAt(firstStrip, 0)) free.push(place);
    },
    strips: () => firstStrip + Math.ceil(taken / PLANES),
  };
}

/** Word offset of a plane of the first cell of a strip. */
const planeAt = (strip: number, plane: number): number => strip * STRIP_WORDS + plane * PLANE_WORDS;
