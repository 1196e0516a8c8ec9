// daily/CELL | day: the figures of a day, as its first look found them.
import type { Attributes, Key, Row } from '../../panda/panda.ts';
import { countsIn, optionalCount } from '../../panda/rows/row-reader.ts';
import type { DailyFigures } from '../status/gauges.ts';

/** Of a ratio in a row. */
const MILLIONTHS = 1e6;

/** The day (UTC) that `ms` is in. */
export const dailyKey = (cell: string, ms: number): Key => ({
  partition: `daily/${cell}`,
  sort: new Date(Math.max(0, ms)).toISOString().slice(0, 10),
});

export function dailyFromRow(row: Row): DailyFigures {
  const millionths = optionalCount(row, 'o');
  return {
    overhead: millionths === undefined ? undefined : millionths / MILLIONTHS,
    fillHistogram: countsIn(row, 'h'),
  };
}

export const dailyAttributes = ({ overhead, fillHistogram }: DailyFigures): Attributes => ({
  h: fillHistogram,
  ...(overhead === undefined ? {} : { o: Math.round(overhead * MILLIONTHS) }),
});
