// What compaction is doing and has done, in figures, for `status`: pure, from the day's tallies, the threshold's state,
// the queue and the volume rows. The shape is that of `status --json` (docs/cli.md).

import { codecShape } from '../../codec/shape.ts';
import type { MeasuredRates } from '../../compaction/facts/measured-rates.ts';
import { mergeSettingsFor } from '../../compaction/facts/merge-settings.ts';
import { planSettingsFor } from '../../compaction/facts/snapshot.ts';
import { budgetsFor, type OperatingSettings, plannedOf } from '../../compaction/plan/operating-settings.ts';
import { type Ranges, rangesOf } from '../../compaction/plan/selector.ts';
import { payingRanges } from '../../compaction/plan/top-offs.ts';
import { lambertBound } from '../../compaction/plan/worth.ts';
import type { ThresholdState } from '../../compaction/threshold/law.ts';
import { PRICE_BOOK } from '../../cost/price-book.ts';
import { DAY_MS } from '../../foundation/durations.ts';
import { SEALED_VOLUMES_MIN } from '../../limits/compaction.ts';
import type { VolumeRow } from '../../panda/rows/volume-row.ts';
import { capacityBytes, type Settings } from '../../settings/settings.ts';
import type { StreamFigures } from '../../stream/stream.ts';
import { type DayTally, TALLIED, type TalliedStrategy, totalOf } from './tally.ts';

export const STATUS_DAYS = 30;
const GIB = 1024 ** 3;

export interface CompactionFacts {
  readonly nowMs: number;
  readonly settings: Settings;
  readonly volumes: readonly VolumeRow[];
  /** Capacity over live bytes of sealed volumes; null where nothing is live. */
  readonly sealedOverhead: number | null;
  readonly sealedVolumes: number;
  readonly state: ThresholdState;
  /** What an operator has set. */
  readonly operating: OperatingSettings;
  /** Use of the scarcest budget by the last compaction, 0..1. */
  readonly budgetUsed: number;
  readonly rates: MeasuredRates;
  /** Of warm volumes that are open, sealed or leased: what merging goes by. */
  readonly bucketRows: { readonly rows: number; readonly liveBytes: number };
  /** Null where it cannot be read now. */
  readonly queue: StreamFigures | null;
  readonly days: readonly DayTally[];
}

export interface StrategyStatus {
  readonly runs: number;
  readonly reclaimed: number;
  readonly movedBytes: number;
  readonly metadataWrites: number;
  readonly metadataWritesPerReclaimed: number | null;
  /** Mean fill of its destinations that are sealed by now. */
  readonly destinationFill: number | null;
  readonly dollars: number;
}

export interface CompactionStatus {
  readonly days: number;
  readonly threshold: number;
  /** Fills (above, up to and including) that each strategy owns. */
  readonly ranges: Readonly<Record<'l3' | 'l2' | 'l1', readonly [number, number]>>;
  readonly budgetUsed: number;
  /** What an operator has set of planners and budgets; empty: nothing. */
  readonly operating: OperatingSettings;
  /**
   * Deletes per live byte and day by age class (written within a day, a week, two months, earlier); `daysMeasured` 0:
   * assumed.
   */
  readonly deletes: readonly { readonly perDay: number; readonly daysMeasured: number }[];
  /** Bucket rows per live GiB, and how many there may be before remnants are merged. */
  readonly bucketRows: { readonly rows: number; readonly perGib: number | null; readonly perGibMax: number };
  readonly queue: StreamFigures | null;
  readonly strategies: Readonly<Record<TalliedStrategy, StrategyStatus>>;
  readonly liveCoder: {
    /** Record bytes it wrote: encoded and moved. */
    readonly writtenBytes: number;
    readonly storedBytes: number;
    readonly groups: number;
    /** Mean fill of the volumes it sealed. */
    readonly fill: number | null;
  };
  /** (Ingested + moved) / ingested record bytes. */
  readonly writeAmplification: number | null;
  /** The least any policy reaches at this overhead under uniform deletes. */
  readonly lambertBound: number | null;
  /** The one over the other. */
  readonly optimalityGap: number | null;
}

