// What the three strategies have in common: each proposes one run after the other, and turns the volumes it chose into
// a priced run with a reason. The planner decides which proposals the budgets carry.

import { codecShape } from '../../codec/shape.ts';
import { dollarsOf, savedDollars, type Work } from '../../cost/cost-of.ts';
import type { PriceBook } from '../../cost/price-book.ts';
import type { PLAN_REASONS } from '../../foundation/codes/reasons.ts';
import { DAY_MS } from '../../foundation/durations.ts';
import { SHARED_LANE } from '../../foundation/lane.ts';
import type { Reason } from '../../foundation/reason.ts';
import { type FleetView, RAW_FACTOR } from '../facts/fleet.ts';
import { earningMs, type PlanSettings, type Strategy } from '../facts/plan-settings.ts';
import type { Group } from './groups.ts';
import { type PlannedHost, type PlannedRun, type PlannedSource, roundDollars, roundRatio } from './plan.ts';
import type { Verdict } from './selector.ts';
import { pricingOf, workOf } from './work.ts';

export interface Context {
  readonly view: FleetView;
  readonly settings: PlanSettings;
  readonly threshold: number;
  readonly book: PriceBook;
  /** Verdict codes by index: what is left over gets its reason here. */
  readonly verdicts: Uint8Array;
}

/** A run as planned, before it has a name. */
export type Draft = Omit<PlannedRun, 'name'>;

export interface Proposer {
  readonly strategy: Strategy;
  /**
   * The next run that `fits` the budgets, marked as planned; undefined when there is none (now: a later call may find
   * room). It frees less than a volume more than `wantedBytes`, if there is such a run.
   */
  propose(fits: (draft: Draft) => boolean, wantedBytes: number): Draft | undefined;
  /** Why the volumes it never used stay where they are. */
  readonly leftover: (at: { group: Group }) => Verdict;
  readonly groups: readonly Group[];
}

function sourceAt(view: FleetView, i: number, taken?: { bytes: number; buckets: number }): PlannedSource {
  const liveBytes = view.liveBytes[i] as number;
  const buckets = view.bucketCount[i] as number;
  return {
    volume: view.ids[i] as string,
    generation: view.generation[i] as number,
    liveBytes,
    buckets,
    takeBytes: taken?.bytes ?? liveBytes,
    takeBuckets: taken?.buckets ?? buckets,
  };
}

function hostAt(view: FleetView, i: number): PlannedHost {
  return {
    volume: view.ids[i] as string,
    generation: view.generation[i] as number,
    liveBytes: view.liveBytes[i] as number,
    buckets: view.bucketCount[i] as number,
  };
}

export interface Chosen {
  readonly strategy: Strategy;
  readonly group: Group;
  readonly host: number | null;
  /** Indexes into the view, in the order the run takes them. */
  readonly sources: readonly number[];
  /** How much of the last source is taken, when not all of it. */
  readonly lastTaken?: { readonly bytes: number; readonly buckets: number } | undefined;
  readonly newVolumes: number;
}

