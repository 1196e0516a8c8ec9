// journal | cursor: how far the drives of a stage are. journal | tender: who tends what was shipped, and since when.
// The function that ships leaves this partition out: else what is written on shipping would be shipped.
import type { ShippedTo } from '../journal-source.ts';
import type { Attributes, Clause, Condition, Key, Row } from '../panda.ts';
import { countIn, stringIn } from './row-reader.ts';

export const JOURNAL_PARTITION = 'journal';

/** What is not worth a shipping of its own: what schedules write of themselves. A snapshot has it all the same. */
export const unshippedPartitions = (cell: string): string[] => [
  JOURNAL_PARTITION,
  'work/threshold',
  `verifier/${cell}`,
];

export const cursorKey: Key = { partition: JOURNAL_PARTITION, sort: 'cursor' };
export const tenderKey: Key = { partition: JOURNAL_PARTITION, sort: 'tender' };

export const cursorFromRow = (row: Row): ShippedTo => ({
  epoch: countIn(row, 'ep'),
  sequence: countIn(row, 'q'),
  mark: stringIn(row, 'm'),
  atMs: countIn(row, 't'),
});

export const cursorAttributes = ({ epoch, sequence, mark, atMs }: ShippedTo): Attributes => ({
  ep: epoch,
  q: sequence,
  m: mark,
  t: atMs,
});

/** Still the one that was read; undefined: there is none. */
export const cursorIs = (cursor: ShippedTo | undefined): Condition =>
  cursor === undefined ? ['absent'] : [...clausesOf(cursorAttributes(cursor))];

export interface Tender {
  readonly owner: string;
  readonly sinceMs: number;
  /** Of the cursor then. */
  readonly sequence: number;
}

export const tenderFromRow = (row: Row): Tender => ({
  owner: stringIn(row, 'o'),
  sinceMs: countIn(row, 't'),
  sequence: countIn(row, 'q'),
});
export const tenderAttributes = ({ owner, sinceMs, sequence }: Tender): Attributes => ({
  ...{ o: owner, t: sinceMs, q: sequence },
});
export const tenderIs = (tender: Tender | undefined): Condition =>
  tender === undefined ? ['absent'] : [...clausesOf(tenderAttributes(tender))];

const clausesOf = (attributes: Attributes): Clause[] =>
  Object.entries(attributes).map(([attribute, equals]) => ({ attribute, equals }) as Clause);
