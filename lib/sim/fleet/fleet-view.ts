// The simulated fleet as the production planner sees it.
import { FLEET_STATES, type FleetView, fleetOfColumns } from '../../compaction/facts/fleet.ts';
import type { VolumeNames } from './volume-names.ts';

/** The planner counts this many rows per moved bucket; a moved blob is one row. */
const ROWS_PER_BUCKET_MOVE = 3;
/** Slots without a volume look like drained volumes to the planner, which leaves those alone. */
export const FREE_SLOT = FLEET_STATES.indexOf('trash');

interface Columns {
  readonly shape: { readonly relocation: 'bucket' | 'blob'; readonly blobBytes: number };
  readonly slots: number;
  readonly state: Uint8Array;
  readonly generation: Uint32Array;
  readonly codec: Uint8Array;
  readonly lane: Uint32Array;
  readonly liveBytes: Float64Array;
  readonly usedBytes: Float64Array;
  readonly capacity: Float64Array;
  readonly buckets: Uint32Array;
  readonly writtenMs: Float64Array;
  hostRoomBytes(volume: number): number | undefined;
}

/** A shard (a range of slots) as the planner sees it. The columns are the model's own where they can be. */
export function fleetViewOf(
  model: Columns,
  names: VolumeNames,
  nowMs: number,
  shard: number,
  shards: number,
): FleetView {
  const end = Math.floor(((shard + 1) * model.slots) / shards);
  const first = Math.floor((shard * model.slots) / shards);
  const ageMs = new Float64Array(end - first);
  for (let i = first; i < end; i++) ageMs[i - first] = Math.max(0, nowMs - (model.writtenMs[i] as number));
  const part = <T extends { subarray(from: number, to: number): T }>(column: T): T => column.subarray(first, end);
  return fleetOfColumns({
    store: 'simulated',
    cell: `shard-${shard}`,
    count: end - first,
    ids: names.range(first, end),
    generation: part(model.generation),
    codec: part(model.codec),
    lane: part(model.lane),
    state: part(model.state),
    liveBytes: part(model.liveBytes),
    usedBytes: part(model.usedBytes),
    capacityBytes: part(model.capacity),
    bucketCount: rowsOf(model, first, end),
    ageMs,
    ...roomsOf(model, first, end),
  });
}

/** What the planner takes for buckets: under `blob` relocation, as many as have the same price in rows as the blobs. */
function rowsOf(model: Columns, first: number, end: number): Uint32Array {
  if (model.shape.relocation === 'bucket') return model.buckets.subarray(first, end);
  const perByte = 1 / (model.shape.blobBytes * ROWS_PER_BUCKET_MOVE);
  const rows = new Uint32Array(end - first);
  for (let i = first; i < end; i++) rows[i - first] = Math.ceil((model.liveBytes[i] as number) * perByte);
  return rows;
}

function roomsOf(model: Columns, first: number, end: number): { roomBytes?: Float64Array } {
  if (model.hostRoomBytes(first) === undefined) return {};
  const rooms = new Float64Array(end - first);
  for (let i = first; i < end; i++) rooms[i - first] = model.hostRoomBytes(i) ?? 0;
  return { roomBytes: rooms };
}

/** How many allocated volumes are so full: bins from empty to full. */
export function histogramOf(model: Columns & { readonly capacityBytes: number }, bins: number): number[] {
  const out = Array.from({ length: bins }, () => 0);
  for (let volume = 0; volume < model.slots; volume++) {
    if (model.state[volume] === FREE_SLOT) continue;
    const fill = (model.liveBytes[volume] as number) / model.capacityBytes;
    const bin = Math.min(bins - 1, Math.floor(fill * bins));
    out[bin] = (out[bin] as number) + 1;
  }
  return out;
}
