// L1: tops off a host with donors' buckets that fit its free space. Conservative: a run touches one host, and the host
// keeps its identity, so only donors' buckets cost metadata. The price is that the host's own live bytes are rewritten
// for every run. Its range begins where packing ends (plan-settings.ts): of volumes that dense no K sources would leave
// one destination less.

import type { Reason } from '../../foundation/reason.ts';
import { fullestFill } from '../facts/plan-settings.ts';
import type { Group } from './groups.ts';
import { type Context, type Draft, draftOf, type Proposer } from './proposals.ts';
import type { Verdict } from './selector.ts';

export class TopOffProposer implements Proposer {
  readonly strategy = 'l1' as const;
  readonly groups: readonly Group[];
  readonly #context: Context;
  readonly #lanes: readonly Lane[];
  #runs = 0;

  constructor(context: Context, groups: readonly Group[]) {
    this.#context = context;
    this.groups = groups;
    this.#lanes = groups.map((group) => new Lane(context, group));
  }

  /**
   * Groups in turn by the host that is next in each, so that none is emptied of what is hardly worth it before another
   * is begun.
   */
  propose(fits: (draft: Draft) => boolean, wantedBytes: number): Draft | undefined {
    if (this.#runs >= this.#context.settings.runsMax) return undefined;
    const lanes = this.#lanes.filter((lane) => !lane.isDone).sort((a, b) => a.nextHostRank - b.nextHostRank);
    for (const lane of lanes) {
      const choice = this.#choose(lane, wantedBytes);
      if (choice === undefined || !fits(choice.draft)) continue;
      lane.take(choice.places);
      this.#runs++;
      return choice.draft;
    }
    return undefined;
  }

  readonly leftover = ({ group }: { group: Group }): Verdict => {
    if (this.#runs >= this.#context.settings.runsMax) return 'later';
    return this.#lanes[this.groups.indexOf(group)]?.isDone ? 'unfit' : 'budget';
  };

  #choose(lane: Lane, wantedBytes: number): Choice | undefined {
    for (let hostPlace = lane.nextHost(); hostPlace !== undefined; hostPlace = lane.nextHost()) {
      const choice = this.#around(lane, hostPlace, wantedBytes);
      if (choice !== undefined) return choice;
      lane.pass(hostPlace);
    }
    return undefined;
  }

  /** A run of this host and the donors that fit it. */
  #around({ group, donors }: Lane, hostPlace: number, wantedBytes: number): Choice | undefined {
    const { view, settings } = this.#context;
    const host = group.order[hostPlace] as number;
    let room = roomOf(this.#context, group, hostPlace);
    let buckets = settings.bucketsPerVolumeMax - (view.bucketCount[host] as number);
    const places: number[] = [];
    let lastTaken: { bytes: number; buckets: number } | undefined;
    // Donors that are hardly filled free a volume each.
    const most = Math.min(settings.sourcesMax - 1, Math.ceil(wantedBytes / group.capacityBytes));
    for (const place of donors(hostPlace)) {
      if (places.length >= most || room <= 0 || buckets <= 0) break;
      const i = group.order[place] as number;
      const live = view.liveBytes[i] as number;
      const its = view.bucketCount[i] as number;
      if (live > room || its > buckets) {
        lastTaken = partOf(live, its, room, buckets);
        if (lastTaken !== undefined) places.push(place);
        break;
      }
      places.push(place);
      room -= live;
      buckets -= its;
    }
    if (places.length === 0) return undefined;
    const sources = places.map((place) => group.order[place] as number);
    const better = this.#betterByPacking(group, hostPlace, places, lastTaken?.bytes);
    const draft = draftOf(this.#context, { strategy: 'l1', group, host, sources, lastTaken, newVolumes: 0 }, better);
    return { draft, places: [hostPlace, ...places] };
  }

  /** What L2 would make of volumes like these, K at a time: said in the plan when it frees more per byte moved. */
  #betterByPacking(
    group: Group,
    hostPlace: number,
    donors: readonly number[],
    part: number | undefined,
  ): Reason | null {
    const { settings } = this.#context;
    const { sourcesMax, destinationsMax } = settings;
    const hostFill = group.fills[hostPlace] as number;
    const last = donors.length - 1;
    let sum = 0;
    let taken = 0;
    for (const [n, place] of donors.entries()) {
      const fill = group.fills[place] as number;
      sum += fill;
      taken += n === last && part !== undefined ? part / group.capacityBytes : fill;
    }
    const packed = (sourcesMax * (sum + hostFill)) / (donors.length + 1);
    const destinations = Math.ceil(packed / fullestFill(settings));
    if (destinations >= sourcesMax || destinations > destinationsMax) return null;
    const byPacking = (sourcesMax - destinations) / packed;
    const byTopOff = taken / (taken + hostFill);
    if (byPacking <= byTopOff) return null;
    const text =
      `l2 would free ${byPacking.toFixed(3)} bytes per byte moved from volumes like these (${sourcesMax} into ` +
      `${destinations}), against ${byTopOff.toFixed(3)} here; it moves every bucket, l1 only the donors'`;
    return { code: 'PACKING_FREES_MORE', text };
  }
}

interface Choice {
  readonly draft: Draft;
  /** The host's, then the donors'. */
  readonly places: readonly number[];
}

/** One group: which of its volumes may still be a host, and which donors are left. */
class Lane {
  readonly group: Group;
  readonly #settings: Context['settings'];
  /** By place: tried as a host in vain, or without room. It may still be a donor. */
  readonly #passed: Uint8Array;
  #host: number;
  /** Everything below and above is used. */
  #low = 0;
  #high: number;

