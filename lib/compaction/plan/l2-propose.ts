// L2's planning: one packing after the other out of each group's sparsest candidates, the best-scoring group first.
// Sparse candidates come first because they free most per byte; within a run the packing table decides, by the
// objective.

import { codecShape } from '../../codec/shape.ts';
import { dollarsOf, savedDollars } from '../../cost/cost-of.ts';
import type { PriceBook } from '../../cost/price-book.ts';
import { PACK_WINDOWS_MAX } from '../../limits/compaction.ts';
import { RAW_FACTOR } from '../facts/fleet.ts';
import { lostIn } from '../facts/lost.ts';
import { earningMs, fullestFill, type PlanSettings } from '../facts/plan-settings.ts';
import type { Group } from './groups.ts';
import { packQuickly } from './l2-quick.ts';
import { type Admit, type CellScore, maxFillScore, type Packing, PackTable, worthScore } from './l2-table.ts';
import { type Context, type Draft, draftOf, type Proposer } from './proposals.ts';
import { pricingOf, workOf } from './work.ts';
import { holePrice } from './worth.ts';

/** Places in a group's order. */
type Places = readonly number[];

interface Proposal {
  readonly packing: Packing;
  readonly places: Places;
}

const freedBy = ({ packing, places }: Proposal): number => places.length - packing.destinations;

interface Found {
  readonly draft: Draft;
  readonly places: Places;
}

interface GroupState {
  readonly group: Group;
  readonly score: CellScore;
  /** Everything below is used, or was passed over. */
  low: number;
  /** Everything below is used. */
  rest: number;
  windows: number;
  /** undefined: not looked for since the group last changed; null: there is none. */
  proposal: Proposal | null | undefined;
}

export class PackProposer implements Proposer {
  readonly strategy = 'l2' as const;
  readonly groups: readonly Group[];
  readonly #context: Context;
  readonly #states: readonly GroupState[];
  readonly #table: PackTable;
  readonly #fills: Float64Array;
  readonly #places: Uint32Array;
  /** By index: whether a rewritten volume would hold more than it does. */
  readonly #hasLost: (i: number) => boolean;
  #runs = 0;

