// drive | number: what is known of a drive besides where it is (that is in the store's row). A drive without a row is
// active and of no domain: stores have none before the first change of a drive.
import type { Attributes, Condition, Key, Row } from '../../panda.ts';
import { countIn, optionalCount, optionalString, padded, wordIn } from '../row-reader.ts';

/**
 * active: takes new extents. draining: is read and emptied. lost: is not coming back as far as anybody knows; what it
 * held is made again elsewhere. retired: nothing of the store is on it any more; its number is never used again.
 */
export const DRIVE_STATES = ['active', 'draining', 'lost', 'retired'] as const;
export type DriveState = (typeof DRIVE_STATES)[number];

export interface DriveRow {
  readonly drive: number;
  readonly state: DriveState;
  /** Grows with every change of state, so that a state that was left and came back is another. */
  readonly change: number;
  readonly sinceMs: number;
  /** What fails together: a disk, a machine, a region. Missing: the drive alone. */
  readonly domain: string | undefined;
  /** Of the marker on it: a disk that was wiped and made a drive anew has another. Missing: any will do. */
  readonly incarnation?: string | undefined;
  /** It has not answered since, as far as anybody looked, the last time then. Missing: it does. */
  readonly away?: { readonly sinceMs: number; readonly seenMs: number } | undefined;
  /** When it became lost the last time without anybody saying so. */
  readonly lostByClockMs?: number | undefined;
}

const DRIVE_DIGITS = 5;

export const drivePartition = 'drive';
export const driveKey = (drive: number): Key => ({ partition: drivePartition, sort: padded(drive, DRIVE_DIGITS) });

export const driveFromRow = (row: Row): DriveRow => ({
  drive: Number(row.sort),
  state: wordIn(row, 's', DRIVE_STATES),
  change: countIn(row, 'n'),
  sinceMs: countIn(row, 'a'),
  domain: optionalString(row, 'm'),
  incarnation: optionalString(row, 'i'),
  away: awayOf(row),
  lostByClockMs: optionalCount(row, 'lc'),
});

function awayOf(row: Row): DriveRow['away'] {
  const sinceMs = optionalCount(row, 'w');
  return sinceMs === undefined ? undefined : { sinceMs, seenMs: optionalCount(row, 'ws') ?? sinceMs };
}

export const driveAttributes = (row: Omit<DriveRow, 'drive'>): Attributes => ({
  s: row.state,
  n: row.change,
  a: row.sinceMs,
  ...(row.domain === undefined ? {} : { m: row.domain }),
  ...(row.incarnation === undefined ? {} : { i: row.incarnation }),
  ...(row.away === undefined ? {} : { w: row.away.sinceMs, ws: row.away.seenMs }),
  ...(row.lostByClockMs === undefined ? {} : { lc: row.lostByClockMs }),
});

/** Nobody has changed its state since; undefined: it had no row. */
export const driveIsAsRead = (row: DriveRow | undefined): Condition =>
  row === undefined ? ['absent'] : [{ attribute: 'n', equals: row.change }];
