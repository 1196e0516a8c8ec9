// sample/CELL | block id: a block that the storage watcher reads back again and again: since when it knows it, and how
// often it did.
import type { BlockId } from '../foundation/ids.ts';
import type { Attributes, Key, Row } from '../panda/panda.ts';
import { blockIdIn, countIn } from '../panda/rows/row-reader.ts';

export interface SampleRow {
  readonly block: BlockId;
  readonly sinceMs: number;
  /** Of the ages at which it is read, those that are behind it. */
  readonly checks: number;
}

export const samplePartition = (cell: string): string => `sample/${cell}`;
export const sampleKey = (cell: string, block: BlockId): Key => ({ partition: samplePartition(cell), sort: block });

export const sampleFromRow = (row: Row): SampleRow => ({
  block: blockIdIn(row, row.sort),
  sinceMs: countIn(row, 'a'),
  checks: countIn(row, 'n'),
});

export const sampleAttributes = ({ sinceMs, checks }: SampleRow): Attributes => ({ a: sinceMs, n: checks });
