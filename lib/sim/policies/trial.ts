// One policy on one workload: what it moved, what overhead it held, and what that cost.

import { codecShape } from '../../codec/shape.ts';
import { fullestFill, STRATEGIES, type Strategy } from '../../compaction/facts/plan-settings.ts';
import { planSettingsFor } from '../../compaction/facts/snapshot.ts';
import { storageDollarsPerMonth } from '../../cost/cost-of.ts';
import { PRICE_BOOK } from '../../cost/price-book.ts';
import { DAY_MS, HOUR_MS } from '../../foundation/durations.ts';
import { capacityBytes, settingsOf } from '../../settings/settings.ts';
import { type Moved, totalOf } from '../fleet/apply-plan.ts';
import { FleetRun } from '../fleet/fleet-run.ts';
import { startFleet } from '../fleet/start-fleet.ts';
import { type Choice, StoreKeeper } from './keepers.ts';
import { isLargeFleet, type Workload } from './workloads.ts';

export interface TrialSize {
  readonly seed: number;
  readonly liveVolumes: number;
  /** Between two plans. */
  readonly periodMs: number;
  readonly unitsPerBucket: number;
}

export interface Trial {
  /** Mean over the counted days, open volumes included, without the code's factor. */
  readonly overhead: number;
  /** Bytes moved in the counted days over live bytes (their mean). */
  readonly movedPerLive: number;
  /** (ingested + moved) / ingested. */
  readonly writeAmplification: number;
  readonly rows: number;
  /** A month: what is kept beyond live bytes, and moving. */
  readonly dollarsPerMonth: number;
  readonly volumeBytes: number;
  readonly by: Readonly<Record<Strategy, Moved>>;
  readonly threshold: number;
}

const SETTINGS = settingsOf('personal');
const BUCKETS_PER_VOLUME = capacityBytes(SETTINGS, SETTINGS.warmCodec) / SETTINGS.bucketBytes;
/** Of a volume: directories, and columns that are never quite level, as the planner reckons. */
const FULL = fullestFill(planSettingsFor(SETTINGS));
const DAYS_PER_MONTH = 30;

export const sizeFor = (liveVolumes: number, seed = 1): TrialSize =>
  isLargeFleet(liveVolumes)
    ? { seed, liveVolumes, periodMs: DAY_MS, unitsPerBucket: 3 }
    : { seed, liveVolumes, periodMs: 8 * HOUR_MS, unitsPerBucket: 8 };

function fleetFor({ deletes, startOverhead, separated }: Workload, { seed, liveVolumes, unitsPerBucket }: TrialSize) {
  const unitsPerVolume = BUCKETS_PER_VOLUME * unitsPerBucket;
  const size = {
    seed,
    liveVolumes,
    unitsPerVolume,
    unitsPerBucket,
    unitsWhenFull: Math.floor(FULL * unitsPerVolume),
    capacityBytes: capacityBytes(SETTINGS, SETTINGS.warmCodec),
    codec: SETTINGS.warmCodec,
    relocation: 'bucket' as const,
    blobBytes: SETTINGS.blockBytesMax,
    ...(separated === undefined ? {} : { separated }),
  };
  return startFleet(size, deletes, startOverhead);
}

export function tried(workload: Workload, choice: Choice, size: TrialSize): Trial {
  const model = fleetFor(workload, size);
  const keeper = new StoreKeeper(SETTINGS, size.periodMs, choice);
  const world = {
    deletes: workload.deletes,
    stepMs: size.periodMs,
    shards: 1,
    writing: { mergeBelow: 0.5 },
    destinations: 'store' as const,
    ...(workload.separated === undefined ? {} : { separated: workload.separated }),
  };
  const run = new FleetRun(model, world, { plan: {}, threshold: 0.2, keeper });
  while (run.day < workload.warmUpDays - 1e-9) run.step();
  run.startCounting();
  workload.happens?.(run);
  const { dataColumns, parityColumns } = codecShape(model.shape.codec);
  const raw = (dataColumns + parityColumns) / dataColumns;
  let steps = 0;
  let overheads = 0;
  let live = 0;
  let storage = 0;
  while (run.day < workload.days - 1e-9) {
    run.step();
    steps++;
    overheads += model.overhead;
    live += model.totalLiveBytes;
    const dead = (model.allocatedVolumes * model.capacityBytes - model.totalLiveBytes) * raw;
    storage += storageDollarsPerMonth(dead, 0, PRICE_BOOK, 'standard');
  }
  const months = (workload.days - workload.warmUpDays) / DAYS_PER_MONTH;
  const bytes = totalOf(run.moved, 'bytes');
  return {
    overhead: overheads / steps,
    movedPerLive: bytes / (live / steps),
    writeAmplification: 1 + bytes / Math.max(1, run.ingestedBytes),
    rows: totalOf(run.moved, 'metadataWrites'),
    dollarsPerMonth: storage / steps + totalOf(run.moved, 'dollars') / months,
    volumeBytes: model.capacityBytes,
    by: Object.fromEntries(STRATEGIES.map((s) => [s, { ...run.moved[s] }])) as Record<Strategy, Moved>,
    threshold: keeper.threshold,
  };
}

/** Of trials that differ by their seed. */
export function meanOf(trials: readonly Trial[]): Trial {
  const mean = (of: (trial: Trial) => number): number => trials.reduce((sum, one) => sum + of(one), 0) / trials.length;
  const movedBy = (strategy: Strategy): Moved => ({
    runs: Math.round(mean(({ by }) => by[strategy].runs)),
    bytes: mean(({ by }) => by[strategy].bytes),
    metadataWrites: mean(({ by }) => by[strategy].metadataWrites),
    dollars: mean(({ by }) => by[strategy].dollars),
    reclaimed: mean(({ by }) => by[strategy].reclaimed),
  });
  return {
    overhead: mean(({ overhead }) => overhead),
    movedPerLive: mean(({ movedPerLive }) => movedPerLive),
    writeAmplification: mean(({ writeAmplification }) => writeAmplification),
    rows: mean(({ rows }) => rows),
    dollarsPerMonth: mean(({ dollarsPerMonth }) => dollarsPerMonth),
    volumeBytes: mean(({ volumeBytes }) => volumeBytes),
    threshold: mean(({ threshold }) => threshold),
    by: { l1: movedBy('l1'), l2: movedBy('l2'), l3: movedBy('l3') },
  };
}
