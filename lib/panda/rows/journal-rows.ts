// journal | cursor: how far the drives of a stage are, and which point is being written. journal | tender: who tends
// what was shipped, and since when. The function that ships leaves this partition out: else what is written on shipping
// would be shipped.
import type { CommitPoint, ShippedTo } from '../journal-source.ts';
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

/** The point that is written now. Void once there is another: then the cursor never moves there. */
export interface Claim extends CommitPoint {
  readonly epoch: number;
  readonly sinceMs: number;
}

export interface Shipping {
  /** Undefined: nothing was shipped yet. */
  readonly cursor: ShippedTo | undefined;
  readonly claim: Claim | undefined;
}

export const shippingFromRow = (row: Row): Shipping => ({
  cursor: countIn(row, 'q') === 0 ? undefined : cursorIn(row),
  claim: row.attributes['nq'] === undefined ? undefined : claimIn(row),
});

const cursorIn = (row: Row): ShippedTo => ({
  epoch: countIn(row, 'ep'),
  sequence: countIn(row, 'q'),
  mark: stringIn(row, 'm'),
  atMs: countIn(row, 't'),
});

const claimIn = (row: Row): Claim => ({
  epoch: countIn(row, 'ne'),
  sequence: countIn(row, 'nq'),
  mark: stringIn(row, 'nm'),
  sinceMs: countIn(row, 'nt'),
});

const NOT_YET: ShippedTo = { epoch: 0, sequence: 0, mark: '00000000', atMs: 0 };

export function shippingAttributes({ cursor, claim }: Shipping): Attributes {
  const { epoch, sequence, mark, atMs } = cursor ?? NOT_YET;
  const shipped = { ep: epoch, q: sequence, m: mark, t: atMs };
  return claim === undefined
    ? shipped
    : { ...shipped, ne: claim.epoch, nq: claim.sequence, nm: claim.mark, nt: claim.sinceMs };
}

/** Still the one that was read; undefined: there is none. */
export function shippingIs(shipping: Shipping | undefined): Condition {
  if (shipping === undefined) return ['absent'];
  const clauses = clausesOf(shippingAttributes(shipping));
  return shipping.claim === undefined ? [...clauses, { attribute: 'nq', missing: true }] : clauses;
}

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