  constructor(context: Context, groups: readonly Group[]) {
    const { candidatesMax, sourcesMax, destinationsMax, granularity, objective } = context.settings;
    this.#context = context;
    this.groups = groups;
    this.#states = groups.map((group) => ({
      group,
      score: scoreOf(context, group),
      low: 0,
      rest: 0,
      windows: 0,
      proposal: undefined,
    }));
    this.#table = new PackTable({
      candidatesMax,
      sourcesMax,
      destinationsMax: Math.min(destinationsMax, sourcesMax - 1),
      granularity,
      exact: objective !== 'max-fill',
    });
    this.#fills = new Float64Array(candidatesMax);
    this.#places = new Uint32Array(candidatesMax);
    this.#hasLost = lostIn(context.view, context.settings, context.threshold);
  }

  propose(fits: (draft: Draft) => boolean, wantedBytes: number): Draft | undefined {
    if (this.#runs >= this.#context.settings.runsMax) return undefined;
    for (const state of this.#states) if (state.proposal === undefined) this.#look(state);
    const ranked = this.#states
      .filter((state) => state.proposal !== null)
      .sort((a, b) => (b.proposal?.packing.score ?? 0) - (a.proposal?.packing.score ?? 0));
    // The last run of all is a stream, if that reaches the target: packing frees whole volumes.
    if (ranked.some(({ proposal, group }) => freedBy(proposal as Proposal) * group.capacityBytes > wantedBytes)) {
      const last = this.#stream(fits, wantedBytes, true);
      if (last !== undefined) return last;
    }
    const wanted = ({ group }: GroupState): number => Math.ceil(wantedBytes / group.capacityBytes);
    for (const state of ranked) {
      const found = this.#largestFitting(state, fits, wanted(state));
      if (found !== undefined) return this.#taken(state, found);
    }
    const streamed = this.#stream(fits, wantedBytes, false);
    if (streamed !== undefined) return streamed;
    // What frees too much is better than nothing.
    for (const state of ranked) {
      if (freedBy(state.proposal as Proposal) <= wanted(state)) continue;
      const found = this.#largestFitting(state, fits, Number.POSITIVE_INFINITY);
      if (found !== undefined) return this.#taken(state, found);
    }
    return undefined;
  }

  #taken(state: GroupState, { draft, places }: Found): Draft {
    for (const place of places) state.group.used[place] = 1;
    state.proposal = undefined;
    this.#runs++;
    return draft;
  }

  /**
   * What is left once nothing can be packed, K into fewer: the sparsest first, whole, into destinations that stay open
   * for what comes next. Each is worth rewriting by itself, so waiting for company would gain nothing. A run that the
   * budgets do not carry is halved.
   */
  #stream(fits: (draft: Draft) => boolean, wantedBytes: number, isEnough: boolean): Draft | undefined {
    for (const state of this.#states) {
      const rest = this.#rest(state);
      const places = this.#least(state.group, rest, wantedBytes);
      if (isEnough && places === undefined) continue;
      const most = (places ?? rest).length;
      for (let size = most; size >= (isEnough ? most : 1); size = Math.floor(size / 2)) {
        const draft = this.#streamed(state.group, rest.slice(0, size));
        if (draft !== undefined && fits(draft)) return this.#taken(state, { draft, places: rest.slice(0, size) });
      }
    }
    return undefined;
  }

  /** The fewest, sparsest first, that free what is wanted; undefined if all of them do not. */
  #least(group: Group, places: Places, wantedBytes: number): Places | undefined {
    let freed = 0;
    for (const [at, place] of places.entries()) {
      freed += 1 - (group.fills[place] as number) / fullestFill(this.#context.settings);
      if (freed * group.capacityBytes >= wantedBytes) return places.slice(0, at + 1);
    }
    return undefined;
  }

  #rest(state: GroupState): number[] {
    const { used, order } = state.group;
    if (this.#context.settings.unpacked === 'wait') return [];
    const isPassed = (place: number): boolean => used[place] === 1 || !this.#hasLost(order[place] as number);
    while (state.rest < used.length && isPassed(state.rest)) state.rest++;
    const places: number[] = [];
    for (let place = state.rest; place < used.length && places.length < this.#context.settings.sourcesMax; place++)
      if (!isPassed(place)) places.push(place);
    return places;
  }

  /** Undefined where buckets, rather than bytes, would fill as many volumes as there were. */
  #streamed(group: Group, places: Places): Draft | undefined {
    const { view, settings } = this.#context;
    const sources = places.map((place) => group.order[place] as number);
    const live = sources.reduce((sum, i) => sum + (view.liveBytes[i] as number), 0);
    const buckets = sources.reduce((sum, i) => sum + (view.bucketCount[i] as number), 0);
    const byBytes = live / (group.capacityBytes * fullestFill(settings));
    const newVolumes = Math.max(byBytes, buckets / settings.bucketsPerVolumeMax);
    if (sources.length === 0 || newVolumes >= sources.length) return undefined;
    return draftOf(this.#context, { strategy: 'l2', group, host: null, sources, newVolumes });
  }

  /**
   * The group's best run that frees at most so many volumes; where the budgets do not carry it, the best one into fewer
   * destinations.
   */
  #largestFitting(state: GroupState, fits: (draft: Draft) => boolean, freedMax: number): Found | undefined {
    const within: CellScore = (k, m, packed) => (k - m <= freedMax ? state.score(k, m, packed) : -Infinity);
    let proposal: Proposal | null | undefined = state.proposal;
    if (proposal !== null && proposal !== undefined && freedBy(proposal) > freedMax)
      proposal = this.#propose(state, this.#window(state), within);
    while (proposal !== null && proposal !== undefined) {
      const { places, packing } = proposal;
      const sources = places.map((place) => state.group.order[place] as number).reverse();
      const newVolumes = packing.destinations;
      const draft = draftOf(this.#context, { strategy: 'l2', group: state.group, host: null, sources, newVolumes });
      if (fits(draft)) return { draft, places };
      const fewer: CellScore = (k, m, packed) => (m < newVolumes ? within(k, m, packed) : -Infinity);
      proposal = newVolumes > 1 ? this.#propose(state, this.#window(state), fewer) : null;
    }
    return undefined;
  }

  readonly leftover = ({ group }: { group: Group }): 'unfit' | 'later' | 'budget' => {
    const state = this.#states.find((candidate) => candidate.group === group);
    // What does not pack would stream, were it not for the budgets, or for buckets as many as volumes.
    const isUnfit = state?.proposal === null && this.#streamed(group, this.#rest(state)) === undefined;
    if (isUnfit) return 'unfit';
    return this.#runs >= this.#context.settings.runsMax ? 'later' : 'budget';
  };

  #look(state: GroupState): void {
    const { group } = state;
    state.proposal = null;
    for (; state.windows < PACK_WINDOWS_MAX; state.windows++) {
      const count = this.#window(state);
      if (count < 2) return;
      state.proposal = this.#propose(state, count, state.score);
      if (state.proposal !== null) return;
      // Nothing can be made of these: pass over the sparser half, for the denser ones may still pair with what comes
      // next.
      if ((this.#places[count - 1] as number) >= group.order.length - 1) return;
      state.low = this.#places[count >>> 1] as number;
    }
  }

  #propose({ group }: GroupState, count: number, score: CellScore): Proposal | null {
    const { settings, view } = this.#context;
    const places = this.#places;
    const packing = this.#pack(count, score, (chosen, destinations) => {
      let buckets = 0;
      for (const at of chosen) buckets += view.bucketCount[group.order[places[at] as number] as number] as number;
      return buckets <= destinations * settings.bucketsPerVolumeMax;
    });
    return packing === undefined ? null : { packing, places: packing.chosen.map((at) => places[at] as number) };
  }

  #pack(count: number, score: CellScore, admit: Admit): Packing | undefined {
    return this.#runs >= this.#context.settings.tableRunsMax
      ? packQuickly(this.#fills, count, this.#table.shape, score, admit)
      : this.#table.pack(this.#fills, count, score, admit);
  }

  /** Fills the window with the sparsest unused candidates; returns how many. */
  #window(state: GroupState): number {
    const { group } = state;
    const scale = 1 / fullestFill(this.#context.settings);
    const { order, used, fills } = group;
    while (state.low < order.length && used[state.low] === 1) state.low++;
    let count = 0;
    for (let place = state.low; place < order.length && count < this.#fills.length; place++) {
      if (used[place] === 1) continue;
      this.#fills[count] = (fills[place] as number) * scale;
      this.#places[count++] = place;
    }
    return count;
  }
}

