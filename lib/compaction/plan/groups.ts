// Volumes that may share a run: same codec, same capacity, same lane, same age class. Survivors of one age stay
// together, because what was written together tends to die together. Within a group volumes are in ascending order of
// fill; L3's are classed and ordered by how fast they have been dying instead (kin.ts).

import type { CodecName } from '../../codec/codec.ts';
import { assert } from '../../foundation/assert.ts';
import type { Lane } from '../../foundation/lane.ts';
import { AGE_CLASSES, codecAt, type FleetView } from '../facts/fleet.ts';
import { type PlanSettings, STRATEGIES, type Strategy } from '../facts/plan-settings.ts';
import { Kin } from './kin.ts';
import { verdictCode } from './selector.ts';

export interface Group {
  readonly codec: CodecName;
  readonly capacityBytes: number;
  readonly lane: Lane;
  /** Of what was written alike; in L3's groups, of what dies alike. */
  readonly ageClass: number;
  /** Mean over its volumes. */
  readonly deletesPerDay: number;
  /** Indexes into the view, sparsest first (L3: best first); what is equal to 1 in 2^24 by id. */
  readonly order: Uint32Array;
  /** Live fraction of the volume at each place of `order`. */
  readonly fills: Float64Array;
  /** By place in `order`: planned already. */
  readonly used: Uint8Array;
}

const FILL_STEPS = 2 ** 24;

/** The groups of each strategy asked for, in a fixed order. */
export function groupsOf(
  view: FleetView,
  verdicts: Uint8Array,
  settings: PlanSettings,
): Readonly<Record<Strategy, readonly Group[]>> {
  assert(view.count < FILL_STEPS, 'a cell has fewer than 16 million volumes');
  const pools = new Pools(view);
  const wanted = new Int8Array(256).fill(-1);
  for (const [at, strategy] of STRATEGIES.entries())
    if (settings.strategies.includes(strategy)) wanted[verdictCode(strategy)] = at;
  const l3 = STRATEGIES.indexOf('l3');
  const kin = settings.drainOrder === 'worth' ? new Kin(view) : undefined;
  const classOf = (i: number, strategy: number): number =>
    strategy === l3 ? (kin?.classOf(i) ?? 0) : (view.ageClass[i] as number);
  const keyOf = new Int32Array(view.count).fill(-1);
  const sizes: number[] = [];
  for (let i = 0; i < view.count; i++) {
    const strategy = wanted[verdicts[i] as number] as number;
    if (strategy < 0) continue;
    const key = (pools.at(i) * AGE_CLASSES + classOf(i, strategy)) * 4 + strategy;
    keyOf[i] = key;
    sizes[key] = (sizes[key] ?? 0) + 1;
  }
  const sorting = Array.from(sizes, (size = 0) => ({ keys: new Float64Array(size), size: 0 }));
  for (let i = 0; i < view.count; i++) {
    const key = keyOf[i] as number;
    if (key < 0) continue;
    const members = sorting[key] as { keys: Float64Array; size: number };
    const place =
      key % 4 === l3 && kin !== undefined
        ? placeOfRank(kin.rank(i))
        : (view.liveBytes[i] as number) / (view.capacityBytes[i] as number);
    members.keys[members.size++] = Math.floor(place * FILL_STEPS) * FILL_STEPS + i;
  }
  const out: Record<Strategy, Group[]> = { l1: [], l2: [], l3: [] };
  for (const [key, { keys, size }] of sorting.entries()) {
    if (size > 0)
      out[STRATEGIES[key % 4] as Strategy].push(
        groupOf(view, settings, keys.sort(), Math.floor(key / 4) % AGE_CLASSES),
      );
  }
  return out;
}

/** From 0 (best) to 1. Ranks span many orders of magnitude: days of waiting from hours to centuries, or never. */
const placeOfRank = (rank: number): number => 0.5 - Math.min(64, Math.max(-64, Math.log2(rank))) / 128;

function groupOf(view: FleetView, settings: PlanSettings, sorting: Float64Array, ageClass: number): Group {
  const order = new Uint32Array(sorting.length);
  const fills = new Float64Array(sorting.length);
  let rates = 0;
  for (let at = 0; at < sorting.length; at++) {
    const i = (sorting[at] as number) % FILL_STEPS;
    order[at] = i;
    fills[at] = (view.liveBytes[i] as number) / (view.capacityBytes[i] as number);
    rates += settings.deletesPerDay[view.ageClass[i] as number] as number;
  }
  const first = order[0] as number;
  return {
    codec: codecAt(view, first),
    capacityBytes: view.capacityBytes[first] as number,
    lane: view.lane[first] as number,
    ageClass,
    deletesPerDay: rates / sorting.length,
    order,
    fills,
    used: new Uint8Array(order.length),
  };
}

/** Numbers the (codec, capacity, lane) triples of a fleet in order of appearance; a store has few. */
class Pools {
  readonly #view: FleetView;
  readonly #codecs: number[] = [];
  readonly #capacities: number[] = [];
  readonly #lanes: number[] = [];

  constructor(view: FleetView) {
    this.#view = view;
  }

  at(i: number): number {
    const codec = this.#view.codec[i] as number;
    const capacity = this.#view.capacityBytes[i] as number;
    const lane = this.#view.lane[i] as number;
    for (let pool = 0; pool < this.#codecs.length; pool++) {
      if (this.#codecs[pool] === codec && this.#capacities[pool] === capacity && this.#lanes[pool] === lane)
        return pool;
    }
    this.#codecs.push(codec);
    this.#lanes.push(lane);
    return this.#capacities.push(capacity) - 1;
  }
}
