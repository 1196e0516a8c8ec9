// Changes of a drive's state: what an operator says of it. The first one of a store raises its format, so that no older
// release takes a drive that is given up for one that takes extents.
import { isDeepStrictEqual } from 'node:util';
import { conflict, invalid, isKind } from '../../foundation/errors.ts';
import type { Write } from '../../panda/panda.ts';
import {
  type DriveRow,
  type DriveState,
  driveAttributes,
  driveIsAsRead,
  driveKey,
} from '../../panda/rows/drives/drive-row.ts';
import { zoneFromRow, zonePartition } from '../../panda/rows/zone-row.ts';
import { finishReturned } from '../../volume/repair/returned.ts';
import type { Components } from '../../volume/rows/components.ts';
import { readDriveRows } from '../../volume/rows/drive-states.ts';
import { rowsOf } from '../../volume/rows/read-rows.ts';
import { raiseStoreFormat } from '../../volume/rows/store-format.ts';
import { transact } from '../../volume/rows/transact.ts';
import type { VolumeStore } from '../../volume/volume-store.ts';
import { listDrives } from './list-drives.ts';

/** From where a state may be reached. */
const FROM: Readonly<Record<DriveState, readonly DriveState[]>> = {
  active: ['active', 'draining', 'lost'],
  draining: ['active', 'draining'],
  lost: ['active', 'draining', 'lost'],
  retired: ['draining', 'lost', 'retired'],
};

/** Throws `invalid` DRIVE_UNKNOWN or DRIVE_STATE, `conflict` DRIVE_CHANGED. */
export async function changeDrive(
  store: VolumeStore,
  drive: number,
  change: { readonly state?: DriveState; readonly domain?: string },
): Promise<DriveRow> {
  const { components, zones } = store;
  await components.mayWrite?.();
  await components.findDrives?.();
  if (components.drives[drive] === undefined)
    throw invalid('DRIVE_UNKNOWN', `there is no drive ${drive}: see pocketful drives`);
  const before = (await readDriveRows(components)).get(drive);
  const from = before?.state ?? 'active';
  const state = change.state ?? from;
  if (!FROM[state].includes(from))
    throw invalid('DRIVE_STATE', `drive ${drive} is ${from}, and cannot become ${state} from there`);
  if (state === 'retired' && from !== 'retired') await checkEmpty(store, drive);
  const domain = change.domain ?? before?.domain;
  if (state === from && domain === before?.domain && before !== undefined) return before;
  const next: DriveRow = {
    drive,
    state,
    change: (before?.change ?? 0) + 1,
    sinceMs: state === from ? (before?.sinceMs ?? nowOf(components)) : nowOf(components),
    domain,
    incarnation: before?.incarnation,
    // Whoever says what has become of it knows more than the clock; how often the clock did stays counted.
    away: state === from ? before?.away : undefined,
    lostByClockMs: state === 'lost' ? undefined : before?.lostByClockMs,
  };
  await raiseStoreFormat(components);
  await writeDrive(components, before, next);
  zones.states.forget();
  zones.reload();
  if (state === 'active' && from === 'lost') await finishReturned(store, drive);
  return next;
}

const nowOf = ({ clock }: Components): number => Math.max(0, clock.nowMs());

/** `more`: further writes of the same transaction. Throws `conflict` DRIVE_CHANGED. */
export async function writeDrive(
  components: Components,
  before: DriveRow | undefined,
  next: DriveRow,
  more: readonly Write[] = [],
): Promise<void> {
  const put = {
    kind: 'put',
    ...driveKey(next.drive),
    attributes: driveAttributes(next),
    if: driveIsAsRead(before),
  } as const;
  const took = async (): Promise<boolean> => {
    const row = await components.panda.get(driveKey(next.drive));
    return row !== undefined && isDeepStrictEqual(row.attributes, put.attributes);
  };
  try {
    await transact(components, [put, ...more], took);
  } catch (error) {
    if (!isKind(error, 'conflict')) throw error;
    throw conflict('DRIVE_CHANGED', `drive ${next.drive} was changed by another process meanwhile`, error);
  }
}

/** Nothing of the store may be on it: neither a column nor what a repair has yet to discard. */
async function checkEmpty(store: VolumeStore, drive: number): Promise<void> {
  const { components } = store;
  const known = (await listDrives(components)).drives[drive];
  if ((known?.columns ?? 0) > 0)
    throw invalid(
      'DRIVE_IN_USE',
      `drive ${drive} has ${known?.columns} columns of volumes: run pocketful repair until it has none`,
    );
  if (known?.fault !== undefined) return;
  for await (const row of rowsOf(components.panda, zonePartition(drive)))
    if (zoneFromRow(row).state === 'used')
      throw invalid(
        'DRIVE_IN_USE',
        `drive ${drive} has zones that wait to be erased: run pocketful gc and pocketful repair when their grace is over`,
      );
}
