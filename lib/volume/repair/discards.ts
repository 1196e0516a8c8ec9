// DISCARD: extents that a repair has replaced, or claimed and given up. Each is kept until its grace is over, no volume
// row names it and the column that took its place has been read whole; then its zone is erased. On a drive that is not
// coming back nothing is erased: its zone's row says what is to be done if it does.
import type { Reason } from '../../foundation/reason.ts';
import { type DiscardRow, discardKey } from '../../panda/rows/drives/discard-row.ts';
import { extentText, type VolumeRow } from '../../panda/rows/volume-row.ts';
import { zoneFromRow, zoneKey } from '../../panda/rows/zone-row.ts';
import { quarantineLeftMs } from '../behind/sweep.ts';
import { holdsData, lookAtVolume } from '../check/look.ts';
import { readDamage } from '../rows/damage.ts';
import { isGone, readDriveRows } from '../rows/drive-states.ts';
import { readVolume } from '../rows/read-rows.ts';
import { transactUnlessConflict } from '../rows/transact.ts';
import { eraseWrite, freeWrite } from '../rows/zones.ts';
import { eraseZone } from '../runs/erase-zone.ts';
import type { VolumeStore } from '../volume-store.ts';
import { listDiscards } from './replaced-extents.ts';

export interface DiscardReport {
  readonly freedZones: number;
  /** On drives that are lost or retired: given up without being erased. */
  readonly givenUpZones: number;
  readonly kept: readonly { readonly discard: DiscardRow; readonly reason: Reason }[];
}

export interface DiscardOptions {
  readonly ignoreGrace?: boolean | undefined;
  /** What comes after it has fired is left for the next time. */
  readonly signal?: AbortSignal | undefined;
}

export async function freeDiscards(
  store: VolumeStore,
  { ignoreGrace = false, signal }: DiscardOptions = {},
): Promise<DiscardReport> {
  const discards = await listDiscards(store);
  if (discards.length === 0) return { freedZones: 0, givenUpZones: 0, kept: [] };
  const drives = await readDriveRows(store.components);
  const looked = new Map<string, Reason | undefined>();
  const kept: { discard: DiscardRow; reason: Reason }[] = [];
  let freedZones = 0;
  let givenUpZones = 0;
  for (const discard of discards) {
    if (signal?.aborted) break;
    const isGivenUp = isGone(drives, discard.drive);
    const reason = (await whyKept(store, discard, ignoreGrace, looked)) ?? (await erase(store, discard, isGivenUp));
    if (reason !== undefined) kept.push({ discard, reason });
    else if (isGivenUp) givenUpZones += 1;
    else freedZones += 1;
  }
  if (freedZones > 0) store.zones.reload();
  return { freedZones, givenUpZones, kept };
}

/** `looked`: what was seen of each volume and column in this pass. */
async function whyKept(
  store: VolumeStore,
  discard: DiscardRow,
  ignoreGrace: boolean,
  looked: Map<string, Reason | undefined>,
): Promise<Reason | undefined> {
  const { components } = store;
  const { settings, clock } = components;
  if (await isBeingErased(store, discard)) return undefined;
  const waitMs = ignoreGrace ? 0 : discard.sinceMs + settings.trashGraceMs - clock.nowMs();
  const quarantineMs = await quarantineLeftMs(components, [discard]);
  if (Math.max(waitMs, quarantineMs) > 0)
    return { code: 'VOLUME_IN_GRACE', text: `for another ${Math.ceil(Math.max(waitMs, quarantineMs) / 1000)} s` };
  const volume = await readVolume(components.panda, settings.cell, discard.volume);
  if (volume === undefined || !holdsData(volume)) return undefined;
  if (names(volume, discard)) return { code: 'VOLUME_CHANGED', text: `volume ${volume.id} has this extent again` };
  const { column } = discard;
  const key = `${volume.id}/${column ?? 'all'}`;
  if (!looked.has(key)) looked.set(key, await whyUnsound(store, volume, column));
  return looked.get(key);
}

const names = ({ extents, next, repair }: VolumeRow, discard: DiscardRow): boolean =>
  [...extents, ...(next?.extents ?? []), ...(repair?.extents.values() ?? [])]
    .map(extentText)
    .includes(extentText(discard));

/** What replaced it must have been read whole; what else is wrong with the volume keeps it, too. */
async function whyUnsound(
  store: VolumeStore,
  volume: VolumeRow,
  column: number | undefined,
): Promise<Reason | undefined> {
  const notWhole: Reason = { code: 'OBJECTS_DAMAGED', text: `volume ${volume.id} is not whole without it` };
  // What is known to be missing need not be read for: it may wait for long, for this very extent.
  const noted = await readDamage(store.components, volume.id);
  if (noted.some(({ generation }) => generation === volume.generation)) return notWhole;
  const read = column === undefined ? { read: true } : { readColumns: new Set([column]) };
  const look = await lookAtVolume(store, volume, read);
  if (look === undefined) return { code: 'VOLUME_CHANGED', text: `volume ${volume.id} has moved on` };
  if (look.damage.length === 0 && look.unread === 0 && look.lostParts.length === 0) return undefined;
  return notWhole;
}

/** From there on there is no way back: it was inspected, and its objects are strays. */
async function isBeingErased({ components }: VolumeStore, discard: DiscardRow): Promise<boolean> {
  const row = await components.panda.get(zoneKey(discard.drive, discard.zone));
  const zone = row === undefined ? undefined : zoneFromRow(row);
  return zone?.state === 'erasing' && zone.generation === discard.zoneGeneration + 1;
}

/** The zone has gone on: it was freed, or is another volume's by now. Its generation never comes back. */
async function isOver({ components }: VolumeStore, discard: DiscardRow): Promise<boolean> {
  const row = await components.panda.get(zoneKey(discard.drive, discard.zone));
  const zone = row === undefined ? undefined : zoneFromRow(row);
  return zone !== undefined && zone.generation > discard.zoneGeneration;
}

/** Resumable at every step: the row goes last. Why it is kept, or undefined. */
async function erase(store: VolumeStore, discard: DiscardRow, isGivenUp: boolean): Promise<Reason | undefined> {
  const { components } = store;
  await components.mayWrite?.();
  const gone = { kind: 'delete', ...discardKey(discard), if: ['exists'] } as const;
  const isRowGone = async (): Promise<boolean> => (await components.panda.get(discardKey(discard))) === undefined;
  if (!(await isBeingErased(store, discard))) {
    const begin = [eraseWrite(discard, discard.volume), ...(isGivenUp ? [gone] : [])];
    const took = (): Promise<boolean> => isBeingErased(store, discard);
    if (await isOver(store, discard)) {
      await transactUnlessConflict(components, [gone], isRowGone);
      return undefined;
    }
    if (!(await transactUnlessConflict(components, begin, took)))
      return { code: 'VOLUME_CHANGED', text: 'another worker is at it' };
    if (isGivenUp) return undefined;
  } else if (isGivenUp) {
    await transactUnlessConflict(components, [gone], isRowGone);
    return undefined;
  }
  const failed = await eraseZone(components, discard);
  if (failed !== undefined) return failed;
  await transactUnlessConflict(components, [freeWrite(discard), gone], isRowGone);
  return undefined;
}
