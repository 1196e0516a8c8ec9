// finding/CELL | VERIFIER/NAME: what a verifier found that is no damaged object (damage/CELL has those): a block whose
// row leads nowhere, a block that cannot be read back, a volume in trash whose buckets are not safe elsewhere. Taken
// away by the pass that finds it sound again. Soft state, as damage rows are.
import type { Attributes, Key, Row } from '../panda/panda.ts';
import { countIn, malformedRow, stringIn } from '../panda/rows/row-reader.ts';
import { VERIFIERS, type VerifierName } from './verifier-row.ts';

export interface FindingRow {
  readonly verifier: VerifierName;
  /** The block's or volume's id. */
  readonly name: string;
  readonly code: string;
  readonly sinceMs: number;
}

export const findingPartition = (cell: string): string => `finding/${cell}`;

/** What the sort keys of a verifier's rows begin with. */
export const findingPrefix = (verifier: VerifierName): string => `${verifier}/`;

export const findingKey = (cell: string, { verifier, name }: Pick<FindingRow, 'verifier' | 'name'>): Key => ({
  partition: findingPartition(cell),
  sort: `${findingPrefix(verifier)}${name}`,
});

export function findingFromRow(row: Row): FindingRow {
  const [verifier = '', name = ''] = row.sort.split('/');
  const known = VERIFIERS.find((one) => one === verifier);
  if (known === undefined) return malformedRow(row, 'it is of no verifier');
  return { verifier: known, name, code: stringIn(row, 'r'), sinceMs: countIn(row, 'a') };
}

export const findingAttributes = ({ code, sinceMs }: FindingRow): Attributes => ({ r: code, a: sinceMs });
