// The controller of the threshold (least dead fraction worth a run): a pure step from one measurement to the next, with
// its state as data. Beside it the law as published, which runs away, as a control.

import * as z from 'zod';
import type { THRESHOLD_REASONS } from '../../foundation/codes/reasons.ts';
import { DAY_MS } from '../../foundation/durations.ts';
import { invalid, notMet } from '../../foundation/errors.ts';
import type { Reason } from '../../foundation/reason.ts';
import {
  THRESHOLD_MAX,
  THRESHOLD_MIN,
  THRESHOLD_STEP_PER_DAY_MAX,
  THRESHOLD_STEP_TIMES_DELAY_MAX,
} from '../../limits/compaction.ts';

/** Until the controller has set one: a volume is worth rewriting when a fifth of it is dead. */
export const THRESHOLD_START = 0.2;

const schema = z.strictObject({
  stepPerDay: z.number().positive().max(THRESHOLD_STEP_PER_DAY_MAX),
  /** How old the overhead is when it gets here. */
  delayDays: z.number().nonnegative(),
  min: z.number().min(THRESHOLD_MIN).max(THRESHOLD_MAX),
  max: z.number().min(THRESHOLD_MIN).max(THRESHOLD_MAX),
  /** Overhead (capacity / live, without the code's factor) at which lowering stops. */
  targetOverhead: z.number().gt(1),
  /** Budgets count as used up from here … */
  busy: z.number().gt(0).max(1),
  /** … and as having room below here; in between nothing moves (hysteresis). */
  idle: z.number().gt(0).max(1),
  /** The quick and the slow mean whose difference is the trend. */
  quickDays: z.number().positive(),
  slowDays: z.number().positive(),
  /** A trend smaller than this is none. */
  band: z.number().nonnegative(),
  /** With fewer sealed volumes, overhead is noise. */
  volumesMin: z.int().nonnegative(),
});

export type ThresholdSettings = Readonly<z.infer<typeof schema>>;

export const THRESHOLD_SETTINGS: ThresholdSettings = Object.freeze({
  stepPerDay: 0.005,
  delayDays: 1,
  min: 0.05,
  max: 0.75,
  targetOverhead: 1.1,
  busy: 0.97,
  idle: 0.9,
  quickDays: 2,
  slowDays: 8,
  band: 0.002,
  volumesMin: 10,
});

/** Throws `invalid` THRESHOLD_INVALID for settings that are nonsense or known to swing. */
export function thresholdSettingsOf(changes: Partial<ThresholdSettings> = {}): ThresholdSettings {
  const parsed = schema.safeParse({ ...THRESHOLD_SETTINGS, ...changes });
  if (!parsed.success) throw notMet('THRESHOLD_INVALID', 'threshold', parsed.error);
  const s = parsed.data;
  const wrong =
    s.min > s.max
      ? `min ${s.min} is above max ${s.max}`
      : s.idle >= s.busy
        ? `idle ${s.idle} is not below busy ${s.busy}`
        : s.quickDays >= s.slowDays
          ? `quickDays ${s.quickDays} is not below slowDays ${s.slowDays}`
          : s.stepPerDay * s.delayDays > THRESHOLD_STEP_TIMES_DELAY_MAX + 1e-12
            ? `step ${s.stepPerDay} times delay ${s.delayDays} is over ${THRESHOLD_STEP_TIMES_DELAY_MAX}: the loop would swing`
            : undefined;
  if (wrong !== undefined) throw invalid('THRESHOLD_INVALID', `threshold: ${wrong}`);
  return Object.freeze(s);
}

export interface ThresholdState {
  readonly threshold: number;
  /** Smoothed overheads; null before the first measurement. */
  readonly quick: number | null;
  readonly slow: number | null;
  readonly atMs: number | null;
}

export interface ThresholdInput {
  readonly nowMs: number;
  readonly overhead: number;
  /** Use of the scarcest budget since the last step, 0..1. */
  readonly budgetUsed: number;
  readonly sealedVolumes: number;
}

export type ThresholdCode = keyof typeof THRESHOLD_REASONS;