export function compactionStatusOf(facts: CompactionFacts): CompactionStatus {
  const { settings, state, budgetUsed, queue, days } = facts;
  const total = totalOf(days);
  const moved = TALLIED.reduce((sum, strategy) => sum + total[`${strategy}.movedBytes`], 0);
  const stored = TALLIED.reduce((sum, strategy) => sum + total[`${strategy}.storedBytes`], 0);
  // Where there is a hot tier, what reaches coded volumes is what was encoded: the rest died before.
  const ingested = settings.hotCodec === settings.warmCodec ? total.ingestedBytes : total.encodedBytes;
  const writeAmplification = ingested === 0 ? null : rounded((ingested + moved) / ingested);
  const bound = boundOf(facts);
  const { l3, l2, l1 } = rangesInForce(facts);
  return {
    days: STATUS_DAYS,
    threshold: rounded(state.threshold),
    ranges: { l3: [0, l3], l2: [l3, l2], l1: [l2, l1] },
    budgetUsed,
    operating: facts.operating,
    deletes: facts.rates.perDay.map((perDay, age) => ({
      perDay: rounded(perDay),
      daysMeasured: rounded(facts.rates.daysMeasured[age] ?? 0),
    })),
    bucketRows: {
      rows: facts.bucketRows.rows,
      perGib:
        facts.bucketRows.liveBytes === 0 ? null : rounded((facts.bucketRows.rows * GIB) / facts.bucketRows.liveBytes),
      perGibMax: rounded(mergeSettingsFor(settings).rowsPerGibMax),
    },
    queue,
    strategies: Object.fromEntries(TALLIED.map((strategy) => [strategy, strategyOf(strategy, total)])) as Record<
      TalliedStrategy,
      StrategyStatus
    >,
    liveCoder: {
      writtenBytes: total.encodedBytes + moved,
      storedBytes: total.encodedStoredBytes + stored,
      groups: total.encodedGroups,
      fill: sealedFill(facts),
    },
    writeAmplification,
    lambertBound: bound,
    optimalityGap: bound === null || writeAmplification === null ? null : rounded(writeAmplification / bound),
  };
}

/** As the next plan will have them. */
function rangesInForce({ settings, operating, bucketRows, state }: CompactionFacts): Ranges {
  const { threshold } = state;
  const { rows, liveBytes } = bucketRows;
  const prices = { threshold, budgets: budgetsFor(operating, liveBytes, DAY_MS), book: PRICE_BOOK };
  const codec = settings.warmCodec;
  const typical = {
    codec,
    capacityBytes: capacityBytes(settings, codec),
    bucketsPerByte: rows / Math.max(1, liveBytes),
  };
  return rangesOf(payingRanges(planSettingsFor(settings, plannedOf(operating)), prices, typical), threshold);
}

function strategyOf(strategy: TalliedStrategy, total: DayTally['counts']): StrategyStatus {
  const reclaimed = total[`${strategy}.reclaimed`];
  const metadataWrites = total[`${strategy}.metadataWrites`];
  const sealed = total[`${strategy}.sealed`];
  return {
    runs: total[`${strategy}.runs`],
    reclaimed,
    movedBytes: total[`${strategy}.movedBytes`],
    metadataWrites,
    metadataWritesPerReclaimed: reclaimed === 0 ? null : rounded(metadataWrites / reclaimed),
    destinationFill: sealed === 0 ? null : rounded(total[`${strategy}.sealedFillPermille`] / sealed / 1000),
    dollars: total[`${strategy}.nanodollars`] / 1e9,
  };
}

function boundOf({ sealedOverhead, sealedVolumes }: CompactionFacts): number | null {
  if (sealedOverhead === null || sealedOverhead <= 1 || sealedVolumes < SEALED_VOLUMES_MIN) return null;
  return rounded(lambertBound(sealedOverhead));
}

/** How full the volumes were written that were sealed in these days and are still there. */
function sealedFill({ nowMs, settings, volumes }: CompactionFacts): number | null {
  const fills = volumes
    .filter(({ class: cls, state }) => cls === 'warm' && (state === 'sealed' || state === 'draining'))
    .filter(({ sealedAtMs = 0 }) => nowMs - sealedAtMs <= STATUS_DAYS * DAY_MS)
    .map(({ codec, extentUsedBytes }) => {
      const data = extentUsedBytes.slice(0, codecShape(codec).dataColumns);
      return Math.min(1, data.reduce((sum, bytes) => sum + bytes, 0) / capacityBytes(settings, codec));
    });
  return fills.length === 0 ? null : rounded(fills.reduce((sum, fill) => sum + fill, 0) / fills.length);
}

const rounded = (ratio: number): number => Math.round(ratio * 100_000) / 100_000;
