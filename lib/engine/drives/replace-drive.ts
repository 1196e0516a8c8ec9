// A drive in the place of another: added, and the other given up for it.
import { invalid } from '../../foundation/errors.ts';
import type { DriveRow } from '../../panda/rows/drives/drive-row.ts';
import { isUnreadable } from '../status/drive-state.ts';
import type { EmbeddedStore } from '../wire/embedded/embedded-store.ts';
import { type AddedDrive, addDrives } from './add-drives.ts';
import { changeDrive } from './change-drive.ts';
import { listDrives } from './list-drives.ts';

export interface ReplacedDrive {
  readonly added: readonly AddedDrive[];
  /** The one that was given up: emptied if it can be read, lost if not. */
  readonly old: Pick<DriveRow, 'drive' | 'state'>;
}

/** Throws `invalid` DRIVE_UNKNOWN, DRIVE_STATE, or what `addDrives` throws; then nothing was done. */
export async function replaceDrive(
  store: EmbeddedStore,
  drive: number,
  path: string,
  domain: string | undefined,
): Promise<ReplacedDrive> {
  const old = (await listDrives(store.components)).drives[drive];
  if (old === undefined) throw invalid('DRIVE_UNKNOWN', `there is no drive ${drive}: see pocketful drives list`);
  if (old.state === 'retired') throw invalid('DRIVE_STATE', `drive ${drive} is retired: there is nothing to replace`);
  const added = await addDrives(store, [path], domain ?? old.domain);
  if (old.state === 'lost') return { added, old };
  return {
    added,
    old: await changeDrive(store.volumes, drive, { state: isUnreadable(old.fault) ? 'lost' : 'draining' }),
  };
}
