// Seeded fills, and a campaign of runs over one pool as the study did it.
import { type CellScore, PackTable } from '../../lib/compaction/plan/l2-table.ts';
import type { SeededRandomness } from '../../lib/foundation/randomness.ts';

export const uniform = (randomness: SeededRandomness, low: number, high: number): number =>
  low + (high - low) * (randomness.uint32() / 0x1_0000_0000);

export function uniformFills(randomness: SeededRandomness, count: number, low: number, high: number): Float64Array {
  return Float64Array.from({ length: count }, () => uniform(randomness, low, high)).sort();
}

interface Campaign {
  readonly reclaimed: number;
  readonly moved: number;
  readonly destinations: number;
}

/** Run after run from the sparsest 120 of what is left of one pool, until the next run would move more than `budget` volumes. */
export function campaign(
  fills: Float64Array,
  by: { score: CellScore; destinationsMax: number; exact: boolean },
  budget: number,
): Campaign {
  const window = 120;
  const { score, destinationsMax, exact } = by;
  const table = new PackTable({ candidatesMax: window, sourcesMax: 10, destinationsMax, granularity: 256, exact });
  const pool = [...fills].sort((a, b) => a - b);
  let moved = 0;
  let reclaimed = 0;
  let destinations = 0;
  for (;;) {
    const candidates = Float64Array.from(pool.slice(0, window));
    const packing = table.pack(candidates, candidates.length, score);
    if (packing === undefined || moved + packing.packed > budget + 1e-6) break;
    moved += packing.packed;
    reclaimed += packing.chosen.length - packing.destinations;
    destinations += packing.destinations;
    for (const i of [...packing.chosen].reverse()) pool.splice(i, 1);
  }
  return { reclaimed, moved, destinations };
}
