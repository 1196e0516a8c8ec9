// Merges of bucket remnants on the simulated fleet: the production planner of merges on its buckets, and what it
// planned carried out.

import { FLEET_STATES } from '../../compaction/facts/fleet.ts';
import { type RemnantView, remnantViewOf } from '../../compaction/facts/remnants.ts';
import type { MergePlan } from '../../compaction/plan/merges/merge-plan.ts';
import type { FleetModel } from './fleet-model.ts';
import type { Stream } from './streams.ts';

const idOf = (number: number): string => number.toString(16).padStart(16, '0');
const numberOf = (id: string): number => Number.parseInt(id, 16);

export function remnantsOf(model: FleetModel, nowMs: number): RemnantView {
  const { unitBytes } = model.shape;
  const held = [...model.state.keys()].filter((volume) => (model.liveBytes[volume] as number) > 0);
  const volumes = held.map((volume) => ({
    id: idOf(volume),
    generation: model.generation[volume] as number,
    state: FLEET_STATES[model.state[volume] as number] as (typeof FLEET_STATES)[number],
    bucketCount: model.buckets[volume] as number,
    ageMs: nowMs - (model.writtenMs[volume] as number),
  }));
  const buckets = held.flatMap((volume) =>
    model.bucketsOf(volume).map((bucket) => {
      const slots = model.slotsOf(bucket);
      const liveBytes = model.unitsIn(bucket) * unitBytes;
      return { id: idOf(bucket), volume: idOf(volume), liveBytes, usedBytes: slots * unitBytes, slots };
    }),
  );
  return remnantViewOf('simulated', 'c0', volumes, buckets);
}

/** Bytes that were copied. */
export function applyMerges({ merges }: MergePlan, model: FleetModel, stream: Stream, nowMs: number): number {
  let bytes = 0;
  for (const { sources } of merges) {
    const wanted = new Set(sources.map(({ bucket }) => numberOf(bucket)));
    const homes = new Set(sources.map(({ volume }) => numberOf(volume)));
    const taken = [...homes].flatMap((volume) => model.unlink(volume, (bucket) => wanted.has(bucket)));
    bytes += taken.reduce((sum, bucket) => sum + model.unitsIn(bucket) * model.shape.unitBytes, 0);
    stream.join(taken, nowMs);
    for (const volume of homes) if (model.liveBytes[volume] === 0) model.free(volume);
  }
  return bytes;
}
