// When it is cheaper to wait than to rewrite. With the objective `money` that is a fill by codec and age class, above
// which a volume is left to die on; waiting is priced by a typical full volume of its codec, not by whichever comes
// first in the snapshot. With `worth` it is a matter of each volume's own death rate.

import { dollarsOf, MS_PER_MONTH } from '../../cost/cost-of.ts';
import type { PriceBook } from '../../cost/price-book.ts';
import { DAY_MS } from '../../foundation/durations.ts';
import { FEW_VOLUMES_MAX, FLEET_CODECS_MAX, HASTE_MAX } from '../../limits/compaction.ts';
import { AGE_CLASSES, codecAt, FLEET_STATES, type FleetView, RAW_FACTOR } from '../facts/fleet.ts';
import { fullestFill, type PlanSettings } from '../facts/plan-settings.ts';
import { Kin } from './kin.ts';
import { pricingOf, workOf } from './work.ts';
import { fillWorthRewriting, worthIndex } from './worth.ts';

const SEALED = FLEET_STATES.indexOf('sealed');
const OPEN = FLEET_STATES.indexOf('open');
const TRASH = FLEET_STATES.indexOf('trash');
/** Fills that make a whole volume together are not quite one. */
const ROUNDING = 1e-9;

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

/**
 * By index: whether a volume that the threshold admits is left to die on. The threshold is that of a volume that dies
 * as fast as the fleet; by the closed form of worth.ts one that dies twice as fast is worth rewriting at twice the
 * index, since what is moved out of it dies as fast. None waits longer than HASTE_MAX times the index, and none at
 * all where a plan is to finish: there is no later one to wait for.
 */
export function ownWaits(view: FleetView, settings: PlanSettings, threshold: number): (i: number) => boolean {
  if (settings.objective !== 'worth' || settings.drainOrder !== 'worth' || settings.finish) return () => false;
  const kin = new Kin(view);
  const full = fullestFill(settings);
  const due = worthIndex(1 - threshold);
  return (i) => {
    const fill = (view.liveBytes[i] as number) / (full * (view.capacityBytes[i] as number));
    return worthIndex(fill) < due * Math.min(HASTE_MAX, kin.haste(i));
  };
}

/**
 * By codec: whether what streaming frees it opens again, as the survivors do not fit what is open now. Then nothing is
 * gained before that much more has come in, and until then more of them die: they go when they fit. That is a matter
 * of stores of few volumes: of many candidates some are gained at any time.
 */
export function opensWhatItFrees(
  view: FleetView,
  settings: PlanSettings,
  streams: (i: number) => boolean,
): (i: number) => boolean {
  if (settings.objective !== 'worth' || settings.drainOrder !== 'worth' || settings.finish) return () => false;
  const full = fullestFill(settings);
  const perCodec = Array.from({ length: FLEET_CODECS_MAX }, () => ({ volumes: 0, open: 0, freed: 0, filled: 0 }));
  for (let i = 0; i < view.count; i++) {
    const of = perCodec[view.codec[i] as number] as (typeof perCodec)[number];
    const fullBytes = full * (view.capacityBytes[i] as number);
    if (view.state[i] !== TRASH) of.volumes += 1;
    if (view.state[i] === OPEN) {
      of.open += 1;
      of.filled -= Math.max(0, 1 - (view.usedBytes[i] as number) / fullBytes);
    } else if (streams(i)) {
      of.freed += 1;
      of.filled += (view.liveBytes[i] as number) / fullBytes;
    }
  }
  const isVain = perCodec.map(
    ({ volumes, open, freed, filled }) =>
      volumes <= FEW_VOLUMES_MAX && open > 0 && freed <= Math.ceil(filled - ROUNDING),
  );
  return (i) => isVain[view.codec[i] as number] as boolean;
}

export interface Typical {
  readonly wire: number;
  /** Index of the first sealed volume of the codec. */
  readonly example: number;
  /** Of all its volumes. */
  readonly liveBytes: number;
  /** Buckets per byte of live data. */
  readonly buckets: number;
}

/**
 * Buckets of a full volume, by codec: from the volumes at least as full as the mean, because a bucket is there until
 * its last block is dead and so half empty volumes have too many of them for their bytes.
 */
export function typicalVolumes(view: FleetView): Typical[] {
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
      out.push({
        wire,
        example: first,
        liveBytes: live[wire] as number,
        buckets: (buckets[wire] as number) / (bytes[wire] as number),
      });
  return out;
}
