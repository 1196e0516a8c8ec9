// L1: tops off a host, the densest first, with donors' buckets that fit its free space. Conservative: a run touches one host,
// and the host keeps its identity, so only donors' buckets cost metadata. The price is that the host's own live bytes are
// rewritten for every run: less than one volume comes free per run.
import type { Group } from './groups.ts';
import { type Context, type Draft, draftOf, type Proposer } from './proposals.ts';

export class TopOffProposer implements Proposer {
  readonly strategy = 'l1' as const;
  readonly groups: readonly Group[];
  readonly #context: Context;
  readonly #done: Uint8Array;
  /** Per group: everything below `low` and above `high` is used. */
  readonly #low: number[];
  readonly #high: number[];
  #runs = 0;

  constructor(context: Context, groups: readonly Group[]) {
    this.#context = context;
    this.groups = groups;
    this.#done = new Uint8Array(groups.length);
    this.#low = groups.map(() => 0);
    this.#high = groups.map((group) => group.order.length - 1);
  }

  propose(fits: (draft: Draft) => boolean): Draft | undefined {
    if (this.#runs >= this.#context.settings.runsMax) return undefined;
    for (let g = 0; g < this.groups.length; g++) {
      while (this.#done[g] === 0) {
        const choice = this.#choose(g);
        if (choice === undefined) this.#done[g] = 1;
        else if (choice === 'next host') this.#high[g] = (this.#high[g] as number) - 1;
        else if (fits(choice.draft)) return this.#take(g, choice);
        else break;
      }
    }
    return undefined;
  }

  readonly leftover = ({ group }: { group: Group }): 'unfit' | 'later' | 'budget' => {
    if (this.#runs >= this.#context.settings.runsMax) return 'later';
    return this.#done[this.groups.indexOf(group)] === 1 ? 'unfit' : 'budget';
  };

  #take(g: number, choice: Choice): Draft {
    const { used } = this.groups[g] as Group;
    for (const place of choice.places) used[place] = 1;
    while (this.#low[g]! < used.length && used[this.#low[g] as number] === 1) this.#low[g]!++;
    while (this.#high[g]! >= 0 && used[this.#high[g] as number] === 1) this.#high[g]!--;
    this.#runs++;
    return choice.draft;
  }

  #choose(g: number): Choice | 'next host' | undefined {
    const { view, settings } = this.#context;
    const group = this.groups[g] as Group;
    const hostPlace = this.#high[g] as number;
    if ((this.#low[g] as number) >= hostPlace) return undefined;
    const host = group.order[hostPlace] as number;
    let room = group.capacityBytes * (1 - settings.reserve) - (view.liveBytes[host] as number);
    let buckets = settings.bucketsPerVolumeMax - (view.bucketCount[host] as number);
    const places: number[] = [];
    let lastTaken: { bytes: number; buckets: number } | undefined;
    for (const place of this.#donors(g, hostPlace)) {
      if (places.length + 1 >= settings.sourcesMax || room <= 0 || buckets <= 0) break;
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
    if (places.length === 0) return 'next host';
    const sources = places.map((place) => group.order[place] as number);
    const better = this.#betterByPacking(group, hostPlace, places, lastTaken?.bytes);
    const draft = draftOf(this.#context, { strategy: 'l1', group, host, sources, lastTaken, newVolumes: 0 }, better);
    return { draft, places: [hostPlace, ...places] };
  }

  *#donors(g: number, hostPlace: number): Generator<number> {
    const { used } = this.groups[g] as Group;
    const low = this.#low[g] as number;
    if (this.#context.settings.donorOrder === 'sparsest') {
      for (let place = low; place < hostPlace; place++) if (used[place] === 0) yield place;
    } else {
      for (let place = hostPlace - 1; place >= low; place--) if (used[place] === 0) yield place;
    }
  }

  /** What L2 would make of volumes like these, K at a time: said in the plan when it frees more per byte moved. */
  #betterByPacking(
    group: Group,
    hostPlace: number,
    donors: readonly number[],
    part: number | undefined,
  ): string | null {
    const { sourcesMax, destinationsMax, reserve } = this.#context.settings;
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
    const destinations = Math.ceil(packed / (1 - reserve));
    if (destinations >= sourcesMax || destinations > destinationsMax) return null;
    const byPacking = (sourcesMax - destinations) / packed;
    const byTopOff = taken / (taken + hostFill);
    if (byPacking <= byTopOff) return null;
    return (
      `l2 would free ${byPacking.toFixed(3)} bytes per byte moved from volumes like these (${sourcesMax} into ` +
      `${destinations}), against ${byTopOff.toFixed(3)} here; it moves every bucket, l1 only the donors'`
    );
  }
}

interface Choice {
  readonly draft: Draft;
  readonly places: readonly number[];
}

/** As many whole buckets of a donor as fit; they are taken to be of equal length. */
function partOf(live: number, its: number, room: number, most: number): { bytes: number; buckets: number } | undefined {
  const taken = Math.min(Math.floor((its * room) / Math.max(live, 1)), most);
  return taken >= 1 ? { bytes: Math.floor((live * taken) / its), buckets: taken } : undefined;
}
