// Carries a compaction plan out on the simulated fleet: L1's donors into their host, L2's sources into new volumes,
// L3's into the stream of their age class. Counts what really moved.

import { STRATEGIES, type Strategy } from '../../compaction/facts/plan-settings.ts';
import type { CompactionPlan, PlannedRun } from '../../compaction/plan/plan.ts';
import { assert } from '../../foundation/assert.ts';
import { SHARED_LANE } from '../../foundation/lane.ts';
import type { FleetModel } from './fleet-model.ts';
import type { Stream, Writing } from './streams.ts';

export interface Moved {
  runs: number;
  /** Live bytes read and written again, a host's own included. */
  bytes: number;
  metadataWrites: number;
  dollars: number;
  /** Volumes emptied, less the new ones that were filled: a fraction where a stream goes on. */
  reclaimed: number;
}

export type MovedBy = Record<Strategy, Moved>;

export const nothingMoved = (): MovedBy => {
  const none = (): Moved => ({ runs: 0, bytes: 0, metadataWrites: 0, dollars: 0, reclaimed: 0 });
  return { l1: none(), l2: none(), l3: none() };
};

export const totalOf = (moved: MovedBy, field: keyof Moved): number =>
  STRATEGIES.reduce((sum, strategy) => sum + moved[strategy][field], 0);

export interface Applying {
  readonly model: FleetModel;
  readonly nowMs: number;
  /** Where a run's survivors go, bucket by bucket. */
  readonly streamOf: (run: PlannedRun, bucket: number) => Stream;
  /** Packing fills volumes of its own; or else it goes to the streams, too. */
  readonly packsIntoOwn: boolean;
  /** Buckets that fit are looked for before a volume is sealed. */
  readonly fillsUp?: boolean;
  readonly writing: Writing;
  readonly moved: MovedBy;
}

interface Done {
  /** Live bytes read and written again. */
  readonly bytes: number;
  readonly reclaimed: number;
}

const CARRY_OUT: Readonly<Record<Strategy, (run: PlannedRun, applying: Applying) => Done>> = {
  l1: topOff,
  // A run that ends in a volume that stays open is a stream whatever else is packed.
  l2: (run, applying) =>
    applying.packsIntoOwn && Number.isInteger(run.newVolumes) ? pack(run, applying) : drain(run, applying),
  l3: drain,
};

const slotOf = (id: string): number => Number.parseInt(id, 16);

export function applyPlan(plan: CompactionPlan, applying: Applying): void {
  for (const run of plan.runs) {
    const counted = applying.moved[run.strategy];
    counted.runs++;
    const { bytes, reclaimed } = CARRY_OUT[run.strategy](run, applying);
    counted.bytes += bytes;
    counted.metadataWrites += run.work.metadataWrites;
    counted.dollars += run.dollars;
    counted.reclaimed += reclaimed;
  }
}

function topOff(run: PlannedRun, { model, nowMs }: Applying): Done {
  assert(run.host !== null, 'an L1 run has a host');
  const host = slotOf(run.host.volume);
  const { unitBytes } = model.shape;
  const hostBytes = model.liveBytes[host] as number;
  let bytes = 0;
  model.flip(host, nowMs);
  let room = model.roomBytes(host);
  for (const source of run.sources) {
    const donor = slotOf(source.volume);
    let left = source.takeBytes;
    const whole = source.takeBytes === source.liveBytes;
    for (const bucket of model.unlink(donor, (bucket, units) => {
      const its = units * unitBytes;
      const need = model.needBytes(bucket);
      const takes = need <= room && (whole || its <= left);
      if (takes) {
        room -= need;
        left -= its;
      }
      return takes;
    })) {
      bytes += model.unitsIn(bucket) * unitBytes;
      model.attach(bucket, host);
    }
    if (model.liveBytes[donor] === 0) model.free(donor);
  }
  return { bytes: hostBytes + bytes, reclaimed: bytes / model.fullBytes };
}

function pack(run: PlannedRun, { model, nowMs, writing }: Applying): Done {
  const { unitBytes, unitsPerBucket } = model.shape;
  const taken: number[] = [];
  for (const source of run.sources) {
    const volume = slotOf(source.volume);
    taken.push(...model.unlink(volume, () => true));
    model.free(volume);
  }
  const destinations = Array.from({ length: Math.ceil(run.newVolumes) }, () => model.openVolume(nowMs, run.lane));
  const room = (volume: number): number => model.fullBytes - (model.usedBytes[volume] as number);
  // Longest first, onto the emptiest: so that what is left over is short.
  taken.sort((a, b) => model.unitsIn(b) - model.unitsIn(a));
  const inHand = new Map<number, number>();
  for (const bucket of taken) {
    const units = model.unitsIn(bucket);
    const emptiest = destinations.reduce((best, volume) => (room(volume) > room(best) ? volume : best));
    if (writing.mergeBelow < 1 && room(emptiest) >= units * unitBytes) {
      model.attach(bucket, emptiest);
      continue;
    }
    for (let left = units; left > 0; ) {
      const into = destinations.reduce((best, volume) => (room(volume) > room(best) ? volume : best));
      assert(room(into) > 0, 'a packing run fits its destinations');
      let target = inHand.get(into);
      if (target === undefined || model.unitsIn(target) >= unitsPerBucket) target = model.newBucket(into);
      inHand.set(into, target);
      left -= model.pour(
        bucket,
        target,
        Math.min(left, unitsPerBucket - model.unitsIn(target), room(into) / unitBytes),
      );
    }
    model.dropEmpty(bucket);
  }
  for (const volume of destinations) model.seal(volume, nowMs);
  return { bytes: run.work.bytesRead, reclaimed: run.freedVolumes - destinations.length };
}

function drain(run: PlannedRun, { model, nowMs, streamOf, writing, fillsUp = false }: Applying): Done {
  const waiting = new Map<Stream, number[]>();
  let bytes = 0;
  for (const source of run.sources) {
    const volume = slotOf(source.volume);
    assert(model.lane[volume] === (run.lane ?? SHARED_LANE), 'a run is of one lane');
    for (const bucket of model.unlink(volume, () => true)) {
      bytes += model.unitsIn(bucket) * model.shape.unitBytes;
      const stream = streamOf(run, bucket);
      if (fillsUp) waiting.set(stream, [...(waiting.get(stream) ?? []), bucket]);
      else stream.move(bucket, writing, nowMs);
    }
    model.free(volume);
  }
  for (const [stream, buckets] of waiting) stream.moveAll(buckets, writing, nowMs);
  return { bytes, reclaimed: run.freedVolumes - bytes / model.fullBytes };
}
