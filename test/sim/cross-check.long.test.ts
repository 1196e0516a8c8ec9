// The same churn on a store and on its twin in the simulator, ten rounds running. The twin is never told what the store
// did: it begins with as many records of the same length, and is told how many come and go.
import { expect, it } from 'vitest';
import { type Led, StoreSide, TwinSide } from './twins.ts';

const RECORDS = 19_000;
const ROUNDS = 10;
const KIB = 1024;
/** Bytes moved in all rounds, … */
const WITHIN = 0.02;
/** … overhead in the mean of them, … */
const MEAN_WITHIN = 0.01;
/** … and after each: the two do not begin the same run in the same round. */
const ROUND_WITHIN = 0.03;

interface Case extends Led {
  readonly name: string;
  readonly recordBytes: number;
  /** Deleted and put again in each round. */
  readonly share: number;
  /** What has to move something. */
  readonly moves: readonly string[];
}

const CASES: readonly Case[] = [
  { name: 'as shipped', recordBytes: KIB, share: 0.15, threshold: 0.12, changes: {}, moves: ['l2'] },
  {
    name: 'as shipped, longer records',
    recordBytes: 4 * KIB,
    share: 0.15,
    threshold: 0.12,
    changes: {},
    moves: ['l2'],
  },
  {
    name: 'L3 alone',
    recordBytes: KIB,
    share: 0.15,
    threshold: 0.2,
    changes: { strategies: ['l3'], l3UpTo: 0.98, l2UpTo: 0.99 },
    moves: ['l3'],
  },
  {
    name: 'L1 from 0.7',
    recordBytes: KIB,
    share: 0.1,
    threshold: 0.1,
    changes: { topOffs: 'always', unpacked: 'wait', l2UpTo: 0.7 },
    moves: ['l1'],
  },
  {
    name: 'merges',
    recordBytes: KIB,
    share: 0.25,
    threshold: 0.2,
    changes: {},
    merging: { rowsPerGibMax: (1.5 * KIB ** 3) / (16 * KIB), remnantFraction: 0.5 },
    moves: ['merge', 'l2'],
  },
];

it.each(CASES)(
  'moves as many bytes to the same overhead as the store: $name',
  async (one) => {
    const { name, recordBytes, share, moves } = one;
    const store = new StoreSide(recordBytes, RECORDS);
    await store.put(RECORDS);
    const twin = new TwinSide(store.settings, await store.units(RECORDS));
    twin.put(RECORDS);
    const sum = { store: 0, twin: 0 };
    const overheads = { store: 0, twin: 0 };
    const by: Record<string, number> = {};
    for (let round = 0; round < ROUNDS; round++) {
      const count = Math.round(RECORDS * share);
      for (const side of [store, twin]) side.aDayPasses();
      await store.delete(share);
      twin.delete(count);
      await store.put(count);
      twin.put(count);
      const [done, forecast] = [await store.compact(one), twin.compact(one)];
      for (const [what, bytes] of Object.entries(done.bytes)) by[what] = (by[what] ?? 0) + bytes;
      sum.store += total(done.bytes);
      sum.twin += total(forecast.bytes);
      const [held, foreseen] = [await store.overhead(), twin.overhead];
      const shown = `overhead ${held.toFixed(4)}, ${foreseen.toFixed(4)}; moved ${inMb(sum.store)}, ${inMb(sum.twin)} MB in all`;
      console.log(`${name}, round ${round + 1}: ${shown}`);
      overheads.store += held;
      overheads.twin += foreseen;
      expect.soft(apart(foreseen, held), `overhead ${held}, ${foreseen}`).toBeLessThan(ROUND_WITHIN);
    }
    for (const what of moves) expect(by[what], what).toBeGreaterThan(0);
    expect.soft(apart(sum.twin, sum.store), `moved ${sum.store}, ${sum.twin}`).toBeLessThan(WITHIN);
    const means = `overhead in the mean ${overheads.store / ROUNDS}, ${overheads.twin / ROUNDS}`;
    expect.soft(apart(overheads.twin, overheads.store), means).toBeLessThan(MEAN_WITHIN);
  },
  900_000,
);

const apart = (a: number, b: number): number => Math.abs(a / b - 1);

const inMb = (bytes: number): string => (bytes / 1e6).toFixed(1);
const total = (bytes: Readonly<Record<string, number>>): number =>
  Object.values(bytes).reduce((sum, its) => sum + its, 0);
