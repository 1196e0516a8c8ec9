// L2's planning: one packing after the other out of each group's sparsest candidates, the best-scoring group first.
// Sparse candidates come first because they free most per byte; within a run the packing table decides, by the
// objective.

import { codecShape } from '../../codec/shape.ts';
import { dollarsOf, savedDollars } from '../../cost/cost-of.ts';
import type { PriceBook } from '../../cost/price-book.ts';
import { DATA_SHARE_MIN, FLEET_CODECS_MAX, PACK_WINDOWS_MAX } from '../../limits/compaction.ts';
import { FLEET_STATES, type FleetView, RAW_FACTOR } from '../facts/fleet.ts';
import { earningMs, fullestFill, type PlanSettings } from '../facts/plan-settings.ts';
import type { Group } from './groups.ts';
import { packQuickly } from './l2-quick.ts';
import { type Admit, type CellScore, maxFillScore, type Packing, PackTable, worthScore } from './l2-table.ts';
import { type Context, type Draft, draftOf, type Proposer } from './proposals.ts';
import { pricingOf, workOf } from './work.ts';
import { holePrice } from './worth.ts';

const OPEN = FLEET_STATES.indexOf('open');

/** Places in a group's order. */
type Places = readonly number[];

interface Proposal {
  readonly packing: Packing;
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
  /** By codec: of what a volume has used, how much is data. */
  readonly #soundShares: Float64Array;
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
    this.#soundShares = soundSharesOf(context.view);
  }

  propose(fits: (draft: Draft) => boolean): Draft | undefined {
    if (this.#runs >= this.#context.settings.runsMax) return undefined;
    for (const state of this.#states) if (state.proposal === undefined) this.#look(state);
    const ranked = this.#states
      .filter((state) => state.proposal !== null)
      .sort((a, b) => (b.proposal?.packing.score ?? 0) - (a.proposal?.packing.score ?? 0));
    for (const state of ranked) {
      const found = this.#largestFitting(state, fits);
      if (found === undefined) continue;
      for (const place of found.places) state.group.used[place] = 1;
      state.proposal = undefined;
      this.#runs++;
      return found.draft;
    }
    return this.#stream(fits);
  }

  /**
   * What is left once nothing can be packed, K into fewer: the sparsest first, whole, into destinations that stay open
   * for what comes next. Each is worth rewriting by itself, so waiting for company would gain nothing. A run that the
   * budgets do not carry is halved.
   */
  #stream(fits: (draft: Draft) => boolean): Draft | undefined {
    for (const state of this.#states) {
      const places = this.#rest(state);
      for (let size = places.length; size >= 1; size = Math.floor(size / 2)) {
        const draft = this.#streamed(state.group, places.slice(0, size));
        if (draft === undefined || !fits(draft)) continue;
        for (const place of places.slice(0, size)) state.group.used[place] = 1;
        state.proposal = undefined;
        this.#runs++;
        return draft;
      }
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

  /**
   * Whether a rewritten volume would hold more than it does: of what was written into it the threshold's part has died,
   * and its columns, as uneven as they came out, have room for as much. Or else volumes that came out thin, because
   * their records are short or uneven, would be rewritten for ever. What headers take has not died. Two that are half
   * full fill one in any case.
   */
  #hasLost(i: number): boolean {
    const { view, threshold, settings } = this.#context;
    const live = view.liveBytes[i] as number;
    const full = (view.capacityBytes[i] as number) * fullestFill(settings);
    if (live <= full / 2) return true;
    const holds = Math.min(full, live + (view.roomBytes[i] as number));
    const written = (view.usedBytes[i] as number) * (this.#soundShares[view.codec[i] as number] as number);
    return live <= (1 - threshold) * Math.min(holds, written);
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

  /** The group's best run; where the budgets do not carry it, the best one into fewer destinations. */
  #largestFitting(state: GroupState, fits: (draft: Draft) => boolean): { draft: Draft; places: Places } | undefined {
    let proposal: Proposal | null | undefined = state.proposal;
    while (proposal !== null && proposal !== undefined) {
      const { places, packing } = proposal;
      const sources = places.map((place) => state.group.order[place] as number).reverse();
      const newVolumes = packing.destinations;
      const draft = draftOf(this.#context, { strategy: 'l2', group: state.group, host: null, sources, newVolumes });
      if (fits(draft)) return { draft, places };
      const fewer: CellScore = (k, m, packed) => (m < newVolumes ? state.score(k, m, packed) : -Infinity);
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

/**
 * By codec: the most, of what a volume has used, that is data in any of them, while some are being written. Where much
 * has died in all of them, or nothing is written, nobody can tell headers from what has died: all of it counts as data.
 */
function soundSharesOf({ count, codec, state, liveBytes, usedBytes }: FleetView): Float64Array {
  const shares = new Float64Array(FLEET_CODECS_MAX);
  const isWritten = new Uint8Array(FLEET_CODECS_MAX);
  for (let i = 0; i < count; i++) {
    const used = usedBytes[i] as number;
    if (used === 0) continue;
    const wire = codec[i] as number;
    shares[wire] = Math.max(shares[wire] as number, Math.min(1, (liveBytes[i] as number) / used));
    if (state[i] === OPEN) isWritten[wire] = 1;
  }
  return shares.map((share, wire) => (isWritten[wire] === 1 && share >= DATA_SHARE_MIN ? share : 1));
}
