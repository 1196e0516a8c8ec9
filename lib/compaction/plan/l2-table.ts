// L2's packing: which of the candidate volumes should be merged into how many destinations? A dynamic programme over
// (volume, count, capacity) keeps the most live bytes for every (count, capacity) cell, and an objective scores the
// cells. All tables are allocated once per PackTable; the inner loops allocate nothing and touch typed arrays only.

import { assert } from '../../foundation/assert.ts';
import { RUN_SOURCES_MAX } from '../../limits/compaction.ts';
import { improveBySwaps, sumOf } from './l2-swaps.ts';

/**
 * Scores a cell: `sources` volumes with `packed` capacities of live bytes between them would fill `destinations`
 * volumes.
 * -Infinity refuses the cell. The best score wins; of equal scores the fuller destinations, then the fewer sources.
 */
export type CellScore = (sources: number, destinations: number, packed: number) => number;

export interface PackShape {
  /** Candidates a table can take. */
  readonly candidatesMax: number;
  /** K: most sources of a run. */
  readonly sourcesMax: number;
  /** Most destinations of a run; 1 is packing as published (k -> 1). */
  readonly destinationsMax: number;
  /** Cells per destination: the table counts live bytes in 1/granularity of a volume. */
  readonly granularity: number;
  /**
   * false: the table as published, live bytes rounded up. true: rounded down, with every cell's exact sum kept within
   * its destinations (so no set that fits is out of the table's sight), and the best few sets improved by exact swaps.
   */
  readonly exact: boolean;
}

export interface Packing {
  /** Indexes into the candidates given, ascending. */
  readonly chosen: readonly number[];
  readonly destinations: number;
  /** Sum of the chosen fills, in capacities of a destination. */
  readonly packed: number;
  readonly score: number;
}

/**
 * A further condition on the chosen set that the table cannot hold (bucket counts); a refused cell makes way for the
 * next best.
 */
export type Admit = (chosen: readonly number[], destinations: number) => boolean;

/** The published objective: the fullest destinations. */
export const maxFillScore: CellScore = (_sources, destinations, packed) => packed / destinations;

/**
 * Volumes reclaimed over what they cost in volumes written: the bytes moved, plus the destinations' holes at `hole`
 * bytes per byte (worth.ts). Neither the count nor the fill comes first; a cell wins by its yield.
 */
export const worthScore =
  (hole: number): CellScore =>
  (sources, destinations, packed) =>
    (sources - destinations) / (packed + hole * (destinations - packed));

const admitAll: Admit = () => true;
const EPSILON = 1e-12;
/** How many of the best cells are improved by swaps before one is chosen. */
const FINALISTS = 4;

export class PackTable {
  readonly shape: PackShape;
  readonly #weights: Int32Array;
  readonly #best: Float64Array;
  /**
   * By candidate and cell of capacity: bit k-1 is set if the candidate is the last one of the best k that weigh so
   * much.
   */
  readonly #taken: Uint32Array;
  /** Most a cell may hold exactly, its rounded sum notwithstanding: the destinations it stands for. */
  readonly #limits: Float64Array;
  /** By count: the least and the most that so many candidates can weigh; cells outside are out of reach. */
  readonly #lows: Int32Array;
  readonly #highs: Int32Array;
  readonly #row: number;

  constructor(shape: PackShape) {
    assert(shape.candidatesMax >= 2 && shape.sourcesMax >= 2, 'a run merges at least two volumes');
    assert(shape.sourcesMax <= RUN_SOURCES_MAX, `a run merges at most ${RUN_SOURCES_MAX} volumes`);
    assert(shape.destinationsMax >= 1 && shape.granularity >= 8, 'a run fills at least one volume, of 8 cells or more');
    this.shape = shape;
    this.#row = shape.destinationsMax * shape.granularity + 1;
    const cells = (shape.sourcesMax + 1) * this.#row;
    this.#weights = new Int32Array(shape.candidatesMax);
    this.#best = new Float64Array(cells);
    this.#limits = Float64Array.from({ length: this.#row }, (_, c) => Math.ceil(c / shape.granularity) + EPSILON);
    this.#lows = new Int32Array(shape.sourcesMax + 1);
    this.#highs = new Int32Array(shape.sourcesMax + 1);
    this.#taken = new Uint32Array(shape.candidatesMax * this.#row);
  }

