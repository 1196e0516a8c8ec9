// scrub/CELL | volume id: how far the scrubber has come with a volume, and when. Soft state: without the row the volume
// is read anew; a row of another generation, or of a volume that is gone, counts for nothing.
import type { VolumeId } from '../foundation/ids.ts';
import type { Attributes, Key, Row } from '../panda/panda.ts';
import { countIn, optionalCount, volumeIdIn, wordIn } from '../panda/rows/row-reader.ts';

/** Everything that must exist, or only what came after the look before. */
export const LOOK_KINDS = ['all', 'new'] as const;
export type LookKind = (typeof LOOK_KINDS)[number];

/** A look that was cut: it goes on after `afterSeq`. */
export interface LookUnderWay {
  readonly kind: LookKind;
  readonly beganAtMs: number;
  readonly afterSeq: number;
}

export interface ScrubRow {
  readonly volume: VolumeId;
  readonly generation: number;
  /** When the last look at everything began; it reached the end. */
  readonly allAtMs: number | undefined;
  /** When the last look began that reached the end, whatever it looked at. */
  readonly lastAtMs: number | undefined;
  /** Groups up to this sequence were read. */
  readonly readSeq: number;
  readonly hasReadDirectories: boolean;
  /** Some of it could not be looked at: a drive was away or busy. */
  readonly hasMissed: boolean;
  readonly underWay: LookUnderWay | undefined;
}

export const scrubPartition = (cell: string): string => `scrub/${cell}`;
export const scrubKey = (cell: string, volume: VolumeId): Key => ({ partition: scrubPartition(cell), sort: volume });

export const scrubFromRow = (row: Row): ScrubRow => ({
  volume: volumeIdIn(row, row.sort),
  generation: countIn(row, 'g'),
  allAtMs: optionalCount(row, 'a'),
  lastAtMs: optionalCount(row, 'f'),
  readSeq: countIn(row, 'q'),
  hasReadDirectories: optionalCount(row, 'd') === 1,
  hasMissed: optionalCount(row, 'u') === 1,
  underWay:
    row.attributes['wk'] === undefined
      ? undefined
      : { kind: wordIn(row, 'wk', LOOK_KINDS), beganAtMs: countIn(row, 'wa'), afterSeq: countIn(row, 'wq') },
});

export const scrubAttributes = (row: ScrubRow): Attributes => ({
  g: row.generation,
  q: row.readSeq,
  ...(row.allAtMs === undefined ? {} : { a: row.allAtMs }),
  ...(row.lastAtMs === undefined ? {} : { f: row.lastAtMs }),
  ...(row.hasReadDirectories ? { d: 1 } : {}),
  ...(row.hasMissed ? { u: 1 } : {}),
  ...(row.underWay === undefined
    ? {}
    : { wk: row.underWay.kind, wa: row.underWay.beganAtMs, wq: row.underWay.afterSeq }),
});
