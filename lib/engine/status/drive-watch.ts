// The 15-minute rule, pure: what becomes of a drive that does not answer, or answers again. The clock decides only when
// a repair begins. Nothing is lost by that: what a drive holds that is lost counts again when it is back.
import { DAY_MS } from '../../foundation/durations.ts';
import type { DriveRow } from '../../panda/rows/drives/drive-row.ts';

export type WatchStep =
  | { readonly do: 'nothing' }
  /** It does not answer, since then. */
  | { readonly do: 'note'; readonly sinceMs: number }
  | { readonly do: 'back' }
  /** It has not answered for so long that it is given up, if the brake allows. */
  | { readonly do: 'lose'; readonly sinceMs: number }
  /** It was given up by the clock, and answers. */
  | { readonly do: 'return' };

const NOTHING: WatchStep = { do: 'nothing' };

export function stepOf(
  row: Pick<DriveRow, 'state' | 'away' | 'lostByClockMs'> | undefined,
  isAway: boolean,
  nowMs: number,
  lostAfterMs: number,
): WatchStep {
  const { state = 'active', away, lostByClockMs } = row ?? {};
  if (state === 'retired') return NOTHING;
  // What a person has given up only a person takes back.
  if (state === 'lost') return !isAway && lostByClockMs !== undefined ? { do: 'return' } : NOTHING;
  if (!isAway) return away === undefined ? NOTHING : { do: 'back' };
  // Nobody looked for as long as it takes, or the clock was set: it may have been there, and its time begins now.
  const isWatched = away !== undefined && away.seenMs <= nowMs && nowMs - away.seenMs <= lostAfterMs;
  if (!isWatched) return { do: 'note', sinceMs: nowMs };
  const { sinceMs } = away;
  return nowMs - sinceMs >= lostAfterMs ? { do: 'lose', sinceMs } : { do: 'note', sinceMs };
}

/** Drives that became lost by the clock within a day, whatever became of them since. */
export const lossesByClock = (rows: Iterable<Pick<DriveRow, 'lostByClockMs'>>, nowMs: number): number =>
  [...rows].filter(({ lostByClockMs }) => lostByClockMs !== undefined && Math.abs(nowMs - lostByClockMs) < DAY_MS)
    .length;

/** Away for so long that only the brake keeps it from being lost: a person is asked. */
export const asksPerson = (
  { state, away }: Pick<DriveRow, 'state' | 'away'>,
  nowMs: number,
  lostAfterMs: number,
): boolean => (state === 'active' || state === 'draining') && away !== undefined && nowMs - away.sinceMs >= lostAfterMs;
