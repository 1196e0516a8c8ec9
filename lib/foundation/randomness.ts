// The randomness port: system entropy for ids, keys and nonces; a seeded generator for tests and simulations.
// No floating point in the interface, so that a seed gives the same run everywhere.
import { randomBytes, randomFillSync, randomInt } from 'node:crypto';
import { assert } from './assert.ts';

export interface Randomness {
  /** `length` fresh bytes. */
  bytes(length: number): Uint8Array;
  /** A uniform integer in [0, bound), bound <= 2^32. */
  below(bound: number): number;
}

const POOL_BYTES = 4096;
/** Longer ones are fetched by themselves. */
const POOLED_BYTES = POOL_BYTES / 64;
const pool = Buffer.alloc(POOL_BYTES);
let used = POOL_BYTES;

/** A call of the system's generator takes longer than what it makes: out of a pool, where nothing of it stays. */
function pooledBytes(length: number): Uint8Array {
  if (used + length > POOL_BYTES) {
    randomFillSync(pool);
    used = 0;
  }
  const bytes = Buffer.allocUnsafeSlow(length);
  pool.copy(bytes, 0, used, used + length);
  pool.fill(0, used, used + length);
  used += length;
  return bytes;
}

export const systemRandomness: Randomness = {
  bytes: (length) => (length <= POOLED_BYTES ? pooledBytes(length) : randomBytes(length)),
  below: (bound) => (bound <= 1 ? 0 : randomInt(bound)),
};

/**
 * xoshiro128** (Blackman and Vigna), seeded through splitmix32: for tests and simulations, never for keys of real data.
 */
export class SeededRandomness implements Randomness {
  readonly seed: number;
  #a: number;
  #b: number;
  #components: number;
  #d: number;

  constructor(seed: number) {
    assert(Number.isSafeInteger(seed) && seed >= 0, `a seed is a non-negative integer, not ${seed}`);
    this.seed = seed;
    let state = (seed ^ (seed / 0x1_0000_0000)) >>> 0;
    const next = (): number => {
      state = (state + 0x9e3779b9) >>> 0;
      let z = state;
      z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
      z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
      return (z ^ (z >>> 15)) >>> 0;
    };
    this.#a = next();
    this.#b = next();
    this.#components = next();
    this.#d = next() | 1;
  }

  /** A uniform 32-bit unsigned integer. */
  uint32(): number {
    const product = Math.imul(this.#b, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0;
    const t = this.#b << 9;
    this.#components ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#components;
    this.#a ^= this.#d;
    this.#components ^= t;
    this.#d = (this.#d << 11) | (this.#d >>> 21);
    return result;
  }

  bytes(length: number): Uint8Array {
    const out = new Uint8Array(length);
    for (let i = 0; i < length; i += 4) {
      const word = this.uint32();
      for (let j = 0; j < 4 && i + j < length; j++) out[i + j] = word >>> (8 * j);
    }
    return out;
  }

  below(bound: number): number {
    assert(Number.isInteger(bound) && bound >= 1 && bound <= 0x1_0000_0000, `below(${bound})`);
    const limit = 0x1_0000_0000 - (0x1_0000_0000 % bound);
    let word = this.uint32();
    while (word >= limit) word = this.uint32();
    return word % bound;
  }
}

/** A shuffled copy (Fisher-Yates). */
export function shuffled<T>(items: readonly T[], randomness: Randomness): T[] {
  const out = [...items];
  for (let i = out.length - 1; i > 0; i--) {
    const j = randomness.below(i + 1);
    const moved = out[i] as T;
    out[i] = out[j] as T;
    out[j] = moved;
  }
  return out;
}