  /**
   * The best run over `fills[0..count)`, each a live fraction of a destination, ascending; undefined if no cell is
   * worth anything.
   */
  pack(fills: Float64Array, count: number, score: CellScore, admit: Admit = admitAll): Packing | undefined {
    assert(count <= this.shape.candidatesMax && count <= fills.length, `${count} candidates do not fit the table`);
    this.#fill(fills, count);
    let best: Packing | undefined;
    let finalists = 0;
    for (const { sources, destinations, cell } of this.#ranked(score)) {
      const asFound = this.#backtrack(sources, cell, count);
      const improved = this.shape.exact ? improveBySwaps(fills, count, asFound, destinations) : asFound;
      const chosen = [improved, asFound].find((set) => admit(set, destinations));
      if (chosen === undefined) continue;
      const packed = sumOf(fills, chosen);
      const value = score(sources, destinations, packed);
      if (best === undefined || value > best.score) best = { chosen, destinations, packed, score: value };
      if (!this.shape.exact || ++finalists === FINALISTS) break;
    }
    return best;
  }

  #fill(fills: Float64Array, count: number): void {
    const { sourcesMax, granularity, exact } = this.shape;
    const row = this.#row;
    const best = this.#best;
    best.fill(-Infinity);
    best[0] = 0;
    this.#taken.fill(0, 0, count * row);
    for (let i = 0; i < count; i++) {
      const scaled = (fills[i] as number) * granularity;
      this.#weights[i] = Math.max(1, exact ? Math.floor(scaled) : Math.ceil(scaled - EPSILON));
    }
    // Candidates ascend: the first k are the lightest, the last k the heaviest.
    for (let k = 1; k <= Math.min(sourcesMax, count); k++) {
      this.#lows[k] = (this.#lows[k - 1] as number) + (this.#weights[k - 1] as number);
      this.#highs[k] = (this.#highs[k - 1] as number) + (this.#weights[count - k] as number);
    }
    for (let i = 0; i < count; i++) this.#visit(i, fills[i] as number, this.#weights[i] as number);
  }

  #visit(i: number, fill: number, weight: number): void {
    const row = this.#row;
    const best = this.#best;
    const taken = this.#taken;
    const limits = this.#limits;
    const base = i * row;
    for (let k = Math.min(i + 1, this.shape.sourcesMax); k > 0; k--) {
      const here = k * row;
      const bit = 1 << (k - 1);
      const from = here - row - weight;
      const low = Math.max(this.#lows[k] as number, weight);
      const high = Math.min(row - 1, this.#highs[k] as number);
      for (let c = high; c >= low; c--) {
        const candidate = (best[from + c] as number) + fill;
        if (candidate > (best[here + c] as number) && candidate <= (limits[c] as number)) {
          best[here + c] = candidate;
          taken[base + c] = (taken[base + c] as number) | bit;
        }
      }
    }
  }

  /** The best cell of every (count, destinations), best first. */
  #ranked(score: CellScore): { sources: number; destinations: number; cell: number; score: number; packed: number }[] {
    const { sourcesMax, destinationsMax, granularity } = this.shape;
    const out: { sources: number; destinations: number; cell: number; score: number; packed: number }[] = [];
    for (let k = 2; k <= sourcesMax; k++) {
      for (let m = 1; m <= Math.min(destinationsMax, k - 1); m++) {
        let top = -Infinity;
        let topCell = -1;
        for (let c = (m - 1) * granularity + 1; c <= m * granularity; c++) {
          const packed = this.#best[k * this.#row + c] as number;
          if (packed === -Infinity) continue;
          const value = score(k, m, packed);
          if (value > top || (value === top && packed > (this.#best[k * this.#row + topCell] as number))) {
            top = value;
            topCell = c;
          }
        }
        if (top === -Infinity) continue;
        const packed = this.#best[k * this.#row + topCell] as number;
        out.push({ sources: k, destinations: m, cell: topCell, score: top, packed });
      }
    }
    return out.sort(
      (a, b) => b.score - a.score || b.packed / b.destinations - a.packed / a.destinations || a.sources - b.sources,
    );
  }

  #backtrack(sources: number, cell: number, count: number): number[] {
    const row = this.#row;
    const chosen: number[] = [];
    let k = sources;
    let c = cell;
    for (let i = count - 1; i >= 0 && k > 0; i--) {
      if ((((this.#taken[i * row + c] as number) >>> (k - 1)) & 1) === 0) continue;
      chosen.push(i);
      c -= this.#weights[i] as number;
      k--;
    }
    assert(k === 0, 'the choice table leads back to an empty run');
    return chosen.reverse();
  }
}
