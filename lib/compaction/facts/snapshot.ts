// The volume and bucket rows of a cell as the planners see them. Buckets are read after volumes, and each counts once,
// where its row says it is; a run that starts later looks at every volume again, so a snapshot may be a little old but
// never does harm.
import { codecShape } from '../../codec/shape.ts';
import { isAhead } from '../../limits/clock-skew.ts';
import { VOLUME_BUCKETS_MAX } from '../../limits/panda.ts';
import type { BadRow } from '../../panda/rows/row-reader.ts';
import { laneOf, type VolumeRow } from '../../panda/rows/volume-row.ts';
import type { Settings } from '../../settings/settings.ts';
import { capacityBytes } from '../../settings/settings.ts';
import type { Components } from '../../volume/rows/components.ts';
import { listBuckets, listVolumes } from '../../volume/rows/read-rows.ts';
import { type CrowdedNotes, hostRoomBytes, readCrowded } from './crowded.ts';
import { type FleetState, type FleetView, type FleetVolume, fleetOf } from './fleet.ts';
import { type PlanSettings, planSettingsOf } from './plan-settings.ts';

/** One read of all volume rows, then one of all bucket rows. `look` sees every volume row first. */
export async function snapshotOf(
  components: Components,
  look: (volume: VolumeRow) => void = () => {},
): Promise<FleetView> {
  const { panda, settings } = components;
  const volumes = await listVolumes(panda, settings.cell, components.badRow);
  for (const volume of volumes) look(volume);
  // A volume one of whose buckets cannot be read is left alone: how much of it lives is not known.
  const unknown = new Set<string>();
  const badBucket = (row: BadRow): void => {
    unknown.add(row.sort);
    components.badRow?.(row);
  };
  const buckets = await listBuckets(panda, settings.cell, components.badRow === undefined ? undefined : badBucket);
  const live = new Map<string, number>();
  for (const bucket of buckets) live.set(bucket.volume, (live.get(bucket.volume) ?? 0) + bucket.liveBytes);
  const crowded = await readCrowded(components);
  const nowMs = components.clock.nowMs();
  const fleet = volumes.map((volume) => {
    const seen = fleetVolumeOf(settings, volume, live.get(volume.id) ?? 0, nowMs, crowded);
    return unknown.isDisjointFrom(volume.buckets) ? seen : { ...seen, state: 'leased' as const };
  });
  return fleetOf(components.storeId, settings.cell, fleet);
}

/** Pure: one volume as the planners see it. */
export function fleetVolumeOf(
  settings: Settings,
  volume: VolumeRow,
  liveBytes: number,
  nowMs: number,
  crowded: CrowdedNotes = new Map(),
): FleetVolume {
  const capacity = capacityBytes(settings, volume.codec);
  const { dataColumns } = codecShape(volume.codec);
  const stored = volume.extentUsedBytes.slice(0, dataColumns).reduce((sum, bytes) => sum + bytes, 0);
  // A bucket that arrived between the two reads may make a volume look fuller than it was: never more than full.
  const live = Math.min(liveBytes, capacity);
  return {
    id: volume.id,
    generation: volume.generation,
    codec: volume.codec,
    lane: laneOf(volume),
    state: stateOf(settings, volume),
    liveBytes: live,
    usedBytes: Math.min(capacity, Math.max(stored, live)),
    capacityBytes: capacity,
    bucketCount: volume.buckets.size,
    ageMs: ageOf(volume.sealedAtMs ?? volume.createdAtMs, nowMs),
    roomBytes: hostRoomBytes(settings, volume, live, crowded),
  };
}

/** What is from the future was written now, as far as anybody can tell. */
const ageOf = (atMs: number, nowMs: number): number => (isAhead(atMs, nowMs) ? 0 : nowMs - atMs);

function stateOf(settings: Settings, volume: VolumeRow): FleetState {
  if (volume.state === 'open') return 'open';
  if (volume.state === 'trash' || volume.state === 'erasing') return 'trash';
  if (volume.class === 'hot' && settings.hotCodec !== settings.warmCodec) return 'hot';
  return volume.state === 'draining' || volume.run !== undefined ? 'leased' : 'sealed';
}

/** Planning for this store: what its settings decide, then what the caller asks for. */
export function planSettingsFor(settings: Settings, changes: Partial<PlanSettings> = {}): PlanSettings {
  return planSettingsOf({
    bucketsPerVolumeMax: VOLUME_BUCKETS_MAX,
    groupBytes: settings.groupBytesMin,
    // Headers, directories, and columns that are never quite level.
    reserve: 0.045,
    ...changes,
  });
}
