// The closed-form worth of rewriting a volume: when it pays, when to wait for more of it to die, and how to rank when
// budgets are scarce. Fills are live fractions of capacity, in 0..1.
import { assert } from '../../foundation/assert.ts';
import { DEATHS_MAX } from '../../limits/compaction.ts';

/**
 * The worth index of a volume of live fraction u:  (1-u)/u - ln(1/u).
 *
 * Derivation. Take a class whose blobs die at rate L (a fraction of the live ones per unit of time). A volume written
 * full has live fraction exp(-L t) at age t; rewritten at u it lives T = ln(1/u)/L. Per unit of live data kept, the
 * class then holds
 *     O(u) = T / (integral of exp(-L t) over 0..T) = ln(1/u) / (1-u)      volumes allocated, and
 *     M(u) = u / ((1-u)/L)                         = L u / (1-u)          volumes moved per unit of time.
 * With S dollars for a volume kept per unit of time and c dollars for a full volume moved, the bill is S O(u) + c M(u).
 * Its derivative, times (1-u)^2, is
 *     S (ln(1/u) - (1-u)/u) + c L,
 * so the bill is least where  (1-u)/u - ln(1/u) = L c / S, and a volume is worth rewriting once its index is at least L
 * c / S. The index falls from infinity (nothing live: free) to 0 (all live: never). It contains waiting: a class that
 * dies fast (large L) is left alone longer. For one class ranking by it is ranking by u, i.e. greedy.
 */
export function worthIndex(fill: number): number {
  if (fill <= 0) return Number.POSITIVE_INFINITY;
  if (fill >= 1) return 0;
  return (1 - fill) / fill + Math.log(fill);
}

/** Rank under a scarce budget: the index over the delete rate of the volume's age band. Higher goes first. */
export function worthRank(fill: number, deletesPerDay: number): number {
  return worthIndex(fill) / Math.max(deletesPerDay, RATE_MIN_PER_DAY);
}

/**
 * How fast a volume's own data has died so far, per day: what was written into it against what is left. A hundredth of
 * the fleet's mean life is added as if spent at the fleet's rate, so that a young volume is not judged by a death or
 * two.
 */
export function ownRatePerDay(writtenBytes: number, liveBytes: number, ageDays: number, fleetPerDay: number): number {
  const deaths = liveBytes > 0 ? Math.log(Math.max(writtenBytes, liveBytes) / liveBytes) : DEATHS_MAX;
  return (deaths + PRIOR) / (ageDays + PRIOR / Math.max(fleetPerDay, RATE_MIN_PER_DAY));
}

const PRIOR = 0.01;

/**
 * The live fraction at which the index reaches `bound`: rewrite at or below it. 1 for a bound of 0, 0 for an infinite
 * one.
 */
export function fillWorthRewriting(bound: number): number {
  assert(bound >= 0, `an index is not negative: ${bound}`);
  if (bound === 0) return 1;
  let low = 0;
  let high = 1;
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (worthIndex(middle) >= bound) low = middle;
    else high = middle;
  }
  return low;
}

/** Nothing is taken to live longer than about a century on average, so that a rank never divides by zero. */
const RATE_MIN_PER_DAY = 1 / 36_500;

/**
 * The price, in bytes moved, of one byte left empty in a destination: what it costs to regain it elsewhere, from the
 * densest volume the threshold still admits (live fraction 1-t frees t for 1-t moved). Never below 2, so that a fuller
 * destination is always better than an emptier one made of as many sources.
 */
export const holePrice = (thresholdDeadFraction: number): number =>
  Math.max(2, (1 - thresholdDeadFraction) / Math.max(thresholdDeadFraction, 0.01));

/**
 * Least overhead (allocated / live) that merging k sources into at most k-1 destinations can hold under uniform
 * deletes: k ln(k/(k-1)). 1.386 for pairs: packing k -> 1 stalls there, because two volumes over half full never fit
 * together.
 */
export function packingFloor(sources: number): number {
  assert(sources >= 2, 'a run merges at least two sources');
  return sources * Math.log(sources / (sources - 1));
}

/**
 * Least write amplification (ingested + moved) / ingested that any policy reaches at this overhead under uniform
 * deletes, for volumes of many blobs: 1/(1-v), where v, the live fraction of the volume rewritten, solves v = exp(-O
 * (1-v)).
 */
export function lambertBound(overhead: number): number {
  if (overhead <= 1) return Number.POSITIVE_INFINITY;
  let low = 0;
  let high = 1 - 1e-12;
  // g(v) = exp(-O(1-v)) - v is positive below the root and negative between it and 1.
  for (let step = 0; step < 200; step++) {
    const middle = (low + high) / 2;
    if (Math.exp(-overhead * (1 - middle)) > middle) low = middle;
    else high = middle;
  }
  return 1 / (1 - low);
}

/** Live fraction at which a fleet of this overhead rewrites its volumes if it does so as well as can be. */
export const victimFill = (overhead: number): number => 1 - 1 / lambertBound(overhead);
