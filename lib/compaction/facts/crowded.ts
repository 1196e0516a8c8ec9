// Volumes that cannot be an L1 host: what their rows say of it, and what a run that tried has found out. Records of
// uneven length may fill a column long before the others, so that a volume does not fit its own extents once more
// although its bytes would.
import { codecShape } from '../../codec/shape.ts';
import type { VolumeId } from '../../foundation/ids.ts';
import type { Write } from '../../panda/panda.ts';
import type { VolumeRow } from '../../panda/rows/volume-row.ts';
import type { Settings } from '../../settings/settings.ts';
import type { Components } from '../../volume/rows/components.ts';
import { readVolume, rowsOf } from '../../volume/rows/read-rows.ts';
import { transact } from '../../volume/rows/transact.ts';
import { type CrowdedNote, crowdedAttributes, crowdedFromRow, crowdedKey, crowdedPartition } from './crowded-row.ts';

/** Of every extent: headers and directories. */
const BESIDES = 1 / 64;
/** So much of it has to die before a volume that was too full is tried again. */
const RETRY_BELOW = 0.95;

/** Volume by volume: what it was when it did not fit. */
export type CrowdedNotes = ReadonlyMap<string, CrowdedNote>;

/**
 * Pure: bytes of others that a sealed volume could take beside its own live ones, if its columns come out as uneven as
 * they are now; 0 where it does not fit itself, or is not ready.
 */
export function hostRoomBytes(
  settings: Pick<Settings, 'extentBytes'>,
  volume: Pick<VolumeRow, 'id' | 'codec' | 'generation' | 'extentUsedBytes' | 'directoriesPending'>,
  liveBytes: number,
  notes: CrowdedNotes,
): number {
  const { id, codec, generation, extentUsedBytes } = volume;
  // A flip lets the group rows go, and they are all that leads to its slots yet. It can be emptied, though.
  if (volume.directoriesPending) return 0;
  const noted = notes.get(id);
  if (noted?.generation === generation && liveBytes > noted.liveBytes * RETRY_BELOW) return 0;
  const { dataColumns } = codecShape(codec);
  const stored = extentUsedBytes.slice(0, dataColumns).reduce((sum, bytes) => sum + bytes, 0);
  // Parity is as long as the longest column of every group, so it says how uneven they were.
  const unevenness = stored === 0 ? 1 : Math.max(1, (Math.max(...extentUsedBytes) * dataColumns) / stored);
  const roomBytes = (settings.extentBytes * (1 - BESIDES) * dataColumns) / unevenness - liveBytes;
  return Math.max(0, Math.floor(roomBytes));
}

export async function readCrowded({ panda, settings }: Components): Promise<CrowdedNotes> {
  const notes = new Map<string, CrowdedNote>();
  for await (const row of rowsOf(panda, crowdedPartition(settings.cell))) notes.set(row.sort, crowdedFromRow(row));
  return notes;
}

/** Tells the planner to leave a volume out as a host. Notes about volumes that are gone or were rewritten go. */
export async function noteCrowded(
  components: Components,
  host: Pick<VolumeRow, 'id' | 'generation'>,
  liveBytes: number,
): Promise<void> {
  const { cell } = components.settings;
  for (const [id, { generation }] of await readCrowded(components)) {
    if (id === host.id) continue;
    const now = await readVolume(components.panda, cell, id as VolumeId);
    if (now?.generation !== generation) await write(components, { kind: 'delete', ...crowdedKey(cell, id) });
  }
  const attributes = crowdedAttributes({ generation: host.generation, liveBytes });
  await write(components, { kind: 'put', ...crowdedKey(cell, host.id), attributes });
}

/** A note too many or too few is only a plan that is a little worse. */
const write = (components: Components, one: Write): Promise<unknown> => transact(components, [one], async () => true);
