// What a plan aims at one step of the protocols: the call that is it is cut off in one of the ways a call can be. Rates alone hardly ever reach
// what happens once in twenty runs.
import { type SeededRandomness, shuffled } from '../../../lib/foundation/randomness.ts';
import { CRASH_STEPS, READ_STEPS } from '../checkers/crash-points.ts';

export const CRASHES = ['dies-before', 'dies-after', 'fails-before', 'fails-after', 'done-late', 'comes-late'] as const;
/**
 * The process dies before its call is done, or after; the call fails, or fails although it was done, or is done a while after it failed; it
 * is done late, when others have long taken over, and whoever sent it goes on then.
 */
export type Crash = (typeof CRASHES)[number];

export interface Target {
  readonly step: string;
  /** Of a call that only reads, besides failing: what it read is told late, when it is so no longer. */
  readonly outcome: Crash | 'answered-late';
  /** So many calls of the step go by before. */
  readonly skipped: number;
  /** Of what comes late: longer than a lease, or only long enough for another call. */
  readonly lateMs: number;
  /** Its process stands still meanwhile, and may be taken for dead. */
  readonly freezes: boolean;
  /** After so long those begin who act meanwhile. */
  readonly followersAfterMs: number;
  /** Only calls of processes in which somebody of this role works, or of those that lead to it. */
  readonly by?: 'client' | 'mover' | 'keeper' | 'keeper-leads';
  /** So many more calls of the step have the same fate. */
  readonly repeats?: number;
  /** Done right after the call that the target before it made late, while that one is on its way. */
  readonly isRightAfter?: boolean;
  /** Of what is done after it failed: when; any time up to minutes later unless told. */
  readonly doneAfterMs?: number;
}

const LEASE_MS = 60_000;
const SHORT_MS = 3000;
const SKIPPED_MAX = 3;
const READS_SKIPPED_MAX = 40;
const READS_FAILING_MAX = 8;

export interface Aiming {
  /** Of the plan: the first target goes through all crash points, seed by seed, so that none is left out. */
  readonly seed: number;
  readonly count: number;
  readonly outcomes: readonly Crash[];
  /** Only at steps that fit. */
  readonly aim: RegExp | undefined;
}

export function drawnTargets(random: SeededRandomness, { seed, count, outcomes, aim }: Aiming): Target[] {
  if (outcomes.length === 0) return [];
  const fits = (step: string): boolean => aim?.test(step) ?? true;
  const [changes, reads] = [CRASH_STEPS.filter(fits), READ_STEPS.filter(fits)];
  const more = Array.from({ length: count }, () =>
    changes.length === 0 || (reads.length > 0 && random.below(3) === 0)
      ? drawnRead(random, reads)
      : drawnChange(random, changes, outcomes),
  );
  if (aim !== undefined) return more;
  const point = seed % (changes.length * outcomes.length);
  const step = changes[point % changes.length] as string;
  const outcome = outcomes[Math.floor(point / changes.length)] as Crash;
  return [{ step, outcome, skipped: random.below(4) === 0 ? 1 : 0, ...drawnTimes(random) }, ...more];
}

/** One is told late, or done late, when those before it are out of date; or some fail one after the other. */
function drawnRead(random: SeededRandomness, steps: readonly string[]): Target {
  const step = steps[random.below(steps.length)] as string;
  const skipped = random.below(READS_SKIPPED_MAX);
  if (random.below(4) === 0)
    return { step, outcome: 'fails-before', skipped, repeats: random.below(READS_FAILING_MAX), ...drawnTimes(random) };
  const outcome = random.below(3) === 0 ? 'comes-late' : 'answered-late';
  return { step, outcome, skipped, ...drawnTimes(random), freezes: random.below(3) > 0 };
}

/** Half of them come late, while others act: that is what conditions are for. */
function drawnChange(random: SeededRandomness, steps: readonly string[], outcomes: readonly Crash[]): Target {
  const isLate = random.below(2) === 0 && outcomes.includes('comes-late');
  return {
    step: steps[random.below(steps.length)] as string,
    outcome: isLate ? 'comes-late' : (shuffled(outcomes, random)[0] as Crash),
    skipped: random.below(2) === 0 ? 0 : random.below(SKIPPED_MAX),
    ...drawnTimes(random),
  };
}

function drawnTimes(random: SeededRandomness): Pick<Target, 'lateMs' | 'freezes' | 'followersAfterMs'> {
  const isLong = random.below(3) > 0;
  const followersAfterMs = isLong ? random.below(LEASE_MS + LEASE_MS / 3) : random.below(SHORT_MS / 3);
  const afterMs = isLong ? LEASE_MS / 2 + random.below(LEASE_MS) : random.below(SHORT_MS);
  return { lateMs: followersAfterMs + afterMs, freezes: random.below(3) === 0, followersAfterMs };
}
