// Fleets for the planning tests and benches: seeded, with the shapes of the study, and what a plan makes of one.

import type { CodecName } from '../../lib/codec/codec.ts';
import { codecShape } from '../../lib/codec/shape.ts';
import {
  AGE_CLASSES,
  FLEET_STATES,
  type FleetState,
  type FleetView,
  type FleetVolume,
  fleetOf,
  fleetOfColumns,
} from '../../lib/compaction/facts/fleet.ts';
import type { CompactionPlan } from '../../lib/compaction/plan/plan.ts';
import { DAY_MS } from '../../lib/foundation/durations.ts';
import type { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { uniform } from './packing-oracle.ts';

export const CAPACITY = 384 * 1024 * 1024;

export const volumeName = (n: number): string => n.toString(16).padStart(16, '0');

export function volumeOf(n: number, fill: number, changes: Partial<FleetVolume> = {}): FleetVolume {
  const capacityBytes = changes.capacityBytes ?? CAPACITY;
  return {
    id: volumeName(n),
    generation: 1,
    codec: 'rs-6-3',
    state: 'sealed',
    liveBytes: Math.round(fill * capacityBytes),
    usedBytes: capacityBytes,
    capacityBytes,
    bucketCount: Math.max(1, Math.ceil(24 * fill)),
    ageMs: 100 * DAY_MS,
    ...changes,
  };
}

export const fleetOfFills = (fills: Iterable<number>): FleetView =>
  fleetOf(
    'store',
    'c0',
    [...fills].map((fill, n) => volumeOf(n + 1, fill)),
  );

/** Columns straight away: for fleets too large for one object per volume. */
export function largeFleet(fills: Float64Array, bucketCount = 24, codec: CodecName = 'rs-6-3'): FleetView {
  const count = fills.length;
  return fleetOfColumns({
    store: 'store',
    cell: 'c0',
    count,
    ids: Array.from({ length: count }, (_, i) => volumeName(i)),
    generation: new Uint32Array(count).fill(1),
    codec: new Uint8Array(count).fill(codecShape(codec).wire),
    state: new Uint8Array(count).fill(FLEET_STATES.indexOf('sealed')),
    liveBytes: fills.map((fill) => Math.round(fill * CAPACITY)),
    usedBytes: new Float64Array(count).fill(CAPACITY),
    capacityBytes: new Float64Array(count).fill(CAPACITY),
    bucketCount: new Uint32Array(count).fill(bucketCount),
    ageMs: Float64Array.from({ length: count }, (_, i) => (i % 100) * DAY_MS),
  });
}

export type Shape = 'incident' | 'severe' | 'mixed' | 'mid';

/** Bands of (share, low, high). `incident` is the synthetic fleet of the survey; the others put the study's shapes beside dense volumes. */
const SHAPES: Readonly<Record<Shape, readonly (readonly [number, number, number])[]>> = {
  incident: [
    [0.2, 0, 0.05],
    [0.2, 0.1, 0.7],
    [0.6, 0.85, 1],
  ],
  severe: [
    [0.15, 0.01, 0.05],
    [0.09, 0.05, 0.3],
    [0.06, 0.3, 0.7],
    [0.7, 0.75, 1],
  ],
  mixed: [
    [0.075, 0.01, 0.05],
    [0.12, 0.05, 0.5],
    [0.105, 0.5, 0.85],
    [0.7, 0.75, 1],
  ],
  mid: [
    [0.03, 0.01, 0.05],
    [0.18, 0.2, 0.5],
    [0.09, 0.5, 0.85],
    [0.7, 0.75, 1],
  ],
};

export function shapedFills(randomness: SeededRandomness, shape: Shape, count: number): Float64Array {
  const out: number[] = [];
  for (const [share, low, high] of SHAPES[shape]) {
    for (let n = Math.round(share * count); n > 0; n--) out.push(uniform(randomness, low, high));
  }
  return Float64Array.from(out);
}

/** Carries a plan out on paper: what the fleet looks like afterwards. L3's stream fills one volume after the other per age class. */
export function applyOnPaper(view: FleetView, plan: CompactionPlan): FleetVolume[] {
  const left = new Map<string, FleetVolume>();
  for (let i = 0; i < view.count; i++) {
    const id = view.ids[i] as string;
    left.set(id, {
      id,
      generation: view.generation[i] as number,
      codec: 'rs-6-3',
      state: FLEET_STATES[view.state[i] as number] as FleetState,
      liveBytes: view.liveBytes[i] as number,
      usedBytes: view.usedBytes[i] as number,
      capacityBytes: view.capacityBytes[i] as number,
      bucketCount: view.bucketCount[i] as number,
      ageMs: view.ageMs[i] as number,
    });
  }
  let named = view.count;
  const add = (like: { ageMs: number }, liveBytes: number): void => {
    const id = `f${(named++).toString(16).padStart(15, '0')}`;
    left.set(id, volumeOf(0, 0, { id, liveBytes, usedBytes: CAPACITY, ageMs: like.ageMs, bucketCount: 24 }));
  };
  // What a stream has not filled yet stays open, for the next plan's batches to go on.
  const openOf = (ageClass: number): string => `e${ageClass.toString(16).padStart(15, '0')}`;
  const streams = new Map<number, { bytes: number; ageMs: number }>();
  for (let ageClass = 0; ageClass < AGE_CLASSES; ageClass++) {
    const open = left.get(openOf(ageClass));
    if (open === undefined) continue;
    left.delete(open.id);
    streams.set(ageClass, { bytes: open.liveBytes, ageMs: open.ageMs });
  }
  for (const run of plan.runs) {
    let bytes = 0;
    let ageMs = 0;
    for (const source of run.sources) {
      const volume = left.get(source.volume) as FleetVolume;
      bytes += source.takeBytes;
      ageMs = volume.ageMs;
      if (source.takeBytes === source.liveBytes) left.delete(source.volume);
      else left.set(source.volume, { ...volume, liveBytes: source.liveBytes - source.takeBytes });
    }
    if (run.host !== null) {
      const host = left.get(run.host.volume) as FleetVolume;
      left.set(host.id, { ...host, liveBytes: host.liveBytes + bytes, generation: host.generation + 1 });
    } else if (run.strategy === 'l2' && Number.isInteger(run.newVolumes)) {
      for (let n = 0; n < run.newVolumes; n++) add({ ageMs }, Math.floor(bytes / run.newVolumes));
    } else {
      const stream = streams.get(run.ageClass) ?? { bytes: 0, ageMs };
      streams.set(run.ageClass, { bytes: stream.bytes + bytes, ageMs });
    }
  }
  for (const [ageClass, { bytes, ageMs }] of streams) {
    let rest = bytes;
    for (; rest >= CAPACITY; rest -= CAPACITY) add({ ageMs }, CAPACITY);
    if (rest === 0) continue;
    const id = openOf(ageClass);
    left.set(id, volumeOf(0, 0, { id, liveBytes: rest, ageMs, state: 'open' }));
  }
  return [...left.values()];
}

export const overheadOf = (volumes: readonly FleetVolume[]): number =>
  volumes.reduce((sum, volume) => sum + volume.capacityBytes, 0) /
  volumes.reduce((sum, volume) => sum + volume.liveBytes, 0);

export const bytesMoved = (plan: CompactionPlan): number => plan.runs.reduce((sum, run) => sum + run.work.bytesRead, 0);