  constructor(context: Context, group: Group) {
    this.group = group;
    this.#settings = context.settings;
    this.#passed = new Uint8Array(group.order.length);
    for (let place = 0; place < this.#passed.length; place++)
      if (roomOf(context, group, place) <= 0) this.#passed[place] = 1;
    this.#high = group.order.length - 1;
    this.#host = this.#isUp ? 0 : this.#high;
  }

  get isDone(): boolean {
    return this.nextHost() === undefined;
  }

  /** Less is earlier. */
  get nextHostRank(): number {
    const fill = this.group.fills[this.#host] ?? 0;
    return this.#isUp ? fill : -fill;
  }

  get #isUp(): boolean {
    return this.#settings.hostOrder === 'sparsest';
  }

  nextHost(): number | undefined {
    const { used, order } = this.group;
    const step = this.#isUp ? 1 : -1;
    while (this.#host >= 0 && this.#host < order.length && (used[this.#host] === 1 || this.#passed[this.#host] === 1))
      this.#host += step;
    return this.#host >= 0 && this.#host < order.length ? this.#host : undefined;
  }

  pass(place: number): void {
    this.#passed[place] = 1;
  }

  take(places: readonly number[]): void {
    const { used } = this.group;
    for (const place of places) used[place] = 1;
    while (this.#low <= this.#high && used[this.#low] === 1) this.#low++;
    while (this.#low <= this.#high && used[this.#high] === 1) this.#high--;
  }

  readonly donors = (host: number): Iterable<number> => {
    const { used } = this.group;
    const up = this.#settings.donorOrder === 'sparsest';
    const [low, high] = [this.#low, this.#high];
    return (function* () {
      for (let n = 0; n <= high - low; n++) {
        const place = up ? low + n : high - n;
        if (used[place] === 0 && place !== host) yield place;
      }
    })();
  };
}

/** Bytes of others that a volume can take beside its own. */
function roomOf({ view, settings }: Context, group: Group, place: number): number {
  const i = group.order[place] as number;
  const byCapacity = group.capacityBytes * fullestFill(settings) - (view.liveBytes[i] as number);
  return Math.min(byCapacity, view.roomBytes[i] as number);
}

/** As many whole buckets of a donor as fit; they are taken to be of equal length. */
function partOf(live: number, its: number, room: number, most: number): { bytes: number; buckets: number } | undefined {
  const taken = Math.min(Math.floor((its * room) / Math.max(live, 1)), most);
  return taken >= 1 ? { bytes: Math.floor((live * taken) / its), buckets: taken } : undefined;
}
