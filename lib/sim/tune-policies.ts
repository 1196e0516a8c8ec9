// `sim tune`: static thresholds against the controller with the money objective, in dollars, over a grid of prices,
// blob lengths and delete rates; and whether the controller swings when what it hears is old.

import { codecShape } from '../codec/shape.ts';
import type { PlanSettings } from '../compaction/facts/plan-settings.ts';
import { UNLIMITED } from '../compaction/plan/budget.ts';
import { thresholdSettingsOf } from '../compaction/threshold/law.ts';
import { storageDollarsPerMonth } from '../cost/cost-of.ts';
import { PRICE_BOOK, type StorageClass } from '../cost/price-book.ts';
import { DAY_MS } from '../foundation/durations.ts';
import { totalOf } from './fleet/apply-plan.ts';
import { type DeletePattern, deletesOf } from './fleet/deletes.ts';
import { FleetRun } from './fleet/fleet-run.ts';
import type { Relocation } from './fleet/model-shape.ts';
import { FLEET_SIZE, startFleet } from './fleet/start-fleet.ts';
import type { Policy } from './fleet/world.ts';

export interface TuneSettings {
  readonly seed: number;
  readonly liveVolumes: number;
  readonly pattern: DeletePattern;
  readonly thresholds: readonly number[];
  /** Byte budget as a multiple of what is written. */
  readonly byteBudget: number;
}

export const TUNE: TuneSettings = Object.freeze({
  seed: 11,
  liveVolumes: 200,
  pattern: 'uniform',
  thresholds: [0.03, 0.06, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9],
  byteBudget: 20,
});

export interface TuneCell {
  readonly storageClass: StorageClass;
  readonly relocation: Relocation;
  readonly blobBytes: number;
  readonly deletesPerMonth: number;
}

const KIB = 1024;
const DAYS_PER_MONTH = 30;

/** Prices from cheap moves (rows per bucket on standard storage) to dear ones (rows per small blob, retrieval). */
export const TUNE_GRID: readonly TuneCell[] = (
  [
    ['standard', 'bucket', 1024 * KIB],
    ['standard', 'blob', 64 * KIB],
    ['standard', 'blob', 16 * KIB],
    ['glacier-ir', 'bucket', 1024 * KIB],
  ] as const
).flatMap(([storageClass, relocation, blobBytes]) =>
  [0.02, 0.15, 0.6].map((deletesPerMonth) => ({ storageClass, relocation, blobBytes, deletesPerMonth })),
);

export interface TuneCost {
  /** What the choice can change: storage of what is not live, and moving. */
  readonly dollarsPerMonth: number;
  readonly overhead: number;
  readonly threshold: number;
}

export interface TuneRow {
  readonly cell: TuneCell;
  /** In the order of the thresholds. */
  readonly statics: readonly TuneCost[];
  readonly controller: TuneCost;
  /** The worth objective with the controller, and money without it. */
  readonly worth: TuneCost;
  readonly money: TuneCost;
  readonly bestThreshold: number;
  /** Controller's dollars over the best static one's. */
  readonly ratio: number;
}

export interface TuneResult {
  readonly settings: TuneSettings;
  readonly rows: readonly TuneRow[];
  /** The static threshold that is cheapest over the whole grid, every cell weighed by its own best. */
  readonly oneForAll: number;
  /** Mean over the grid of (dollars / that cell's best static): for that threshold and for the controller. */
  readonly oneForAllCost: number;
  readonly controllerCost: number;
  readonly swings: readonly Swing[];
}

export interface Swing {
  readonly delayDays: number;
  readonly stepPerDay: number;
  readonly peakToPeak: number;
  readonly overhead: number;
}

const STEPS = 160;
/** The same for all: what is compacted first, and by whom. */
const PLAN: Partial<PlanSettings> = {
  l3UpTo: 0.98,
  l2UpTo: 0.99,
  strategies: ['l3'],
  candidatesMax: 2,
  granularity: 8,
};

