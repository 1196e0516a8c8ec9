// The packing table against the exact optimum: for every number of sources and destinations a solver of integer programs (HiGHS) says
// how much can be packed at most; an objective then has its best cell.
import highsModule from 'highs';
import { type CellScore, maxFillScore, PackTable, worthScore } from '../../lib/compaction/plan/l2-table.ts';
import { holePrice } from '../../lib/compaction/plan/worth.ts';
import { assert } from '../../lib/foundation/assert.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { uniformFills } from './packing-oracle.ts';

// The package's types describe its CommonJS build, whose default export is one level further down than that of the module.
const loadSolver = highsModule as unknown as typeof highsModule.default;

/** The solver stops this close to the optimum (relative). */
export const SOLVER_GAP = 1e-4;

export interface Instances {
  readonly count: number;
  readonly candidates: number;
  readonly sourcesMax: number;
  readonly destinationsMax: number;
}

type Solver = Awaited<ReturnType<typeof loadSolver>>;

/** The best score of any choice. Cells that cannot beat the best one found, however full, are not solved. */
function bestScore(
  most: (k: number, m: number) => number,
  fills: Float64Array,
  s: Instances,
  score: CellScore,
): number {
  const heaviest = [...fills].reverse();
  const cells = Array.from({ length: s.sourcesMax - 1 }, (_, at) => at + 2).flatMap((k) => {
    const sum = heaviest.slice(0, k).reduce((all, fill) => all + fill, 0);
    return Array.from({ length: Math.min(s.destinationsMax, k - 1) }, (_, at) => {
      return { k, m: at + 1, bound: score(k, at + 1, Math.min(at + 1, sum)) };
    });
  });
  let best = -Infinity;
  for (const { k, m, bound } of cells.sort((a, b) => b.bound - a.bound)) {
    if (bound <= best * (1 + SOLVER_GAP)) break;
    const packed = most(k, m);
    if (packed > 0) best = Math.max(best, score(k, m, packed));
  }
  return best;
}

/** The most that so many of the volumes hold without overflowing their destinations; -Infinity where they cannot but overflow. */
function mostPacked(solver: Solver, fills: Float64Array, sources: number, destinations: number): number {
  const names = [...fills.keys()].map((i) => `x${i}`);
  // Signs are part of the format; numbers are written out in full.
  const sum = names.map((name, i) => `+ ${(fills[i] as number).toFixed(12)} ${name}`).join(' ');
  const model = `Maximize
 packed: ${sum}
Subject To
 room: ${sum} <= ${destinations}
 count: ${names.map((name) => `+ ${name}`).join(' ')} = ${sources}
Binary
 ${names.join(' ')}
End`;
  const solved = solver.solve(model, { output_flag: false, mip_rel_gap: SOLVER_GAP });
  if (solved.Status === 'Infeasible') return -Infinity;
  assert(solved.Status === 'Optimal', `the solver says ${solved.Status}`);
  return solved.ObjectiveValue;
}

interface Losses {
  readonly mean: number;
  readonly worst: number;
  /** Below zero by more than rounding: the table claims more than is possible. */
  readonly least: number;
}

/** How far the table stays behind the optimum, relative to it, over seeded instances. */
export async function lossesOf(instances: Instances): Promise<Readonly<Record<string, Losses>>> {
  const { count, candidates, sourcesMax, destinationsMax } = instances;
  const solver = await loadSolver();
  const scores: Readonly<Record<string, CellScore>> = {
    'max-fill': maxFillScore,
    worth: worthScore(holePrice(0.25)),
  };
  const table = new PackTable({
    candidatesMax: candidates,
    sourcesMax,
    destinationsMax,
    granularity: 256,
    exact: true,
  });
  const losses: Record<string, number[]> = {};
  for (let seed = 1; seed <= count; seed++) {
    const fills = uniformFills(new SeededRandomness(seed), candidates, 0.05, 0.8);
    const solved = new Map<string, number>();
    const most = (k: number, m: number): number => {
      const packed = solved.get(`${k} ${m}`) ?? mostPacked(solver, fills, k, m);
      solved.set(`${k} ${m}`, packed);
      return packed;
    };
    for (const [name, score] of Object.entries(scores)) {
      const best = bestScore(most, fills, instances, score);
      const found = table.pack(fills, fills.length, score)?.score ?? 0;
      losses[name] = [...(losses[name] ?? []), 1 - found / best];
    }
  }
  return Object.fromEntries(
    Object.entries(losses).map(([name, all]) => [
      name,
      {
        mean: all.reduce((sum, loss) => sum + loss, 0) / all.length,
        worst: Math.max(...all),
        least: Math.min(...all),
      },
    ]),
  );
}
