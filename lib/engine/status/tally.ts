// Daily tallies of a cell, `tally/CELL | YYYY-MM-DD` in Panda: what came in, what was coded, moved, reclaimed and
// shredded, and what that took. Counters that are only ever added to, after the work is done: a process that dies in
// between leaves them short, never wrong.
import { DAY_MS } from '../../foundation/durations.ts';
import { isKind, isPocketfulError } from '../../foundation/errors.ts';
import type { Key, Row } from '../../panda/panda.ts';
import { optionalCount } from '../../panda/rows/row-reader.ts';
import type { Components } from '../../volume/rows/components.ts';
import { rowsOf } from '../../volume/rows/read-rows.ts';

/** What a day counts, and each strategy of it. */
const DAY_COUNTERS = [
  /** Record bytes that puts added. */
  'ingestedBytes',
  'encodedBytes',
  'encodedStoredBytes',
  'encodedGroups',
  'encodedVolumes',
  'shreddedBytes',
  /** Written by repairs, the columns that were made whole, and the time that took. */
  'repairedBytes',
  'repairedColumns',
  'repairMs',
] as const;
const STRATEGY_COUNTERS = [
  'runs',
  'reclaimed',
  'movedBytes',
  'storedBytes',
  'buckets',
  'metadataWrites',
  'nanodollars',
  /** Destinations that were sealed by the end of the run, and the sum of their fills. */
  'sealed',
  'sealedFillPermille',
] as const;
export const TALLIED = ['l1', 'l2', 'l3', 'merge'] as const;

export type TalliedStrategy = (typeof TALLIED)[number];
export type DayCounter = (typeof DAY_COUNTERS)[number];
export type StrategyCounter = (typeof STRATEGY_COUNTERS)[number];
export type Counter = DayCounter | `${TalliedStrategy}.${StrategyCounter}`;
export type Counts = Readonly<Partial<Record<Counter, number>>>;

export interface DayTally {
  /** YYYY-MM-DD, UTC. */
  readonly day: string;
  readonly counts: Readonly<Record<Counter, number>>;
}

const COUNTERS: readonly Counter[] = [
  ...DAY_COUNTERS,
  ...TALLIED.flatMap((strategy) => STRATEGY_COUNTERS.map((counter): Counter => `${strategy}.${counter}`)),
];

const partitionOf = (cell: string): string => `tally/${cell}`;
const dayOf = (nowMs: number): string => new Date(Math.max(0, nowMs)).toISOString().slice(0, 10);

/** Adds to today's counters. */
export async function addTally(components: Components, counts: Counts): Promise<void> {
  const add = Object.fromEntries(Object.entries(counts).filter(([, count]) => Math.round(count) !== 0));
  for (const [name, count] of Object.entries(add)) add[name] = Math.round(count);
  if (Object.keys(add).length === 0) return;
  const key: Key = { partition: partitionOf(components.settings.cell), sort: dayOf(components.clock.nowMs()) };
  const update = (): Promise<void> => components.panda.transact([{ kind: 'update', ...key, add }]);
  const put = (): Promise<void> =>
    components.panda.transact([{ kind: 'put', ...key, attributes: add, if: ['absent'] }]);
  // The first of a day makes its row; somebody else may be first.
  for (const write of [update, put, update]) {
    try {
      return await write();
    } catch (error) {
      if (!isKind(error, 'conflict')) return ignoreLate(error);
    }
  }
}

/** Figures are not worth failing the work for that they count. */
function ignoreLate(error: unknown): void {
  if (!isPocketfulError(error)) throw error;
}

/** The last so many days, today's included, the oldest first; days without work have no row. */
export async function readTallies(components: Components, days: number): Promise<DayTally[]> {
  const from = dayOf(components.clock.nowMs() - (days - 1) * DAY_MS);
  const found: DayTally[] = [];
  for await (const row of rowsOf(components.panda, partitionOf(components.settings.cell), from))
    found.push(tallyFromRow(row));
  return found;
}

const tallyFromRow = (row: Row): DayTally => ({
  day: row.sort,
  counts: filled((name) => optionalCount(row, name) ?? 0),
});

/** Pure: all days together. */
export const totalOf = (days: readonly DayTally[]): DayTally['counts'] =>
  filled((name) => days.reduce((sum, { counts }) => sum + counts[name], 0));

const filled = (of: (name: Counter) => number): DayTally['counts'] =>
  Object.fromEntries(COUNTERS.map((name) => [name, of(name)])) as Record<Counter, number>;
