// kek | version: which key a version of the KEK is, by a fingerprint that tells nothing of the key. Written once, by
// the first who writes under the version, and never taken away: a number belongs to one key for good.
import type { Attributes, Key, Row } from '../panda.ts';
import { bytesIn, countIn, padded } from './row-reader.ts';

export interface KekRow {
  readonly version: number;
  readonly fingerprint: Uint8Array;
  readonly sinceMs: number;
}

const VERSION_DIGITS = 8;
export const kekPartition = 'kek';
export const kekKey = (version: number): Key => ({ partition: kekPartition, sort: padded(version, VERSION_DIGITS) });

export const kekFromRow = (row: Row): KekRow => ({
  version: Number(row.sort),
  fingerprint: bytesIn(row, 'f'),
  sinceMs: countIn(row, 'a'),
});

export const kekAttributes = ({ fingerprint, sinceMs }: Omit<KekRow, 'version'>): Attributes => ({
  f: fingerprint,
  a: sinceMs,
});
