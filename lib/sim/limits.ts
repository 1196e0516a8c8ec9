// Two more closed forms beside the planner: what a fixed threshold settles at under uniform deletes, and the least that
// has to be moved to mend a fleet once.

import { fleetOf } from '../compaction/facts/fleet.ts';
import { planSettingsOf } from '../compaction/facts/plan-settings.ts';
import { planCompaction } from '../compaction/plan/planner.ts';
import { DAY_MS } from '../foundation/durations.ts';
import { SeededRandomness } from '../foundation/randomness.ts';
import { totalOf } from './fleet/apply-plan.ts';
import { deletesOf } from './fleet/deletes.ts';
import { FleetRun } from './fleet/fleet-run.ts';
import { uniform01 } from './fleet/live-coder-output.ts';
import { FLEET_SIZE, startFleet } from './fleet/start-fleet.ts';

export interface ThresholdPoint {
  /** Live fraction at which a volume is rewritten. */
  readonly fill: number;
  readonly overhead: number;
  readonly writeAmplification: number;
  /** ln(1/t) / (1 - t), and 1 / (1 - t). */
  readonly overheadLimit: number;
  readonly writeLimit: number;
}

/** Volumes drained as soon as their live fraction is down to `fill`, nothing else. */
export function runFixedThreshold(fill: number, seed: number): ThresholdPoint {
  const perDay = 0.02;
  const deletes = deletesOf('uniform', perDay);
  const size = { ...FLEET_SIZE, seed, liveVolumes: 500, relocation: 'blob' as const };
  const overheadLimit = Math.log(1 / fill) / (1 - fill);
  const run = new FleetRun(
    startFleet(size, deletes, overheadLimit),
    { deletes, stepMs: DAY_MS / (perDay * size.liveVolumes), shards: 1, writing: { mergeBelow: 1 } },
    {
      plan: {
        strategies: ['l3'],
        l3UpTo: 0.98,
        l2UpTo: 0.99,
        candidatesMax: 2,
        granularity: 8,
        drainOrder: 'sparsest',
      },
      threshold: 1 - fill,
    },
  );
  while (run.day < 1.5 / perDay) run.step();
  run.startCounting();
  let steps = 0;
  let overheads = 0;
  for (; run.day < 3 / perDay; steps++) {
    run.step();
    overheads += run.model.overhead;
  }
  const writeAmplification = 1 + totalOf(run.moved, 'bytes') / run.ingestedBytes;
  return { fill, overhead: overheads / steps, writeAmplification, overheadLimit, writeLimit: 1 / (1 - fill) };
}

export interface RecoveryPoint {
  readonly target: number;
  /** Parts of the live bytes: what the plan moves, and the least possible (a fractional knapsack, sparsest first). */
  readonly moved: number;
  readonly least: number;
}

/** The survey's synthetic incident: a fifth of the volumes 0 to 5 % live, a fifth 10 to 70 %, the rest 85 to 100 %. */
export function runRecovery(targets: readonly number[], seed: number): RecoveryPoint[] {
  const random = new SeededRandomness(seed);
  const capacityBytes = 12 * 1024 ** 3;
  const fills = Array.from({ length: 10_000 }, (_, n) => {
    const [low, high] = n % 5 === 0 ? [0, 0.05] : n % 5 === 1 ? [0.1, 0.7] : [0.85, 1];
    return (low as number) + ((high as number) - (low as number)) * uniform01(random);
  });
  const view = fleetOf(
    'simulated',
    'c0',
    fills.map((fill, n) => ({
      id: n.toString(16).padStart(16, '0'),
      generation: 1,
      codec: 'lrc-12-2-2',
      state: 'sealed',
      liveBytes: Math.round(fill * capacityBytes),
      usedBytes: capacityBytes,
      capacityBytes,
      bucketCount: 16,
      ageMs: 30 * DAY_MS,
    })),
  );
  const live = fills.reduce((sum, fill) => sum + fill, 0);
  return targets.map((target) => {
    const settings = planSettingsOf({ targetOverhead: target, runsMax: 100_000 });
    const { runs } = planCompaction({ view, settings, threshold: 0.1 });
    const moved = runs.reduce((sum, run) => sum + run.work.bytesRead, 0) / (live * capacityBytes);
    return { target, moved, least: leastMoved(fills, target) / live };
  });
}

/** Volumes moved by an ideal stream to bring a fleet to an overhead: whole ones, the sparsest first. */
export function leastMoved(fills: Iterable<number>, target: number): number {
  const sorted = [...fills].sort((a, b) => a - b);
  const live = sorted.reduce((sum, fill) => sum + fill, 0);
  let capacity = sorted.length;
  let moved = 0;
  for (const fill of sorted) {
    if (capacity / live <= target) break;
    capacity -= 1 - fill;
    moved += fill;
  }
  return moved;
}
