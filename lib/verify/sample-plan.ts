// Which blocks the storage watcher samples and when it reads them back, pure. The choice hangs on a block's id alone,
// so that nobody has to agree on it; ids are hashes, so one range of each partition is as good as any.
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../foundation/durations.ts';
import { SAMPLED_IN_65536 } from '../limits/verify.ts';
import type { SampleRow } from './sample-row.ts';

/** How old a block is, as the watcher knows it, when it is read back. */
export const SAMPLE_AGES_MS: readonly number[] = [MINUTE_MS, HOUR_MS, DAY_MS, 7 * DAY_MS, 30 * DAY_MS];

/** The ids sampled of those that begin with these two digits; both ends are part of it. */
export const sampledRange = (bits: string): { readonly from: string; readonly to: string } => ({
  from: `${bits}0000`,
  to: `${bits}${(SAMPLED_IN_65536 - 1).toString(16).padStart(4, '0')}~`,
});

/** How many checks are behind a block of this age, if it is read now; undefined: it is not due. */
export function checksDue({ sinceMs, checks }: SampleRow, nowMs: number): number | undefined {
  // A time from the future: the clock was wrong then, or is now. It is read at once, and then as if it were new.
  if (sinceMs > nowMs) return 0;
  const passed = SAMPLE_AGES_MS.filter((ageMs) => nowMs - sinceMs >= ageMs).length;
  return passed > checks ? passed : undefined;
}
