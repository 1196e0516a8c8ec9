// A snapshot of a cell's volumes as a struct of arrays: what every planner reads, in production and in the simulator.
// Volumes are in ascending order of id, so that the same fleet is the same view whatever order it was listed in.

import { createHash } from 'node:crypto';
import { CODEC_NAMES, type CodecName } from '../../codec/codec.ts';
import { codecOfWire, codecShape } from '../../codec/shape.ts';
import { assert, present } from '../../foundation/assert.ts';
import { DAY_MS } from '../../foundation/durations.ts';
import { invalid } from '../../foundation/errors.ts';
import { type Lane, SHARED_LANE } from '../../foundation/lane.ts';

export const FLEET_STATES = ['open', 'sealed', 'hot', 'leased', 'trash'] as const;
/** `hot`: sealed, but still waiting to be encoded; `leased`: sealed and owned by a run, a repair or an encode. */
export type FleetState = (typeof FLEET_STATES)[number];

export const AGE_CLASSES = 4;
/** Upper ends of the first three age classes: written within a day, a week, two months, earlier. */
const AGE_BOUNDS_MS: readonly number[] = [DAY_MS, 7 * DAY_MS, 60 * DAY_MS];

export interface FleetVolume {
  readonly id: string;
  readonly generation: number;
  readonly codec: CodecName;
  /** Missing: SHARED_LANE. */
  readonly lane?: Lane;
  readonly state: FleetState;
  readonly liveBytes: number;
  readonly usedBytes: number;
  readonly capacityBytes: number;
  readonly bucketCount: number;
  /** Since the volume was written (sealed), not the mean age of its blocks. */
  readonly ageMs: number;
  /**
   * Bytes of others it could take as a host beside its own, its extents being as uneven as they are; unless told, what
   * its capacity leaves.
   */
  readonly roomBytes?: number;
}

export interface FleetView {
  readonly store: string;
  readonly cell: string;
  readonly count: number;
  readonly ids: readonly string[];
  readonly idsDigest: string;
  readonly generation: Uint32Array;
  /** Wire number of the codec. */
  readonly codec: Uint8Array;
  /** Volumes of different lanes have no run together. */
  readonly lane: Uint32Array;
  /** Index into FLEET_STATES. */
  readonly state: Uint8Array;
  readonly liveBytes: Float64Array;
  readonly usedBytes: Float64Array;
  readonly capacityBytes: Float64Array;
  readonly bucketCount: Uint32Array;
  readonly ageMs: Float64Array;
  /** What it could take as a host; 0: it does not even fit itself once more. */
  readonly roomBytes: Float64Array;
  /** 0 (written last) .. AGE_CLASSES - 1. */
  readonly ageClass: Uint8Array;
}

/**
 * Columns as the simulator keeps them; ids must ascend. They are not copied: do not change them while a plan is made.
 */
export type FleetColumns = Omit<FleetView, 'ageClass' | 'idsDigest' | 'roomBytes' | 'lane'> &
  Partial<Pick<FleetView, 'roomBytes' | 'lane'>>;

export function ageClassOf(ageMs: number, boundsMs: readonly number[] = AGE_BOUNDS_MS): number {
  let at = 0;
  while (at < boundsMs.length && ageMs > (boundsMs[at] as number)) at++;
  return at;
}

/** A view over columns that exist already. */
export function fleetOfColumns(columns: FleetColumns): FleetView {
  const { count, ids } = columns;
  const lengths = [columns.generation, columns.codec, columns.state, columns.liveBytes, columns.usedBytes];
  lengths.push(columns.capacityBytes, columns.bucketCount, columns.ageMs);
  assert(ids.length === count && lengths.every((column) => column.length >= count), 'fleet columns differ in length');
  const ageClass = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    assert(i === 0 || (ids[i - 1] as string) < (ids[i] as string), 'fleet ids must ascend and be unique');
    ageClass[i] = ageClassOf(columns.ageMs[i] as number);
    checkVolume(columns, i);
  }
  const roomBytes = columns.roomBytes ?? columns.capacityBytes.map((bytes, i) => bytes - (columns.liveBytes[i] ?? 0));
  const lane = columns.lane ?? new Uint32Array(count);
  return Object.freeze({ ...columns, roomBytes, lane, ageClass, idsDigest: digestOfIds(ids) });
}

/** A view of plain volume records, in any order. Throws `invalid` FLEET_INVALID for figures that cannot be. */
export function fleetOf(store: string, cell: string, volumes: readonly FleetVolume[]): FleetView {
  const sorted = [...volumes].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  const count = sorted.length;
  for (let i = 1; i < count; i++) {
    if (sorted[i - 1]?.id === sorted[i]?.id) throw invalid('FLEET_INVALID', `volume ${sorted[i]?.id} is listed twice`);
  }
  const column = <T extends { [index: number]: number }>(into: T, of: (volume: FleetVolume) => number): T => {
    for (let i = 0; i < count; i++) into[i] = of(sorted[i] as FleetVolume);
    return into;
  };
  return fleetOfColumns({
    store,
    cell,
    count,
    ids: Object.freeze(sorted.map((volume) => volume.id)),
    generation: column(new Uint32Array(count), (v) => v.generation),
    codec: column(new Uint8Array(count), (v) => codecShape(v.codec).wire),
    lane: column(new Uint32Array(count), (v) => v.lane ?? SHARED_LANE),
    state: column(new Uint8Array(count), (v) => FLEET_STATES.indexOf(v.state)),
    liveBytes: column(new Float64Array(count), (v) => v.liveBytes),
    usedBytes: column(new Float64Array(count), (v) => v.usedBytes),
    capacityBytes: column(new Float64Array(count), (v) => v.capacityBytes),
    bucketCount: column(new Uint32Array(count), (v) => v.bucketCount),
    // A clock that went backwards makes a volume look younger than new: that is new.
    ageMs: column(new Float64Array(count), (v) => Math.max(0, v.ageMs)),
    roomBytes: column(new Float64Array(count), (v) => v.roomBytes ?? v.capacityBytes - v.liveBytes),
  });
}

