// How long a volume lives under a code, as a Markov chain over how many of its columns are lost: drives fail, bytes rot
// unseen until a scrub, whole domains fail at once, and what is lost is repaired. A model, never a promise: it is as
// good as its assumptions, which are printed beside every figure. Pure.
import { CODEC_NAMES, type CodecName } from '../../codec/codec.ts';
import { codecOf } from '../../codec/codecs.ts';
import { codecShape } from '../../codec/shape.ts';

export interface Assumptions {
  /** Part of the drives that fail in a year. */
  readonly driveFailuresPerYear: number;
  /** Part of the columns in which something rots in a year. */
  readonly rotPerYear: number;
  /** Part of the domains that fail in a year, with everything on them. */
  readonly domainFailuresPerYear: number;
  /** From the loss of a column until it is whole again, once it is known. */
  readonly repairHours: number;
  /** What rots is found half of this later, in the mean. */
  readonly scrubDays: number;
}

export const ASSUMED: Assumptions = {
  driveFailuresPerYear: 0.02,
  rotPerYear: 0.005,
  domainFailuresPerYear: 0.002,
  repairHours: 48,
  scrubDays: 14,
};

const HOURS_PER_YEAR = 8766;

/** Rates a year of one column, and of domains. */
export interface Rates {
  readonly lossPerYear: number;
  readonly repairsPerYear: number;
  readonly domainLossPerYear: number;
}

/** Both kinds of loss as one, of the mean time until it is repaired. */
export function ratesOf(assumed: Assumptions): Rates {
  const { driveFailuresPerYear, rotPerYear, domainFailuresPerYear, repairHours, scrubDays } = assumed;
  const lossPerYear = driveFailuresPerYear + rotPerYear;
  const rotHours = (scrubDays * 24) / 2 + repairHours;
  const hours =
    lossPerYear === 0 ? repairHours : (driveFailuresPerYear * repairHours + rotPerYear * rotHours) / lossPerYear;
  return { lossPerYear, repairsPerYear: HOURS_PER_YEAR / hours, domainLossPerYear: domainFailuresPerYear };
}

/** Columns of a volume, by the domains they lie in: so many each, the last may have fewer. */
export interface Layout {
  readonly columnsPerDomain: number;
}

export interface Code {
  readonly columns: number;
  /** By how many columns are lost: the part of those patterns that the code gives back. */
  readonly recoverable: readonly number[];
}

export function codeOf(name: CodecName): Code {
  const { dataColumns, parityColumns } = codecShape(name);
  const columns = dataColumns + parityColumns;
  const codec = codecOf(name);
  const recoverable = [1];
  for (let lost = 1; lost <= columns; lost++) {
    let good = 0;
    let all = 0;
    for (const pattern of patterns(columns, lost)) {
      all += 1;
      if (codec.canReconstruct(pattern)) good += 1;
    }
    if (good === 0) break;
    recoverable.push(good / all);
  }
  return { columns, recoverable };
}

function* patterns(of: number, count: number, from = 0): Generator<number[]> {
  if (count === 0) yield [];
  else for (let i = from; i <= of - count; i++) for (const rest of patterns(of, count - 1, i + 1)) yield [i, ...rest];
}

/** Of those patterns of `from` columns that can be read, the part that can with `more` columns gone as well. */
export const survives = ({ recoverable }: Code, from: number, more: number): number =>
  (recoverable[from + more] ?? 0) / (recoverable[from] as number);

/**
 * Years until a volume is lost, in the mean. State i has i columns lost; i of them are repaired side by side. States
 * are eliminated one by one with sums and products of positive numbers only, so that nothing cancels out however rare
 * a loss is.
 */
export function meanYearsToLoss(code: Code, rates: Rates, { columnsPerDomain }: Layout): number {
  const { columns } = code;
  const states = code.recoverable.length;
  const to: number[][] = Array.from({ length: states }, () => new Array<number>(states + 1).fill(0));
  const add = (from: number, more: number, rate: number): void => {
    const row = to[from] as number[];
    const good = survives(code, from, more);
    if (from + more < states) row[from + more] = (row[from + more] as number) + rate * good;
    row[states] = (row[states] as number) + rate * (1 - good);
  };
  const domains = Math.ceil(columns / columnsPerDomain);
  for (let lost = 0; lost < states; lost++) {
    if (lost < columns) add(lost, 1, (columns - lost) * rates.lossPerYear);
    const together = Math.min(columnsPerDomain, columns - lost);
    if (together > 0) add(lost, together, domains * rates.domainLossPerYear);
    if (lost > 0) (to[lost] as number[])[lost - 1] = lost * rates.repairsPerYear;
  }
  return eliminated(to);
}

/** Mean time from state 0 to the last column of `to`, which has no row: it is the end. */
function eliminated(to: readonly number[][]): number {
  const times = to.map(() => 1);
  for (let gone = to.length - 1; gone > 0; gone--) {
    const row = to[gone] as number[];
    const out = row.reduce((sum, rate, i) => (i < gone || i === to.length ? sum + rate : sum), 0);
    for (let from = 0; from < gone; from++) {
      const source = to[from] as number[];
      const share = (source[gone] as number) / out;
      times[from] = (times[from] as number) + share * (times[gone] as number);
      for (let at = 0; at <= to.length; at++)
        if (at !== from && (at < gone || at === to.length))
          source[at] = (source[at] as number) + share * (row[at] as number);
    }
  }
  return (times[0] as number) / ((to[0] as number[])[to.length] as number);
}

export interface DurabilityRow {
  readonly codec: CodecName;
  readonly layout: 'every column alone' | 'as many as may be lost together' | 'all on one';
  readonly columnsPerDomain: number;
  readonly meanYearsToLoss: number;
  /** That a volume is lost within a year. */
  readonly lossPerVolumeYear: number;
}

/** Every code in three layouts. */
export function durabilitySheet(assumed: Assumptions): DurabilityRow[] {
  const rates = ratesOf(assumed);
  return CODEC_NAMES.flatMap((codec) => {
    const code = codeOf(codec);
    const certain = Math.max(1, code.recoverable.filter((part) => part === 1).length - 1);
    const layouts = [
      ['every column alone', 1],
      ['as many as may be lost together', certain],
      ['all on one', code.columns],
    ] as const;
    return layouts.map(([layout, columnsPerDomain]): DurabilityRow => {
      const years = meanYearsToLoss(code, rates, { columnsPerDomain });
      return { codec, layout, columnsPerDomain, meanYearsToLoss: years, lossPerVolumeYear: -Math.expm1(-1 / years) };
    });
  });
}