/** Counts, prices and explains a choice. */
export function draftOf(context: Context, chosen: Chosen, better: Reason | null = null): Draft {
  const { view, settings, book } = context;
  const { group, strategy } = chosen;
  const last = chosen.sources.length - 1;
  const sources = chosen.sources.map((i, n) => sourceAt(view, i, n === last ? chosen.lastTaken : undefined));
  const host = chosen.host === null ? null : hostAt(view, chosen.host);
  const moved = sources.reduce((sum, source) => sum + source.takeBytes, 0);
  const movedBuckets = sources.reduce((sum, source) => sum + source.takeBuckets, 0);
  const freedVolumes = sources.length - (chosen.lastTaken === undefined ? 0 : 1);
  const copiedBytes = moved + (host?.liveBytes ?? 0);
  const work = workOf(
    {
      codec: group.codec,
      copiedBytes,
      copiedBuckets: movedBuckets + (host?.buckets ?? 0),
      movedBuckets,
      freedVolumes,
      // A host's new extents are a volume's worth of zones, too.
      newVolumes: host === null ? chosen.newVolumes : 1,
      queued: strategy === 'l3',
    },
    settings,
  );
  const freedBytes =
    host === null ? (freedVolumes - chosen.newVolumes) * group.capacityBytes : Math.min(moved, group.capacityBytes);
  const filled = host === null ? chosen.newVolumes * group.capacityBytes : group.capacityBytes;
  const dollars = dollarsOf(work, pricingOf(settings, book)).total;
  const saved = savingOf(context, chosen, freedBytes);
  return {
    strategy,
    codec: group.codec,
    capacityBytes: group.capacityBytes,
    ...(group.lane === SHARED_LANE ? {} : { lane: group.lane }),
    ageClass: group.ageClass,
    host,
    sources,
    newVolumes: roundRatio(chosen.newVolumes),
    freedVolumes,
    destinationFill: filled > 0 ? roundRatio(copiedBytes / filled) : 0,
    freedBytes: Math.round(freedBytes),
    work,
    dollars: roundDollars(dollars),
    savedDollars: roundDollars(saved),
    reason: reasonOf(context, chosen, { copiedBytes, freedVolumes, freedBytes, dollars, saved, work }),
    better,
  };
}

/**
 * Dollars saved over the horizon: a freed volume's extents, or only the dead bytes in it where drives bill what is
 * stored.
 */
function savingOf({ view, settings, book }: Context, chosen: Chosen, freedBytes: number): number {
  const raw = RAW_FACTOR[codecShape(chosen.group.codec).wire] ?? 1;
  const { storageClass, billing } = settings;
  const horizonMs = earningMs(settings, chosen.group.deletesPerDay);
  const members = chosen.host === null ? chosen.sources : [...chosen.sources, chosen.host];
  if (billing === 'allocated') {
    const youngest = members.reduce((age, i) => Math.min(age, view.ageMs[i] as number), Number.POSITIVE_INFINITY);
    return savedDollars(Math.max(0, freedBytes) * raw, youngest, horizonMs, book, storageClass);
  }
  return members.reduce((sum, i) => {
    const dead = (view.usedBytes[i] as number) - (view.liveBytes[i] as number);
    return sum + savedDollars(dead * raw, view.ageMs[i] as number, horizonMs, book, storageClass);
  }, 0);
}

interface Figures {
  copiedBytes: number;
  freedVolumes: number;
  freedBytes: number;
  dollars: number;
  saved: number;
  work: Work;
}

const CODE_OF: Readonly<Record<Strategy, keyof typeof PLAN_REASONS>> = { l1: 'TOPS_OFF', l2: 'PACKS', l3: 'DRAINS' };

function reasonOf({ view, settings }: Context, { strategy, group, host, sources }: Chosen, f: Figures): Reason {
  const fill = (i: number): string => ((view.liveBytes[i] as number) / (view.capacityBytes[i] as number)).toFixed(3);
  const fills = `fill ${fill(sources[0] as number)} to ${fill(sources[sources.length - 1] as number)}`;
  const volumes = `${sources.length} volume${sources.length === 1 ? '' : 's'} of ${fills}`;
  const what = {
    l1: `tops off a host of fill ${host === null ? '' : fill(host)} with ${volumes}`,
    l2: `packs ${volumes}`,
    l3: `drains ${volumes}, ${settings.drainOrder === 'worth' ? 'most worth it' : 'sparsest'} first`,
  }[strategy];
  const freed = `frees ${(f.freedBytes / group.capacityBytes).toFixed(2)} volumes (${f.freedVolumes} whole)`;
  const moves = `moves ${(f.copiedBytes / group.capacityBytes).toFixed(2)}, ${f.work.metadataWrites} metadata writes`;
  const days = Math.round(earningMs(settings, group.deletesPerDay) / DAY_MS);
  const text = `${what}; ${freed}, ${moves}; $${f.dollars.toFixed(6)} now, $${f.saved.toFixed(6)} saved in ${days} days`;
  return { code: CODE_OF[strategy], text };
}
