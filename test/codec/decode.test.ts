// Which patterns each code survives: exact counts, the theory behind them, and that plans are the cheapest.
import { describe, expect, it } from 'vitest';
import { codecOf } from '../../lib/codec/codecs.ts';
import { linearCodeOf } from '../../lib/codec/codes.ts';
import { inverse, multiply, planeMasks, rankOf } from '../../lib/codec/kernel/gf16.ts';
import { GENERATORS, patterns, times } from './reference.ts';

describe('GF(16)', () => {
  it('multiplies, inverts and maps bit planes as the definition says', () => {
    for (let a = 0; a < 16; a++) {
      for (let b = 0; b < 16; b++) {
        expect(multiply(a, b)).toBe(times(a, b));
        const masks = planeMasks(a);
        const byPlanes = masks.reduce((sum, mask, to) => sum | ((ones(mask & b) % 2) << to), 0);
        expect(byPlanes).toBe(times(a, b));
      }
      if (a > 0) expect(times(a, inverse(a))).toBe(1);
    }
  });
});

describe('generators', () => {
  it.each(['rs-6-3', 'lrc-12-2-2', 'xor-2-1', 'xor-3-1'] as const)('%s is the matrix written out', (name) => {
    expect(linearCodeOf(name).generator).toEqual(GENERATORS[name]);
  });

  it('rs-6-3 is MDS: any six of the nine rows have full rank', () => {
    const rows = extendedRows('rs-6-3');
    const sixes = patterns(9, 6).filter((set) => set.length === 6);
    expect(sixes).toHaveLength(84);
    for (const set of sixes) expect(rankOf(set.map((row) => rows[row] as number[]))).toBe(6);
  });
});

describe('decodable patterns', () => {
  it.each([
    ['single', [0]],
    ['replica-4', [4, 6, 4, 0]],
    ['rs-6-3', [9, 36, 84, 0]],
    ['lrc-12-2-2', [16, 120, 560, 1568, 0]],
    ['xor-2-1', [3, 0]],
    ['xor-3-1', [4, 0]],
  ] as const)('%s survives exactly %j patterns of 1, 2, ... losses', (name, expected) => {
    const codec = codecOf(name);
    const counts = expected.map(() => 0);
    for (const lost of patterns(codec.dataColumns + codec.parityColumns, expected.length)) {
      const can = codec.canReconstruct(lost);
      const plan = codec.repairPlan(lost);
      expect(plan.ok).toBe(can);
      if (!plan.ok) expect(plan.reason).toContain(name);
      counts[lost.length - 1] = (counts[lost.length - 1] as number) + (can ? 1 : 0);
    }
    expect(counts).toEqual(expected);
  });

  it('lrc-12-2-2 is maximally recoverable: it fails only where counting equations forbids', () => {
    const codec = codecOf('lrc-12-2-2');
    for (const lost of patterns(16, 4)) {
      const inGroup = (first: number, parity: number): number =>
        lost.filter((c) => (c >= first && c < first + 6) || c === parity).length;
      const needed = Math.max(0, inGroup(0, 12) - 1) + Math.max(0, inGroup(6, 13) - 1);
      const globals = 2 - lost.filter((c) => c >= 14).length;
      expect(codec.canReconstruct(lost), `lost ${lost}`).toBe(needed <= globals);
    }
  });

  it('order and repetition of the lost columns do not matter', () => {
    const codec = codecOf('lrc-12-2-2');
    expect(codec.repairPlan([7, 0, 7, 1])).toEqual(codec.repairPlan([0, 1, 7]));
    expect(codec.canReconstruct([])).toBe(true);
    expect(codec.repairPlan([])).toEqual({ ok: true, reads: [] });
  });

  it('a number that is no column of the code is a programmer error', () => {
    for (const name of ['rs-6-3', 'replica-4'] as const) {
      const codec = codecOf(name);
      expect(() => codec.repairPlan([9])).toThrow('no column 9');
      expect(() => codec.canReconstruct([-1])).toThrow('no column -1');
    }
  });
});

describe('repair plans', () => {
  it('one lost data or local parity column of lrc-12-2-2 is read from six, a global one from twelve', () => {
    const codec = codecOf('lrc-12-2-2');
    expect(codec.repairPlan([3])).toEqual({ ok: true, reads: [0, 1, 2, 4, 5, 12] });
    expect(codec.repairPlan([8])).toEqual({ ok: true, reads: [6, 7, 9, 10, 11, 13] });
    expect(codec.repairPlan([13])).toEqual({ ok: true, reads: [6, 7, 8, 9, 10, 11] });
    expect(codec.repairPlan([14])).toEqual({ ok: true, reads: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11] });
  });

  it('asks only for what the wanted columns need', () => {
    const codec = codecOf('lrc-12-2-2');
    expect(codec.repairPlan([0, 6], [6])).toEqual({ ok: true, reads: [7, 8, 9, 10, 11, 13] });
    // Five lost cannot all come back, yet the one alone in its group can.
    expect(codec.canReconstruct([0, 1, 2, 3, 6])).toBe(false);
    expect(codec.repairPlan([0, 1, 2, 3, 6], [6]).ok).toBe(true);
    expect(codec.repairPlan([0, 1], [5])).toEqual({ ok: true, reads: [5] });
    expect(codecOf('replica-4').repairPlan([0, 2])).toEqual({ ok: true, reads: [1] });
  });

  it.each(['rs-6-3', 'xor-2-1', 'xor-3-1', 'lrc-12-2-2'] as const)(
    '%s: no smaller set of columns suffices, by rank',
    (name) => {
      const codec = codecOf(name);
      const total = codec.dataColumns + codec.parityColumns;
      const rows = extendedRows(name);
      for (const lost of patterns(total, name === 'lrc-12-2-2' ? 1 : codec.parityColumns)) {
        const plan = codec.repairPlan(lost);
        if (!plan.ok) continue;
        expect(spans(rows, plan.reads, lost), `${name} lost ${lost}`).toBe(true);
        const left = Array.from({ length: total }, (_, i) => i).filter((i) => !lost.includes(i));
        const smaller = subsetsOf(left, plan.reads.length - 1);
        expect(
          smaller.some((set) => spans(rows, set, lost)),
          `${name} lost ${lost} reads ${plan.reads}`,
        ).toBe(false);
      }
    },
  );
});

const ones = (mask: number): number => [0, 1, 2, 3].filter((bit) => (mask >> bit) & 1).length;

function extendedRows(name: 'rs-6-3' | 'lrc-12-2-2' | 'xor-2-1' | 'xor-3-1'): number[][] {
  const parity = GENERATORS[name];
  const width = parity[0]?.length ?? 0;
  const identity = Array.from({ length: width }, (_, i) => Array.from({ length: width }, (_, j) => (i === j ? 1 : 0)));
  return [...identity, ...parity.map((row) => [...row])];
}

function spans(rows: readonly number[][], reads: readonly number[], wanted: readonly number[]): boolean {
  const read = reads.map((i) => rows[i] as number[]);
  return rankOf(read) === rankOf([...read, ...wanted.map((i) => rows[i] as number[])]);
}

const subsetsOf = (items: readonly number[], size: number): number[][] =>
  patterns(items.length, size)
    .filter((set) => set.length === size)
    .map((set) => set.map((i) => items[i] as number));
