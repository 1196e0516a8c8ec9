// FREE (protocol 12): the zones of a retired volume are erased once the inspector has seen every bucket it held
// readable elsewhere, and the grace has passed; one out of which nothing was moved has none, as all of it was shredded,
// and no place is read for what has no key. Resumable at every step; an unreachable drive only delays it.
import { mapLimit } from '../../foundation/concurrency.ts';
import { isKind } from '../../foundation/errors.ts';
import type { VolumeId } from '../../foundation/ids.ts';
import { type Reason, reasonOf } from '../../foundation/reason.ts';
import { isAhead } from '../../limits/clock-skew.ts';
import { FREED_VOLUMES_AT_ONCE } from '../../limits/volume.ts';
import type { Write } from '../../panda/panda.ts';
import { unlistedAtLast } from '../../panda/rows/open-row.ts';
import { retireAnew, stateIs, trashedAt } from '../../panda/rows/volume-changes.ts';
import { type Extent, type VolumeRow, volumeKey } from '../../panda/rows/volume-row.ts';
import { quarantineLeftMs } from '../behind/sweep.ts';
import type { Components } from '../rows/components.ts';
import { isGone, readDriveRows } from '../rows/drive-states.ts';
import { dropGroupRowsOf } from '../rows/drop-groups.ts';
import { listVolumes, readVolume } from '../rows/read-rows.ts';
import { transactUnlessConflict } from '../rows/transact.ts';
import { freeWrite } from '../rows/zones.ts';
import { undoRepairWrites } from '../steps/repair-steps.ts';
import { eraseVolumeWrites } from '../steps/volume-steps.ts';
import type { VolumeStore } from '../volume-store.ts';
import { eraseZone } from './erase-zone.ts';
import { inspect } from './inspect.ts';

export interface FreeReport {
  readonly freedVolumes: number;
  readonly freedZones: number;
  /** Why some are kept, a line each. */
  readonly kept: readonly KeptVolume[];
}

export interface KeptVolume {
  readonly volume: VolumeId;
  readonly reason: Reason;
  /** Nothing is in the way but its grace. */
  readonly isInGrace: boolean;
}

/** Frees what may be freed of the volumes in trash, and finishes what was begun. */
export async function freeTrash(
  store: VolumeStore,
  options: { readonly ignoreGrace?: boolean; readonly onFreed?: (zones: number) => void } = {},
): Promise<FreeReport> {
  const { components } = store;
  const volumes = await listVolumes(components.panda, components.settings.cell, components.badRow);
  const kept: KeptVolume[] = [];
  let freedVolumes = 0;
  let freedZones = 0;
  const waiting = volumes.filter((v) => v.state === 'trash' || v.state === 'erasing');
  await mapLimit(waiting, FREED_VOLUMES_AT_ONCE, async (volume) => {
    const waitMs = options.ignoreGrace ? 0 : await graceOf(components, volume);
    const reason = waitMs > 0 ? inGrace(waitMs) : await freeReadable(store, volume);
    if (reason !== undefined) {
      kept.push({ volume: volume.id, reason, isInGrace: waitMs > 0 });
      return;
    }
    freedVolumes += 1;
    freedZones += volume.extents.length;
    options.onFreed?.(volume.extents.length);
  });
  if (freedZones > 0) store.zones.reload();
  return { freedVolumes, freedZones, kept };
}

/** Retired in the future, by a clock that had jumped: its grace begins now, for otherwise it would end in years. */
async function graceOf(components: Components, volume: VolumeRow): Promise<number> {
  const { trashedAtMs, state, moved } = volume;
  if (moved.size === 0) return 0;
  const nowMs = Math.max(0, components.clock.nowMs());
  if (state !== 'trash' || trashedAtMs === undefined || !isAhead(trashedAtMs, nowMs))
    return graceLeftMs(components, volume);
  const write: Write = {
    kind: 'update',
    ...volumeKey(components.settings.cell, volume.id),
    ...retireAnew(nowMs),
    if: [stateIs('trash'), trashedAt(trashedAtMs)],
  };
  await transactUnlessConflict(components, [write], async () => true);
  return graceLeftMs(components, { ...volume, trashedAtMs: nowMs });
}

const graceLeftMs = ({ settings, clock }: Components, { state, trashedAtMs }: VolumeRow): number =>
  state === 'trash' ? (trashedAtMs ?? 0) + settings.trashGraceMs - clock.nowMs() : 0;

const inGrace = (waitMs: number): Reason => ({
  code: 'VOLUME_IN_GRACE',
  text: `in trash for another ${Math.ceil(waitMs / 1000)} s`,
});

const inQuarantine = (waitMs: number): Reason => ({
  code: 'VOLUME_IN_QUARANTINE',
  text: `holds what a restore gave up, for another ${Math.ceil(waitMs / 1000)} s`,
});

/** A damaged row keeps the volume that it is about, and no other. */
async function freeReadable(store: VolumeStore, volume: VolumeRow): Promise<Reason | undefined> {
  try {
    return await freeVolume(store, volume);
  } catch (error) {
    if (!isKind(error, 'corrupt')) throw error;
    return reasonOf(error);
  }
}

/** The reason it is kept, or undefined once it is gone. */
async function freeVolume(store: VolumeStore, volume: VolumeRow): Promise<Reason | undefined> {
  const { components } = store;
  if (volume.state === 'trash') {
    const quarantineMs = await quarantineLeftMs(components, volume.extents);
    if (quarantineMs > 0) return inQuarantine(quarantineMs);
    const unreadable = await inspect(store, volume);
    if (unreadable !== undefined) return unreadable;
    if (volume.repair !== undefined && !(await endRepairOf(components, volume))) return undefined;
    await components.mayWrite?.();
    if (!(await beginErase(components, volume))) return undefined; // another worker did
  }
  await components.mayWrite?.();
  store.directories.forget(volume);
  // Drives that are not coming back are not waited for: their zones stay `erasing` until they do.
  const drives = await readDriveRows(components);
  const reachable = volume.extents.filter(({ drive }) => !isGone(drives, drive));
  const reasons = await Promise.all(reachable.map((extent) => eraseZone(components, extent)));
  const failed = reasons.find((reason) => reason !== undefined);
  if (failed !== undefined) return failed;
  await dropGroupRowsOf(components, volume);
  await endErase(components, volume, reachable);
  return undefined;
}

/** What a repair had claimed for it is not among its extents: it goes its own way. */
async function endRepairOf(components: Components, volume: VolumeRow): Promise<boolean> {
  const { cell } = components.settings;
  const writes = undoRepairWrites(cell, undefined, volume, Math.max(0, components.clock.nowMs()));
  const took = async (): Promise<boolean> =>
    (await readVolume(components.panda, cell, volume.id))?.repair === undefined;
  return transactUnlessConflict(components, writes, took);
}

async function beginErase(components: Components, volume: VolumeRow): Promise<boolean> {
  const took = async (): Promise<boolean> =>
    (await readVolume(components.panda, components.settings.cell, volume.id))?.state === 'erasing';
  return transactUnlessConflict(components, eraseVolumeWrites(components.settings.cell, volume), took);
}

async function endErase(components: Components, volume: VolumeRow, erased: readonly Extent[]): Promise<void> {
  const writes: Write[] = [
    { kind: 'delete', ...volumeKey(components.settings.cell, volume.id), if: [stateIs('erasing')] },
    ...unlistedAtLast(components.settings.cell, volume),
    ...erased.map(freeWrite),
  ];
  await transactUnlessConflict(
    components,
    writes,
    async () => (await readVolume(components.panda, components.settings.cell, volume.id)) === undefined,
  );
}
