// Two more closed forms beside the planner: what a fixed threshold settles at under uniform deletes, and the least that
// has to be moved to mend a fleet once.

import { type FleetView, fleetOf } from '../compaction/facts/fleet.ts';
import { planSettingsFor } from '../compaction/facts/snapshot.ts';
import { planCompaction } from '../compaction/plan/planner.ts';
import { THRESHOLD_START } from '../compaction/threshold/law.ts';
import { DAY_MS } from '../foundation/durations.ts';
import { SeededRandomness } from '../foundation/randomness.ts';
import { capacityBytes, settingsOf } from '../settings/settings.ts';
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
  /** Parts of the live bytes: what has to be moved of volumes that were never filled … */
  readonly moved: number;
  /** … and of volumes that deletes emptied, so that each still has a remnant of every bucket. */
  readonly movedOfEmptied: number;
  /** The least possible: a fractional knapsack, sparsest first, into volumes without reserve. */
  readonly least: number;
}

const CELL = settingsOf('cell');

/**
 * The survey's synthetic incident (a fifth of the volumes 0 to 5 % live, a fifth 10 to 70 %, the rest 85 to 100 %)
 * mended as shipped: what `compact --until-stable --target-overhead` of a cell plans.
 */
export function runRecovery(targets: readonly number[], seed: number): RecoveryPoint[] {
  const random = new SeededRandomness(seed);
  const fills = Array.from({ length: 10_000 }, (_, n) => {
    const [low, high] = n % 5 === 0 ? [0, 0.05] : n % 5 === 1 ? [0.1, 0.7] : [0.85, 1];
    return (low as number) + ((high as number) - (low as number)) * uniform01(random);
  });
  const neverFilled = recoveryFleet(fills, (fill) => [fill, Math.max(1, Math.ceil(BUCKETS * fill))]);
  const emptied = recoveryFleet(fills, () => [1, BUCKETS]);
  const live = fills.reduce((sum, fill) => sum + fill, 0);
  return targets.map((target) => ({
    target,
    moved: movedTo(neverFilled, target),
    movedOfEmptied: movedTo(emptied, target),
    least: leastMoved(fills, target) / live,
  }));
}

const BUCKETS = capacityBytes(CELL, CELL.warmCodec) / CELL.bucketBytes;

/** `held`: how much was ever written into a volume, and how many buckets it has. */
function recoveryFleet(fills: readonly number[], held: (fill: number) => readonly [used: number, buckets: number]) {
  const capacity = capacityBytes(CELL, CELL.warmCodec);
  const volumes = fills.map((fill, n) => {
    const [used, bucketCount] = held(fill);
    return {
      id: n.toString(16).padStart(16, '0'),
      generation: 1,
      codec: CELL.warmCodec,
      state: 'sealed' as const,
      liveBytes: Math.round(fill * capacity),
      usedBytes: Math.round(used * capacity),
      capacityBytes: capacity,
      bucketCount,
      ageMs: 30 * DAY_MS,
    };
  });
  return fleetOf('simulated', CELL.cell, volumes);
}

function movedTo(view: FleetView, targetOverhead: number): number {
  const { runs, before } = planCompaction({
    view,
    settings: planSettingsFor(CELL, { targetOverhead, finish: true }),
    threshold: THRESHOLD_START,
  });
  return runs.reduce((sum, run) => sum + run.work.bytesRead, 0) / before.liveBytes;
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