export function runTune(settings: TuneSettings, onProgress: (part: number) => void = () => {}): TuneResult {
  const rows = TUNE_GRID.map((cell, at) => {
    onProgress(at / (TUNE_GRID.length + 1));
    const statics = settings.thresholds.map((threshold) => costOf(settings, cell, { plan: PLAN, threshold }));
    const controller = thresholdSettingsOf({ min: 0.02, max: 0.9, targetOverhead: 1.02, stepPerDay: 0.01 });
    const priced: Partial<PlanSettings> = { ...PLAN, storageClass: cell.storageClass };
    const money = { ...priced, objective: 'money' as const };
    const best = statics.reduce((least, cost) => (cost.dollarsPerMonth < least.dollarsPerMonth ? cost : least));
    const guarded = costOf(settings, cell, { plan: money, threshold: 0.02, controller, ratesEveryDays: 1 });
    return {
      cell,
      statics,
      controller: guarded,
      worth: costOf(settings, cell, { plan: priced, threshold: 0.25, controller }),
      money: costOf(settings, cell, { plan: money, threshold: 0.02 }),
      bestThreshold: best.threshold,
      ratio: guarded.dollarsPerMonth / best.dollarsPerMonth,
    };
  });
  const mean = (of: (row: TuneRow) => number): number => rows.reduce((sum, row) => sum + of(row), 0) / rows.length;
  const bestOf = (row: TuneRow): number => Math.min(...row.statics.map(({ dollarsPerMonth }) => dollarsPerMonth));
  const costs = settings.thresholds.map((_, t) =>
    mean((row) => (row.statics[t] as TuneCost).dollarsPerMonth / bestOf(row)),
  );
  const at = costs.indexOf(Math.min(...costs));
  return {
    settings,
    rows,
    oneForAll: settings.thresholds[at] as number,
    oneForAllCost: costs[at] as number,
    controllerCost: mean(({ ratio }) => ratio),
    swings: [1, 7, 14].map((delayDays) => swingAt(settings, delayDays)),
  };
}

function fleetFor(settings: TuneSettings, cell: TuneCell) {
  const perDay = cell.deletesPerMonth / DAYS_PER_MONTH;
  const deletes = deletesOf(settings.pattern, perDay);
  const { seed, liveVolumes } = settings;
  const { relocation, blobBytes } = cell;
  const model = startFleet({ ...FLEET_SIZE, seed, liveVolumes, relocation, blobBytes }, deletes, 1.2);
  return { deletes, model, perDay };
}

function costOf(settings: TuneSettings, cell: TuneCell, policy: Policy): TuneCost {
  const { deletes, model, perDay } = fleetFor(settings, cell);
  // Long enough for the slow fleets to settle, the same number of plans for all.
  const stepMs = Math.round((2.5 / perDay / STEPS) * DAY_MS);
  const world = { deletes, stepMs, shards: 1, writing: { mergeBelow: cell.relocation === 'blob' ? 1 : 0.5 } };
  const writtenPerDay = perDay * model.totalLiveBytes;
  const run = new FleetRun(model, world, {
    ...policy,
    plan: { ...policy.plan, storageClass: cell.storageClass, deletesPerDay: [perDay, perDay, perDay, perDay] },
    budgetsPerDay: { ...UNLIMITED, bytesRead: settings.byteBudget * writtenPerDay },
  });
  let overheads = 0;
  const counted = STEPS / 2;
  let dollars = 0;
  const { dataColumns, parityColumns } = codecShape(model.shape.codec);
  const raw = (dataColumns + parityColumns) / dataColumns;
  for (let step = 0; step < STEPS; step++) {
    if (step === STEPS - counted) run.startCounting();
    run.step();
    if (step < STEPS - counted) continue;
    overheads += model.overhead;
    const dead = (model.allocatedVolumes * model.capacityBytes - model.totalLiveBytes) * raw;
    dollars += storageDollarsPerMonth(dead, 0, PRICE_BOOK, cell.storageClass) / counted;
  }
  const months = (counted * stepMs) / DAY_MS / DAYS_PER_MONTH;
  return {
    dollarsPerMonth: dollars + totalOf(run.moved, 'dollars') / months,
    overhead: overheads / counted,
    threshold: run.control.threshold,
  };
}

/** The controller on a fleet whose byte budget just carries it, hearing of the overhead late. */
function swingAt(settings: TuneSettings, delayDays: number): Swing {
  const cell = TUNE_GRID[2] as TuneCell;
  const { deletes, model, perDay } = fleetFor(settings, cell);
  const stepPerDay = Math.min(0.01, 0.07 / delayDays);
  const controller = thresholdSettingsOf({ delayDays, stepPerDay, targetOverhead: 1.1 });
  const world = { deletes, stepMs: DAY_MS, shards: 1, writing: { mergeBelow: 1 } };
  const run = new FleetRun(model, world, {
    plan: PLAN,
    threshold: 0.3,
    controller,
    budgetsPerDay: { ...UNLIMITED, bytesRead: 4 * perDay * model.totalLiveBytes },
  });
  let low = 1;
  let high = 0;
  let overheads = 0;
  for (let day = 1; day <= 300; day++) {
    run.step();
    if (day <= 200) continue;
    low = Math.min(low, run.control.threshold);
    high = Math.max(high, run.control.threshold);
    overheads += model.overhead / 100;
  }
  return { delayDays, stepPerDay, peakToPeak: high - low, overhead: overheads };
}
