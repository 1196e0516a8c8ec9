// The last days of a store, one line each: how full and how large its sealed volumes were, and what was done to them.
// From the rows that the tuner, or the daemon, and the work itself leave; a day that nobody looked at has no figures.
import { DAY_MS } from '../../foundation/durations.ts';
import { readOrTell } from '../../panda/rows/row-reader.ts';
import type { Components } from '../../volume/rows/components.ts';
import { rowsOf } from '../../volume/rows/read-rows.ts';
import { STATUS_DAYS } from '../status/compaction-status.ts';
import type { DailyFigures } from '../status/gauges.ts';
import { type DayTally, readTallies, TALLIED } from '../status/tally.ts';
import { dailyFromRow, dailyKey } from './daily-row.ts';

export interface HistoryDay {
  /** YYYY-MM-DD, UTC. */
  readonly day: string;
  /** Raw bytes allocated by sealed volumes per live byte, as measured first that day; null: too few, not measured. */
  readonly overhead: number | null;
  /** The same, less that of a week before. */
  readonly overheadWeekChange: number | null;
  /** Sealed volumes by twentieths of their fill; null: not measured. */
  readonly fillHistogram: readonly number[] | null;
  readonly ingestedBytes: number;
  /** What the Live Coder wrote: encoded and moved. */
  readonly codedBytes: number;
  /** Hot volumes whose data went into erasure-coded ones. */
  readonly encodedVolumes: number;
  /** Volumes that compaction sealed, and how full they were on the average; null: none. */
  readonly sealedVolumes: number;
  readonly sealedFill: number | null;
  readonly reclaimedVolumes: number;
  readonly metadataWrites: number;
  readonly dollars: number;
}

/** The oldest first; days without any row are left out. */
export async function readHistory(components: Components, days = STATUS_DAYS): Promise<HistoryDay[]> {
  const { settings, clock } = components;
  const nowMs = Math.max(0, clock.nowMs());
  // A week more: what the first days are compared with.
  const { partition, sort: from } = dailyKey(settings.cell, Math.max(0, nowMs - (days + 6) * DAY_MS));
  const measured = new Map<string, DailyFigures>();
  for await (const row of rowsOf(components.panda, partition, from)) {
    const figures = readOrTell(row, dailyFromRow, components.badRow);
    if (figures !== undefined) measured.set(row.sort, figures);
  }
  const tallies = new Map((await readTallies(components, days)).map((tally) => [tally.day, tally]));
  const first = dailyKey(settings.cell, Math.max(0, nowMs - (days - 1) * DAY_MS)).sort;
  const known = [...new Set([...measured.keys(), ...tallies.keys()])].filter((day) => day >= first).sort();
  return known.map((day) => {
    const weekBefore = dailyKey(settings.cell, Date.parse(day) - 7 * DAY_MS).sort;
    return dayOf(day, tallies.get(day)?.counts, measured.get(day), measured.get(weekBefore));
  });
}

function dayOf(
  day: string,
  counts: DayTally['counts'] | undefined,
  measured: DailyFigures | undefined,
  weekBefore: DailyFigures | undefined,
): HistoryDay {
  const sum = (
    counter: 'movedBytes' | 'sealed' | 'sealedFillPermille' | 'reclaimed' | 'metadataWrites' | 'nanodollars',
  ) => TALLIED.reduce((total, strategy) => total + (counts?.[`${strategy}.${counter}`] ?? 0), 0);
  const sealed = sum('sealed');
  const change =
    measured?.overhead === undefined || weekBefore?.overhead === undefined
      ? null
      : rounded(measured.overhead - weekBefore.overhead);
  return {
    day,
    overhead: measured?.overhead ?? null,
    overheadWeekChange: change,
    fillHistogram: measured?.fillHistogram ?? null,
    ingestedBytes: counts?.ingestedBytes ?? 0,
    codedBytes: (counts?.encodedBytes ?? 0) + sum('movedBytes'),
    encodedVolumes: counts?.encodedVolumes ?? 0,
    sealedVolumes: sealed,
    sealedFill: sealed === 0 ? null : rounded(sum('sealedFillPermille') / sealed / 1000),
    reclaimedVolumes: sum('reclaimed'),
    metadataWrites: sum('metadataWrites'),
    dollars: sum('nanodollars') / 1e9,
  };
}

const rounded = (ratio: number): number => Math.round(ratio * 1e5) / 1e5;
