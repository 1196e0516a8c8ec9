// When it is cheaper to wait than to rewrite (objective `money`): by codec and age class, the fill above which a volume
// is left to die on. Waiting is priced by a typical full volume of its codec, not by whichever comes first in the
// snapshot.

import { dollarsOf, MS_PER_MONTH } from '../../cost/cost-of.ts';
import type { PriceBook } from '../../cost/price-book.ts';
import { DAY_MS } from '../../foundation/durations.ts';
import { FLEET_CODECS_MAX } from '../../limits/compaction.ts';
import { AGE_CLASSES, codecAt, FLEET_STATES, type FleetView, RAW_FACTOR } from '../facts/fleet.ts';
import type { PlanSettings } from '../facts/plan-settings.ts';
import { pricingOf, workOf } from './work.ts';
import { fillWorthRewriting } from './worth.ts';

const SEALED = FLEET_STATES.indexOf('sealed');

export const waitingAt = (codecWire: number, ageClass: number): number => codecWire * AGE_CLASSES + ageClass;

/** Fills above which waiting beats rewriting, at `waitingAt`; 1: never wait. */
export function waitingFills(view: FleetView, settings: PlanSettings, book: PriceBook): Float64Array {
  const fills = new Float64Array(FLEET_CODECS_MAX * AGE_CLASSES).fill(1);
  if (settings.objective !== 'money') return fills;
  for (const { wire, example, buckets } of typicalVolumes(view)) {
    const capacityBytes = view.capacityBytes[example] as number;
    const full = Math.min(Math.round(buckets * capacityBytes), settings.bucketsPerVolumeMax);
    const moves = { copiedBytes: capacityBytes, copiedBuckets: full, movedBuckets: full, freedVolumes: 1 };
    const work = workOf({ codec: codecAt(view, example), ...moves, newVolumes: 1, queued: false }, settings);
    const moveDollars = dollarsOf(work, pricingOf(settings, book)).total;
    const rawGb = (capacityBytes * (RAW_FACTOR[wire] ?? 1)) / 1e9;
    const keepDollarsPerDay = (rawGb * book.storage[settings.storageClass].perGbMonth * DAY_MS) / MS_PER_MONTH;
    for (const [ageClass, rate] of settings.deletesPerDay.entries())
      fills[waitingAt(wire, ageClass)] = fillWorthRewriting((rate * moveDollars) / keepDollarsPerDay);
  }
  return fills;
}

interface Typical {
  readonly wire: number;
  /** Index of the first sealed volume of the codec. */
  readonly example: number;
  /** Buckets per byte of live data. */
  readonly buckets: number;
}

/**
 * Buckets of a full volume, by codec: from the volumes at least as full as the mean, because a bucket is there until
 * its last block is dead and so half empty volumes have too many of them for their bytes.
 */
function typicalVolumes(view: FleetView): Typical[] {
  const live = new Float64Array(FLEET_CODECS_MAX);
  const capacity = new Float64Array(FLEET_CODECS_MAX);
  const example = new Int32Array(FLEET_CODECS_MAX).fill(-1);
  for (let i = 0; i < view.count; i++) {
    if (view.state[i] !== SEALED) continue;
    const wire = view.codec[i] as number;
    live[wire] = (live[wire] as number) + (view.liveBytes[i] as number);
    capacity[wire] = (capacity[wire] as number) + (view.capacityBytes[i] as number);
    if ((example[wire] as number) < 0) example[wire] = i;
  }
  const bytes = new Float64Array(FLEET_CODECS_MAX);
  const buckets = new Float64Array(FLEET_CODECS_MAX);
  for (let i = 0; i < view.count; i++) {
    if (view.state[i] !== SEALED) continue;
    const wire = view.codec[i] as number;
    const mean = (live[wire] as number) / (capacity[wire] as number);
    if ((view.liveBytes[i] as number) < mean * (view.capacityBytes[i] as number)) continue;
    bytes[wire] = (bytes[wire] as number) + (view.liveBytes[i] as number);
    buckets[wire] = (buckets[wire] as number) + (view.bucketCount[i] as number);
  }
  const out: Typical[] = [];
  for (const [wire, first] of example.entries())
    if (first >= 0 && (bytes[wire] as number) > 0)
      out.push({ wire, example: first, buckets: (buckets[wire] as number) / (bytes[wire] as number) });
  return out;
}
