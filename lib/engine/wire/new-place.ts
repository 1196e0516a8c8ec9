// The place of a store to be: everything that can be refused is looked at before anything is made, and an attempt that
// fails all the same takes back what it made.
import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { MARKER, markerOf } from '../../drive/directory-marker.ts';
import { denied, invalid, isPocketfulError } from '../../foundation/errors.ts';
import { assertPrivatePlace } from '../../keys/key-file-place.ts';
import type { Panda } from '../../panda/panda.ts';
import { storeCreatingKey, storeFromRow, storeIs, storeKey } from '../../panda/rows/store-row.ts';
import { pandaLost, tracesOf } from './lost-panda.ts';
import { driveAt, drivesPath, foreignNames, keysPath, pandaPath, reservePath } from './store-layout.ts';

const SUFFIXES = ['', '-wal', '-shm'];
/** What an empty file system has in its root. */
const LOST_AND_FOUND = 'lost+found';

/**
 * A directory without metadata. Throws `corrupt` PANDA_LOST, `invalid` STORE_FOREIGN, DRIVE_TAKEN or DRIVE_NOT_EMPTY,
 * and nothing was made.
 */
export async function checkNewPlace(dir: string, path: string, drives: readonly string[]): Promise<void> {
  const strange = await foreignNames(path);
  if (strange.length > 0)
    throw invalid('STORE_FOREIGN', `${dir} holds ${JSON.stringify(strange[0])}: a new store needs an empty directory`);
  const traces = await tracesOf(path);
  if (traces !== undefined) throw pandaLost(dir, traces);
  for (const drive of drives) await checkNewDrive(driveAt(path, drive));
}

async function checkNewDrive(root: string): Promise<void> {
  if (existsSync(join(root, MARKER))) {
    const { store, drive } = await markerOf(root);
    throw invalid(
      'DRIVE_TAKEN',
      `${root}: is drive ${drive} of store ${store.slice(0, 8)}… already: give a new store an empty directory; if the metadata of that store is lost, bring it back: pocketful restore FILE --rebuild`,
    );
  }
  const names = existsSync(root) ? await readdir(root).catch(() => []) : [];
  const strange = names.find((name) => name !== LOST_AND_FOUND && !name.startsWith('tmp-'));
  if (strange !== undefined)
    throw invalid('DRIVE_NOT_EMPTY', `${root}: holds ${JSON.stringify(strange)}; a new drive needs an empty directory`);
}

/**
 * A file of metadata that holds no store: fine if it is what an interrupted call left, and what else is there is of
 * that call too.
 */
export async function checkBegun(dir: string, path: string, panda: Panda): Promise<void> {
  const row = await panda.get(storeCreatingKey);
  const traces = await tracesOf(path);
  if (traces === undefined) return;
  if (row === undefined) throw pandaLost(dir, traces, true);
  const { storeId, drives } = storeFromRow(row);
  for (const drive of drives) {
    const root = driveAt(path, drive);
    if (existsSync(join(root, MARKER)) && (await markerOf(root)).store !== storeId) throw pandaLost(dir, traces, true);
  }
}

export interface Attempt {
  /** Takes the creation back, unless somebody else has finished it. */
  undo(panda: Panda): Promise<void>;
  /** When the file is closed. */
  removeIfUndone(): Promise<void>;
}

/** Makes the directory. */
export async function beginAttempt(path: string, drives: readonly string[]): Promise<Attempt> {
  const roots = drives.map((drive) => driveAt(path, drive));
  const wasThere = new Set([...roots, path, drivesPath(path)].filter((place) => existsSync(place)));
  await makeDirectory(path);
  try {
    await assertPrivatePlace(path);
  } catch (error) {
    if (!wasThere.has(path)) await rmdir(path).catch(() => undefined);
    throw error;
  }
  let isUndone = false;
  return {
    async undo(panda) {
      const begun = await panda.get(storeCreatingKey).catch(() => undefined);
      if (begun === undefined) return;
      const { storeId } = storeFromRow(begun);
      try {
        await panda.transact([
          { kind: 'check', ...storeKey, if: ['absent'] },
          { kind: 'delete', ...storeCreatingKey, if: [storeIs(storeId)] },
        ]);
      } catch (error) {
        if (isPocketfulError(error)) return; // somebody else's now
        throw error;
      }
      isUndone = true;
      for (const root of roots) await removeDrive(root, storeId, wasThere.has(root));
    },
    async removeIfUndone() {
      if (!isUndone) return;
      for (const suffix of SUFFIXES) await rm(`${pandaPath(path)}${suffix}`, { force: true });
      for (const file of [keysPath(path), `${keysPath(path)}.lock`, reservePath(path)]) await rm(file, { force: true });
      for (const folder of [drivesPath(path), path])
        if (!wasThere.has(folder)) await rmdir(folder).catch(() => undefined);
    },
  };
}

/** Only what an empty drive of this attempt holds. */
async function removeDrive(root: string, storeId: string, wasThere: boolean): Promise<void> {
  try {
    if (existsSync(join(root, MARKER))) {
      if ((await markerOf(root)).store !== storeId) return;
      await rm(join(root, MARKER));
    }
    for (const name of await readdir(root))
      if (name.startsWith(`tmp-${storeId.slice(0, 12)}`)) await rm(join(root, name), { recursive: true });
    if (!wasThere) await rmdir(root);
  } catch {
    // Not made, or not ours to remove.
  }
}

async function makeDirectory(path: string): Promise<void> {
  try {
    const made = await mkdir(path, { recursive: true });
    if (made !== undefined) await chmod(path, 0o700);
  } catch (error) {
    if (isPocketfulError(error)) throw error;
    throw denied('STORE_DENIED', `the directory ${path} cannot be made`, error);
  }
}
