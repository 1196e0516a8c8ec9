// A fleet to start from: full volumes written at even intervals, each as dead as its age says, so that the fleet as a
// whole has the overhead asked for. That is the steady state of a first-in-first-out compactor; a run still warms up
// before it counts.

import type { CodecName } from '../../codec/codec.ts';
import { DAY_MS } from '../../foundation/durations.ts';
import { SHARED_LANE } from '../../foundation/lane.ts';
import { SeededRandomness } from '../../foundation/randomness.ts';
import type { Deletes } from './deletes.ts';
import { FleetModel } from './fleet-model.ts';
import { uniform01 } from './live-coder-output.ts';
import type { Relocation } from './model-shape.ts';
import type { Separated } from './world.ts';

export interface FleetSize {
  readonly seed: number;
  /** Live data, in full volumes. */
  readonly liveVolumes: number;
  readonly unitsPerVolume: number;
  readonly unitsPerBucket: number;
  /** Unless told, all of a volume's. */
  readonly unitsWhenFull?: number;
  readonly capacityBytes: number;
  readonly codec: CodecName;
  readonly relocation: Relocation;
  readonly blobBytes: number;
  /** What is of one class only. */
  readonly separated?: Separated;
}

export const FLEET_SIZE: FleetSize = Object.freeze({
  seed: 1,
  liveVolumes: 1000,
  unitsPerVolume: 128,
  unitsPerBucket: 8,
  capacityBytes: 12 * 1024 ** 3,
  codec: 'lrc-12-2-2',
  relocation: 'bucket',
  blobBytes: 1024 * 1024,
});

export function startFleet(size: FleetSize, deletes: Deletes, overhead: number): FleetModel {
  const random = new SeededRandomness(size.seed);
  const volumes = Math.round(size.liveVolumes * overhead);
  const model = new FleetModel(
    {
      codec: size.codec,
      unitsPerVolume: size.unitsPerVolume,
      unitsPerBucket: size.unitsPerBucket,
      ...(size.unitsWhenFull === undefined ? {} : { unitsWhenFull: size.unitsWhenFull }),
      unitBytes: Math.floor(size.capacityBytes / size.unitsPerVolume),
      classes: deletes.classes.length,
      relocation: size.relocation,
      blobBytes: size.blobBytes,
      slots: Math.ceil(volumes * 1.2) + 64,
    },
    random,
  );
  const span = spanOf(overhead);
  for (let n = 0; n < volumes; n++) {
    const age = (span * (n + 0.5)) / volumes;
    const volume = model.openVolume(0, size.separated === 'lane' ? classOfVolume(deletes, n) : SHARED_LANE);
    for (let left = model.fullUnits; left > 0; left -= size.unitsPerBucket)
      fillBucket(model, volume, Math.min(left, size.unitsPerBucket), Math.exp(-age), drawOf(size, model, deletes, n));
    model.usedBytes[volume] = model.fullBytes;
    // An age in lifetimes is one in days once the rate is known.
    model.seal(volume, -(age / Math.max(deletes.perDay, 1e-9)) * DAY_MS);
  }
  return model;
}

function fillBucket(model: FleetModel, volume: number, units: number, survival: number, draw: () => number): void {
  const bucket = model.newBucket(volume);
  for (let n = units; n > 0; n--) if (uniform01(model.random) < survival) model.add(bucket, draw(), 1);
}

/** The class of a unit: its own, its bucket's, or its volume's. */
function drawOf({ separated }: FleetSize, model: FleetModel, deletes: Deletes, volume: number): () => number {
  if (separated === undefined) return () => classAt(deletes, uniform01(model.random));
  const cls = separated === 'lane' ? classOfVolume(deletes, volume) : classAt(deletes, uniform01(model.random));
  return () => cls;
}

/** Multiples of it are spread evenly between 0 and 1. */
const GOLDEN = 0.618034;

/** They take turns. */
const classOfVolume = (deletes: Deletes, volume: number): number => classAt(deletes, (volume * GOLDEN) % 1);

function classAt({ classes }: Deletes, place: number): number {
  let at = place;
  for (const [c, { liveShare }] of classes.entries()) {
    if (at < liveShare) return c;
    at -= liveShare;
  }
  return 0;
}

/** Age (in mean lifetimes) of the oldest volume, so that the mean survival over all ages is 1 / overhead. */
function spanOf(overhead: number): number {
  let low = 0;
  let high = 100;
  for (let n = 0; n < 80; n++) {
    const middle = (low + high) / 2;
    if ((1 - Math.exp(-middle)) / middle > 1 / overhead) low = middle;
    else high = middle;
  }
  return low;
}
