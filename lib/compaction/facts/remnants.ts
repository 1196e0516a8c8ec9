// A snapshot of a cell's buckets as a struct of arrays: what the planner of merges reads. Buckets and volumes are in
// ascending order of id, so that the same rows are the same view whatever order they were listed in.
import { assert } from '../../foundation/assert.ts';
import { invalid } from '../../foundation/errors.ts';
import { type Lane, SHARED_LANE } from '../../foundation/lane.ts';
import { ageClassOf, FLEET_STATES, type FleetState } from './fleet.ts';

export interface RemnantVolume {
  readonly id: string;
  readonly generation: number;
  readonly state: FleetState;
  /** Missing: SHARED_LANE. */
  readonly lane?: Lane;
  /** Buckets it lists, those of a stale row included. */
  readonly bucketCount: number;
  readonly ageMs: number;
}

export interface RemnantBucket {
  readonly id: string;
  readonly volume: string;
  readonly liveBytes: number;
  readonly usedBytes: number;
  readonly slots: number;
}

export interface RemnantView {
  readonly store: string;
  readonly cell: string;
  readonly volumes: readonly string[];
  readonly generation: Uint32Array;
  /** Index into FLEET_STATES, by volume. */
  readonly state: Uint8Array;
  readonly bucketCount: Uint32Array;
  /** By volume. */
  readonly lane: Uint32Array;
  /** 0 (written last) .. AGE_CLASSES - 1, by volume. */
  readonly ageClass: Uint8Array;
  readonly count: number;
  readonly buckets: readonly string[];
  /** Index of its volume, by bucket. */
  readonly volume: Uint32Array;
  readonly liveBytes: Float64Array;
  /** Live slots, estimated: the rows say how many there ever were, and which part of their bytes lives. */
  readonly blocks: Float64Array;
}

const byId = (a: { readonly id: string }, b: { readonly id: string }): number =>
  a.id < b.id ? -1 : a.id > b.id ? 1 : 0;

/**
 * A view of plain rows, in any order; buckets of volumes that are not listed are left out. Throws `invalid`
 * FLEET_INVALID.
 */
export function remnantViewOf(
  store: string,
  cell: string,
  volumes: readonly RemnantVolume[],
  buckets: readonly RemnantBucket[],
): RemnantView {
  const homes = [...volumes].sort(byId);
  const at = new Map(homes.map(({ id }, i) => [id, i]));
  assert(at.size === homes.length, 'a volume is listed once');
  const held = buckets.filter(({ volume }) => at.has(volume)).sort(byId);
  const view = {
    store,
    cell,
    volumes: homes.map(({ id }) => id),
    generation: Uint32Array.from(homes, (v) => v.generation),
    state: Uint8Array.from(homes, (v) => FLEET_STATES.indexOf(v.state)),
    bucketCount: Uint32Array.from(homes, (v) => v.bucketCount),
    lane: Uint32Array.from(homes, (v) => v.lane ?? SHARED_LANE),
    ageClass: Uint8Array.from(homes, (v) => ageClassOf(Math.max(0, v.ageMs))),
    count: held.length,
    buckets: held.map(({ id }) => id),
    volume: Uint32Array.from(held, (b) => at.get(b.volume) as number),
    liveBytes: Float64Array.from(held, (b) => b.liveBytes),
    blocks: Float64Array.from(held, liveSlots),
  };
  return Object.freeze(view);
}

function liveSlots({ id, liveBytes, usedBytes, slots }: RemnantBucket): number {
  if (!(liveBytes >= 0 && liveBytes <= usedBytes && slots >= 0))
    throw invalid('FLEET_INVALID', `bucket ${id}: live ${liveBytes}, used ${usedBytes} bytes do not go together`);
  if (liveBytes === 0) return 0;
  return Math.max(1, Math.round((slots * liveBytes) / usedBytes));
}