export interface ThresholdStep {
  readonly state: ThresholdState;
  readonly moved: 'raised' | 'lowered' | 'kept';
  readonly reason: Reason<ThresholdCode>;
}

export const thresholdStart = (threshold: number): ThresholdState =>
  Object.freeze({ threshold, quick: null, slow: null, atMs: null });

/**
 * One measurement. Steps are per day of clock, at most one day's worth each, so neither calls in a burst nor a leap
 * move it far.
 */
export function stepThreshold(state: ThresholdState, input: ThresholdInput, s: ThresholdSettings): ThresholdStep {
  const kept = (reason: ThresholdStep['reason'], next: ThresholdState = state): ThresholdStep => ({
    state: next,
    moved: 'kept',
    reason,
  });
  if (
    !(Number.isFinite(input.overhead) && input.overhead >= 1 && input.budgetUsed >= 0 && Number.isFinite(input.nowMs))
  )
    return kept({ code: 'MEASUREMENT_INVALID', text: 'the measurement makes no sense' });
  if (input.sealedVolumes < s.volumesMin)
    return kept({ code: 'TOO_FEW_VOLUMES', text: `fewer than ${s.volumesMin} sealed volumes` });
  const { overhead, nowMs } = input;
  if (state.quick === null || state.slow === null || state.atMs === null)
    return kept(
      { code: 'FIRST_MEASUREMENT', text: 'first measurement' },
      { ...state, quick: overhead, slow: overhead, atMs: nowMs },
    );
  if (nowMs <= state.atMs)
    return kept({ code: 'CLOCK_STOOD', text: 'the clock did not move on' }, { ...state, atMs: nowMs });
  const days = Math.min(1, (nowMs - state.atMs) / DAY_MS);
  const quick = state.quick + (overhead - state.quick) * (1 - Math.exp(-days / s.quickDays));
  const slow = state.slow + (overhead - state.slow) * (1 - Math.exp(-days / s.slowDays));
  const seen = { threshold: state.threshold, quick, slow, atMs: nowMs };
  const to = (threshold: number, moved: 'raised' | 'lowered', reason: ThresholdStep['reason']): ThresholdStep => {
    const bounded = Math.min(s.max, Math.max(s.min, threshold));
    if (bounded === state.threshold)
      return kept({ code: 'AT_BOUND', text: `${reason.text}, but the bound is reached` }, seen);
    return { state: { ...seen, threshold: bounded }, moved, reason };
  };
  const trend = quick - slow;
  if (input.budgetUsed >= s.busy) {
    if (trend > s.band)
      return to(state.threshold + s.stepPerDay * days, 'raised', {
        code: 'BUDGETS_BIND',
        text: 'overhead rises and budgets are used up',
      });
    return kept({ code: 'BUDGETS_SPENT', text: 'budgets are used up, but overhead does not rise' }, seen);
  }
  if (input.budgetUsed >= s.idle)
    return kept({ code: 'BUDGETS_NEARLY_SPENT', text: 'budgets are nearly used up' }, seen);
  if (quick <= s.targetOverhead) return kept({ code: 'AT_TARGET', text: 'overhead is at its target' }, seen);
  if (trend < -s.band) return kept({ code: 'OVERHEAD_FALLS', text: 'overhead is falling' }, seen);
  return to(state.threshold - s.stepPerDay * days, 'lowered', {
    code: 'BUDGETS_HAVE_ROOM',
    text: 'budgets have room and overhead is above its target',
  });
}

/**
 * The law as published: rising overhead raises the threshold, otherwise lower it. Nothing asks whether the budgets were
 * the reason: a threshold too high starves compaction, overhead rises, and the threshold rises further. Kept as a
 * control for tests and the simulator; nothing in the store uses it.
 */
export function stepNaively(threshold: number, overheadRises: boolean, stepPerDay: number, days: number): number {
  const next = threshold + (overheadRises ? stepPerDay : -stepPerDay) * days;
  return Math.min(0.95, Math.max(THRESHOLD_MIN, next));
}
