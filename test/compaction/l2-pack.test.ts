// The packing table: against the exact optimum, and against the published objective on the study's fill ranges.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packQuickly } from '../../lib/compaction/plan/l2-quick.ts';
import { maxFillScore, PackTable, worthScore } from '../../lib/compaction/plan/l2-table.ts';
import { holePrice } from '../../lib/compaction/plan/worth.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { lossesOf, SOLVER_GAP } from './packing-optimum.ts';
import { campaign, uniformFills } from './packing-oracle.ts';

const THRESHOLD = 0.25;
const worth = worthScore(holePrice(THRESHOLD));

describe('packing', () => {
  it('is within 0.5 % of the exact optimum on average and never worse than K/256 (3 instances, both objectives)', async () => {
    const losses = await lossesOf({ count: 3, candidates: 12, sourcesMax: 5, destinationsMax: 2 });
    expect(Object.keys(losses)).toEqual(['max-fill', 'worth']);
    for (const { mean, worst, least } of Object.values(losses)) {
      expect(mean).toBeLessThanOrEqual(0.005);
      expect(worst).toBeLessThanOrEqual(5 / 256);
      expect(least).toBeGreaterThan(-10 * SOLVER_GAP);
    }
  });

  it('worth reclaims at least 55, 50 and 25 % more volumes than max-fill for the same bytes, into fuller than 0.99', () => {
    const goals = [
      { low: 0.1, high: 0.7, more: 0.55 },
      { low: 0.02, high: 0.5, more: 0.5 },
      { low: 0.1, high: 0.4, more: 0.25 },
    ];
    for (const { low, high, more } of goals) {
      const sums = { worthVolumes: 0, worthBytes: 0, fillVolumes: 0, fillBytes: 0, destinations: 0 };
      for (let seed = 1; seed <= 8; seed++) {
        const fills = uniformFills(new SeededRandomness(seed * 7919), 400, low, high);
        const published = campaign(fills, { score: maxFillScore, destinationsMax: 1, exact: false }, 20);
        const ours = campaign(fills, { score: worth, destinationsMax: 9, exact: true }, published.moved);
        sums.worthVolumes += ours.reclaimed;
        sums.worthBytes += ours.moved;
        sums.fillVolumes += published.reclaimed;
        sums.fillBytes += published.moved;
        sums.destinations += ours.destinations;
      }
      const gain = sums.worthVolumes / sums.worthBytes / (sums.fillVolumes / sums.fillBytes) - 1;
      expect(gain, `fills ${low}..${high}`).toBeGreaterThanOrEqual(more);
      expect(sums.worthBytes / sums.destinations).toBeGreaterThanOrEqual(0.99);
    }
  });

  it('never overfills, never takes a volume twice, keeps K, and its sum is the sum', () => {
    const table = new PackTable({
      candidatesMax: 40,
      sourcesMax: 8,
      destinationsMax: 4,
      granularity: 64,
      exact: true,
    });
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 40 }), (list) => {
        const fills = Float64Array.from(list).sort();
        for (const score of [maxFillScore, worth]) {
          const packing = table.pack(fills, fills.length, score);
          if (packing === undefined) continue;
          const sum = packing.chosen.reduce((total, i) => total + (fills[i] as number), 0);
          expect(new Set(packing.chosen).size).toBe(packing.chosen.length);
          expect(packing.chosen.length).toBeLessThanOrEqual(8);
          expect(packing.chosen.length).toBeGreaterThan(packing.destinations);
          expect(packing.packed).toBeCloseTo(sum, 12);
          expect(sum).toBeLessThanOrEqual(packing.destinations + 1e-9);
        }
      }),
    );
  });

  it('a refused set makes way for the next best cell', () => {
    const table = new PackTable({
      candidatesMax: 8,
      sourcesMax: 4,
      destinationsMax: 1,
      granularity: 256,
      exact: true,
    });
    const fills = Float64Array.from([0.2, 0.3, 0.46, 0.5]);
    const first = table.pack(fills, 4, maxFillScore);
    expect(first?.chosen).toEqual([0, 1, 3]);
    const second = table.pack(fills, 4, maxFillScore, (chosen) => chosen.length <= 2);
    expect(second?.chosen).toEqual([2, 3]);
    expect(table.pack(fills, 4, maxFillScore, () => false)).toBeUndefined();
  });

  it('the quick packing of long plans frees within 1 % of what the table frees', () => {
    const shape = { candidatesMax: 120, sourcesMax: 10, destinationsMax: 9, granularity: 256, exact: true };
    const table = new PackTable(shape);
    for (const [low, high] of [
      [0.1, 0.4],
      [0.1, 0.7],
      [0.7, 0.9],
    ] as const) {
      let byTable = 0;
      let quickly = 0;
      for (let seed = 1; seed <= 10; seed++) {
        const fills = uniformFills(new SeededRandomness(seed), 120, low, high);
        const quick = packQuickly(fills, 120, shape, worth, () => true);
        expect(quick?.packed).toBeLessThanOrEqual((quick?.destinations ?? 0) + 1e-9);
        expect(quick?.packed).toBeCloseTo(quick?.chosen.reduce((sum, i) => sum + (fills[i] as number), 0) ?? -1, 12);
        byTable += table.pack(fills, 120, worth)?.score ?? 0;
        quickly += quick?.score ?? 0;
      }
      expect(quickly).toBeGreaterThanOrEqual(0.99 * byTable);
    }
  });

  it('dense volumes, of which no two fit together, are packed k -> m', () => {
    const table = new PackTable({
      candidatesMax: 20,
      sourcesMax: 10,
      destinationsMax: 9,
      granularity: 256,
      exact: true,
    });
    const fills = new Float64Array(20).fill(0.85);
    const packing = table.pack(fills, 20, worth);
    expect(packing?.destinations).toBe(6);
    expect(packing?.chosen.length).toBe(7);
    expect(new PackTable({ ...table.shape, destinationsMax: 1 }).pack(fills, 20, worth)).toBeUndefined();
  });
});
