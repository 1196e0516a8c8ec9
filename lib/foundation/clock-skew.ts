// Times that rows hold were read from other clocks. One that lies far ahead of ours says nothing: it came from a clock
// that once jumped.
import { MINUTE_MS } from './durations.ts';

/** Clocks of machines that share a store may differ by this much. */
export const CLOCK_SKEW_MAX_MS = 10 * MINUTE_MS;

/** True if a time of another moment is from the future, so that waiting for it would be waiting for years. */
export const isAhead = (atMs: number, nowMs: number): boolean => atMs - nowMs > CLOCK_SKEW_MAX_MS;
