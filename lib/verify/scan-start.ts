// Where a scan of everything goes on that may be cut off at any time, or that a new one is due. Pure.
import type { VerifierRow } from './verifier-row.ts';

export interface ScanStart {
  /** Where the one under way was cut; undefined: at the beginning. */
  readonly cursor: string | undefined;
  readonly beganAtMs: number;
}

export interface ScanPeriod {
  readonly nowMs: number;
  readonly everyMs: number;
  /** Whatever was not looked at since then is due. */
  readonly allSinceMs: number | undefined;
}

/** Undefined: none is due. */
export function scanStart(
  before: VerifierRow | undefined,
  { nowMs, everyMs, allSinceMs }: ScanPeriod,
): ScanStart | undefined {
  const { cursor, underWayAtMs, wholeAtMs = Number.NEGATIVE_INFINITY } = before ?? {};
  const isUnderWay = cursor !== undefined && underWayAtMs !== undefined && underWayAtMs <= nowMs;
  if (isUnderWay && (allSinceMs === undefined || underWayAtMs >= allSinceMs))
    return { cursor, beganAtMs: underWayAtMs };
  // A time from the future: the clock was wrong then, or is now.
  const isDue = wholeAtMs > nowMs || nowMs - wholeAtMs >= everyMs;
  if (allSinceMs === undefined ? !isDue : wholeAtMs >= allSinceMs && wholeAtMs <= nowMs) return undefined;
  return { cursor: undefined, beganAtMs: nowMs };
}
