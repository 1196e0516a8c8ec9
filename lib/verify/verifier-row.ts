// verifier/CELL | NAME: the last pass of a verifier, and where the next one goes on.
import type { Attributes, Key, Row } from '../panda/panda.ts';
import { countIn, optionalCount, optionalString } from '../panda/rows/row-reader.ts';

/**
 * scrub: every object. index: every block's row. sample: one block in a hundred, read back. trash: what emptied volumes
 * held. journal: the segments of the metadata.
 */
export const VERIFIERS = ['scrub', 'index', 'sample', 'trash', 'journal'] as const;
export type VerifierName = (typeof VERIFIERS)[number];

export interface VerifierRow {
  /** When the last pass began. */
  readonly beganAtMs: number;
  /** Since the one before began; undefined for the first. */
  readonly sinceBeforeMs: number | undefined;
  /** How long it worked. */
  readonly workMs: number;
  /** What it looked at, in its own units, and bytes it read. */
  readonly looked: number;
  readonly bytes: number;
  readonly findings: number;
  /** Where the next pass goes on; undefined: at the beginning. */
  readonly cursor: string | undefined;
  /** When the last look at everything began that reached its end. */
  readonly wholeAtMs: number | undefined;
  /** When the one under way began. */
  readonly underWayAtMs: number | undefined;
}

export const verifierKey = (cell: string, name: VerifierName): Key => ({
  partition: `verifier/${cell}`,
  sort: name,
});

export const verifierFromRow = (row: Row): VerifierRow => ({
  beganAtMs: countIn(row, 'a'),
  sinceBeforeMs: optionalCount(row, 'i'),
  workMs: countIn(row, 'w'),
  looked: countIn(row, 'n'),
  bytes: countIn(row, 'b'),
  findings: countIn(row, 'f'),
  cursor: optionalString(row, 'c'),
  wholeAtMs: optionalCount(row, 'l'),
  underWayAtMs: optionalCount(row, 'u'),
});

export const verifierAttributes = (row: VerifierRow): Attributes => ({
  a: row.beganAtMs,
  w: row.workMs,
  n: row.looked,
  b: row.bytes,
  f: row.findings,
  ...(row.sinceBeforeMs === undefined ? {} : { i: row.sinceBeforeMs }),
  ...(row.cursor === undefined ? {} : { c: row.cursor }),
  ...(row.wholeAtMs === undefined ? {} : { l: row.wholeAtMs }),
  ...(row.underWayAtMs === undefined ? {} : { u: row.underWayAtMs }),
});
