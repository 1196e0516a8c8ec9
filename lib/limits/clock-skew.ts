// Times that rows hold were read from other clocks. One that lies far ahead of ours says nothing: it came from a clock
// that once jumped.
import { CLOCK_SKEW_MS_MAX } from './volume.ts';

/** True if a time of another moment is from the future, so that waiting for it would be waiting for years. */
export const isAhead = (atMs: number, nowMs: number): boolean => atMs - nowMs > CLOCK_SKEW_MS_MAX;
