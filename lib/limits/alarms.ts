// When figures of a store are an alarm.
import { HOUR_MS } from '../foundation/durations.ts';

/** Part of the sealed volumes that would have to move to another band of fill to look as a week ago. */
export const FILL_SHIFT_MAX = 0.25;
/** Used part of what the Live Coder sealed in a day. */
export const SEALED_FILL_MIN = 0.8;
/** Hours without progress, or that a shred is late. */
export const OVERDUE_HOURS_MAX = 24;
/** Part of what hot volumes may allocate: beyond it puts are about to be refused. */
export const HOT_FULLNESS_MAX = 0.9;
/** Transactions that were in the way of others within five minutes: one a second. */
export const CONFLICTS_MAX = 300;
/** Calls of functions that Lambda turned away within five minutes. */
export const THROTTLES_MAX = 10;
/** A figure must be out of bounds for so long: three measurements of an hour each. */
export const ALARM_AFTER_MS = 2 * HOUR_MS;
/** Whoever is told of an alarm has this long to take it. */
export const ALARM_CALL_MS_MAX = 30_000;