function checkVolume(columns: FleetColumns, i: number): void {
  const live = columns.liveBytes[i] as number;
  const used = columns.usedBytes[i] as number;
  const capacity = columns.capacityBytes[i] as number;
  if (capacity > 0 && live >= 0 && live <= used && used <= capacity && capacity < Number.MAX_SAFE_INTEGER) return;
  throw invalid(
    'FLEET_INVALID',
    `volume ${columns.ids[i]}: live ${live}, used ${used}, capacity ${capacity} bytes do not go together`,
  );
}

export const fillOf = (view: FleetView, i: number): number =>
  (view.liveBytes[i] as number) / (view.capacityBytes[i] as number);

export const stateOf = (view: FleetView, i: number): FleetState =>
  present(FLEET_STATES[view.state[i] as number], `unknown fleet state ${view.state[i]}`);

export const codecAt = (view: FleetView, i: number): CodecName =>
  present(codecOfWire(view.codec[i] as number), `unknown codec ${view.codec[i]}`);

/** Raw bytes a drive holds for one byte of a volume's capacity: (k+m)/k by wire number. */
export const RAW_FACTOR: Readonly<Record<number, number>> = Object.freeze(
  Object.fromEntries(
    CODEC_NAMES.map((name) => {
      const { wire, dataColumns, parityColumns } = codecShape(name);
      return [wire, (dataColumns + parityColumns) / dataColumns];
    }),
  ),
);

/** The same for loops over a million volumes; 1 for unknown codecs. */
const RAW_FACTORS = Float64Array.from({ length: 256 }, (_, wire) => RAW_FACTOR[wire] ?? 1);

/** Index of a volume by id, or -1: binary search over the ascending ids. */
export function indexOfVolume(view: FleetView, id: string): number {
  let low = 0;
  let high = view.count - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const at = view.ids[middle] as string;
    if (at === id) return middle;
    if (at < id) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}

export interface FleetTotals {
  readonly volumes: number;
  readonly liveBytes: number;
  readonly usedBytes: number;
  readonly capacityBytes: number;
  /** Capacity over live: what compaction can change, without the code's factor. */
  readonly allocatedOverhead: number;
  /** Used over live, without the code's factor. */
  readonly storedOverhead: number;
  /** Raw allocated bytes over live: the figure alarms use. */
  readonly rawOverhead: number;
}

/** Totals of the sealed class: sealed and leased volumes, warm and cold. */
export function sealedTotals(view: FleetView): FleetTotals {
  const sealed = FLEET_STATES.indexOf('sealed');
  const leased = FLEET_STATES.indexOf('leased');
  let volumes = 0;
  let liveBytes = 0;
  let usedBytes = 0;
  let capacityBytes = 0;
  let rawBytes = 0;
  for (let i = 0; i < view.count; i++) {
    if (view.state[i] !== sealed && view.state[i] !== leased) continue;
    volumes++;
    liveBytes += view.liveBytes[i] as number;
    usedBytes += view.usedBytes[i] as number;
    capacityBytes += view.capacityBytes[i] as number;
    rawBytes += (view.capacityBytes[i] as number) * (RAW_FACTORS[view.codec[i] as number] as number);
  }
  const per = (bytes: number): number => (liveBytes > 0 ? bytes / liveBytes : 1);
  return {
    volumes,
    liveBytes,
    usedBytes,
    capacityBytes,
    allocatedOverhead: per(capacityBytes),
    storedOverhead: per(usedBytes),
    rawOverhead: per(rawBytes),
  };
}

/** Digests of id lists, so that a simulator's thousand snapshots of the same volumes hash their names once. */
const digestsOfIds = new WeakMap<readonly string[], string>();

function digestOfIds(ids: readonly string[]): string {
  const known = digestsOfIds.get(ids);
  if (known !== undefined) return known;
  const hash = createHash('sha512-256');
  const step = 4096;
  for (let i = 0; i < ids.length; i += step) hash.update(`${ids.slice(i, i + step).join('\n')}\n`);
  const digest = hash.digest('hex');
  // Only a frozen list is sure to stay what it was.
  if (Object.isFrozen(ids)) digestsOfIds.set(ids, digest);
  return digest;
}

/**
 * A hash over every column (SHA-512/256, the quickest of the family on 64 bits): names a snapshot, so that a plan can
 * say which one it was made from.
 */
export function digestOf(view: FleetView): string {
  const hash = createHash('sha512-256');
  hash.update(JSON.stringify([view.store, view.cell, view.count, view.idsDigest]));
  const columns = [view.generation, view.codec, view.state, view.liveBytes, view.usedBytes, view.capacityBytes];
  for (const column of [...columns, view.bucketCount, view.roomBytes, view.ageClass])
    hash.update(column.subarray(0, view.count));
  // A cell that keeps nothing apart has the digest that releases without lanes give it.
  const lane = view.lane.subarray(0, view.count);
  if (lane.some((one) => one !== SHARED_LANE)) hash.update(lane);
  return hash.digest('hex');
}
