// `sim steady`: a fleet whose writes balance its deletes, held at an overhead; what write amplification does that cost,
// and how near is it to the closed-form limit? And the floor of packing k -> 1, which no budget gets under.

import type { PlanSettings } from '../compaction/facts/plan-settings.ts';
import { lambertBound, packingFloor } from '../compaction/plan/worth.ts';
import { DAY_MS } from '../foundation/durations.ts';
import { totalOf } from './fleet/apply-plan.ts';
import { type DeletePattern, type Deletes, deletesOf } from './fleet/deletes.ts';
import { FleetRun } from './fleet/fleet-run.ts';
import { FLEET_SIZE, type FleetSize, startFleet } from './fleet/start-fleet.ts';
import type { Policy } from './fleet/world.ts';

export interface SteadyPoint {
  /** Name of the deletes: a pattern, or a trace. */
  readonly pattern: string;
  readonly policy: SteadyPolicy;
  readonly target: number;
  readonly overhead: number;
  /** (ingested + moved) / ingested. */
  readonly writeAmplification: number;
  /** Closed-form limit at the overhead measured: Lambert's for uniform deletes, perfect separation otherwise. */
  readonly bound: number;
  readonly metadataWritesPerGib: number;
}

export interface SteadyOptions {
  readonly size?: Partial<FleetSize>;
  readonly pattern?: DeletePattern;
  /** In place of a pattern and a rate: lived day by day, the last two thirds of it counted. */
  readonly trace?: Deletes;
  readonly policy?: SteadyPolicy;
  readonly deletesPerDay?: number;
  /** Lifetimes (live data rewritten once) before counting, and counted. */
  readonly warmUp?: number;
  readonly counted?: number;
  readonly hintRight?: number;
  readonly onProgress?: (part: number) => void;
}

export const STEADY_POLICIES = ['greedy', 'worth', 'pack-one', 'pack-many'] as const;
/**
 * `greedy`: sparsest first, all survivors together; `worth`: as the planner drains by default; `pack-…`: L2 alone, k ->
 * 1 or k -> m.
 */
export type SteadyPolicy = (typeof STEADY_POLICIES)[number];

/** No packing table is needed where nothing is packed. */
const STREAM: Partial<PlanSettings> = {
  strategies: ['l3'],
  l3UpTo: 0.98,
  l2UpTo: 0.99,
  candidatesMax: 2,
  granularity: 8,
  drainOrder: 'sparsest',
};
const PACK: Partial<PlanSettings> = {
  strategies: ['l2', 'l3'],
  l3UpTo: 0.09,
  l2UpTo: 0.98,
  reserve: 0,
  unpacked: 'wait',
};
const PLANS: Readonly<Record<SteadyPolicy, Partial<PlanSettings>>> = {
  greedy: STREAM,
  worth: { ...STREAM, drainOrder: 'worth' },
  'pack-one': { ...PACK, objective: 'max-fill', destinationsMax: 1, granularity: 128, candidatesMax: 60 },
  'pack-many': { ...PACK, tableRunsMax: 0 },
};

export function runSteady(target: number, options: SteadyOptions = {}): SteadyPoint {
  const policyName = options.policy ?? 'greedy';
  const size = { ...FLEET_SIZE, liveVolumes: 300, relocation: 'blob' as const, ...options.size };
  const deletes = options.trace ?? deletesOf(options.pattern ?? 'uniform', options.deletesPerDay ?? 0.02);
  const { perDay } = deletes;
  const policy: Policy = {
    plan: PLANS[policyName],
    threshold: 0.02,
    targetOverhead: target,
  };
  const world = {
    deletes,
    // A volume's worth of deletes per step, or a thousandth of the fleet's.
    stepMs: DAY_MS / (perDay * Math.min(1000, size.liveVolumes)),
    shards: 1,
    writing: { mergeBelow: size.relocation === 'blob' ? 1 : 0.5 },
    ...(options.hintRight === undefined ? {} : { hintRight: options.hintRight }),
  };
  const run = new FleetRun(startFleet(size, deletes, target), world, policy);
  const days = deletes.trace === undefined ? undefined : (deletes.trace.at(-1)?.day ?? 0) + 1;
  const warmUp = days === undefined ? (options.warmUp ?? 1.5) / perDay : days / 3;
  const end = days ?? warmUp + (options.counted ?? 1.5) / perDay;
  let steps = 0;
  let overheads = 0;
  while (run.day < end) {
    const wasWarm = run.day >= warmUp;
    run.step();
    options.onProgress?.(run.day / end);
    if (!wasWarm && run.day >= warmUp) run.startCounting();
    if (!wasWarm) continue;
    steps++;
    overheads += run.model.overhead;
  }
  const overhead = overheads / steps;
  return {
    pattern: deletes.name,
    policy: policyName,
    target,
    overhead,
    writeAmplification: 1 + totalOf(run.moved, 'bytes') / run.ingestedBytes,
    bound: boundOf(deletes, overhead),
    metadataWritesPerGib: totalOf(run.moved, 'metadataWrites') / (run.ingestedBytes / 1024 ** 3),
  };
}

/**
 * Least write amplification at an overhead: every class kept by itself, the overhead shared out between them as well as
 * can be.
 */
export function boundOf({ classes }: Deletes, overhead: number): number {
  if (classes.length === 1) return lambertBound(overhead);
  // Lagrange: every class at the same marginal gain per allocated byte; the multiplier is found by bisection.
  let low = 1e-9;
  let high = 1e6;
  for (let n = 0; n < 50; n++) {
    const price = Math.sqrt(low * high);
    const sum = classes.reduce(
      (all, { writeShare, liveShare }) => all + liveShare * bestOverhead((price * liveShare) / writeShare),
      0,
    );
    if (sum > overhead) low = price;
    else high = price;
  }
  const price = Math.sqrt(low * high);
  return classes.reduce(
    (all, { writeShare, liveShare }) => all + writeShare * lambertBound(bestOverhead((price * liveShare) / writeShare)),
    0,
  );
}

/** Where the write amplification of one class falls by `slope` per unit of overhead. */
function bestOverhead(slope: number): number {
  let low = 1.0001;
  let high = 50;
  for (let n = 0; n < 40; n++) {
    const middle = (low + high) / 2;
    const step = 1e-5;
    const fall = (lambertBound(middle) - lambertBound(middle + step)) / step;
    if (fall > slope) low = middle;
    else high = middle;
  }
  return low;
}

export interface FloorPoint {
  readonly name: string;
  readonly overhead: number;
  readonly floor: number;
}

/** The overhead at which packing stalls although nothing limits it: k -> 1 as published, and k -> m. */
export function runFloors(options: SteadyOptions = {}): FloorPoint[] {
  const at = (policy: SteadyPolicy): number =>
    runSteady(1.03, { warmUp: 1, counted: 0.5, ...options, policy }).overhead;
  return [
    { name: 'k -> 1', overhead: at('pack-one'), floor: packingFloor(2) },
    { name: 'k -> m, k up to 10', overhead: at('pack-many'), floor: packingFloor(10) },
  ];
}