/**
 * The objective's score, refused below the least fill, or, to finish, where a run frees less than the threshold's due.
 */
function scoreOf(context: Context, group: Group): CellScore {
  const { settings, threshold } = context;
  const objective = objectiveScore(context, group);
  const due = threshold / (1 - threshold);
  return (sources, destinations, packed) => {
    const full = packed >= settings.minFill * destinations;
    const pays = settings.finish && sources - destinations >= due * packed;
    return full || pays ? objective(sources, destinations, packed) : -Infinity;
  };
}

function objectiveScore(context: Context, group: Group): CellScore {
  switch (context.settings.objective) {
    case 'max-fill':
      return maxFillScore;
    case 'worth':
      return worthScore(holePrice(context.threshold));
    case 'money':
      return moneyScore(context, group);
  }
}

/**
 * Dollars saved per dollar spent (whether that is enough is for the planner to say); a hole in a destination is charged
 * what regaining it elsewhere costs. Buckets are taken at the group's mean, dead bytes (where drives bill what is
 * stored) too: the exact figures are in the run.
 */
function moneyScore({ view, settings, book, threshold }: Context, group: Group): CellScore {
  const raw = RAW_FACTOR[codecShape(group.codec).wire] ?? 1;
  const hole = settings.billing === 'allocated' ? holePrice(threshold) : 0;
  const horizonMs = earningMs(settings, group.deletesPerDay);
  let buckets = 0;
  let used = 0;
  for (const i of group.order) {
    buckets += view.bucketCount[i] as number;
    used += view.usedBytes[i] as number;
  }
  const perSource = buckets / Math.max(1, group.order.length);
  const usedFill = used / Math.max(1, group.order.length) / group.capacityBytes;
  const perByte = savedDollars(raw, Number.MAX_SAFE_INTEGER, horizonMs, book, settings.storageClass);
  const cost = linearCost(group, settings, book, perSource);
  return (sources, destinations, packed) => {
    const freed = settings.billing === 'allocated' ? sources - destinations : sources * usedFill - packed;
    const saved = Math.max(0, freed) * group.capacityBytes * perByte;
    const written = packed + hole * (destinations - packed);
    const spent = cost.perRun + written * cost.perVolumeMoved + sources * cost.perSource;
    return saved > 0 ? saved / spent : -Infinity;
  };
}

/** The run's price as a line: scoring thousands of cells must not count every request. */
function linearCost(group: Group, settings: PlanSettings, book: PriceBook, bucketsPerSource: number) {
  const pricing = pricingOf(settings, book);
  const of = (volumes: number, sources: number): number => {
    const buckets = sources * bucketsPerSource;
    const moves = { codec: group.codec, copiedBytes: volumes * group.capacityBytes, copiedBuckets: buckets };
    const work = workOf(
      { ...moves, movedBuckets: buckets, freedVolumes: sources, newVolumes: 0, queued: false },
      settings,
    );
    return dollarsOf(work, pricing).total;
  };
  const perRun = of(0, 0);
  return { perRun, perVolumeMoved: (of(8, 0) - perRun) / 8, perSource: (of(0, 8) - perRun) / 8 };
}
