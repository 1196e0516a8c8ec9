// Which drives there are, where no metadata says so: directories with a marker, below the store's directory and where
// the caller says.
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { markerOf } from '../../drive/directory-marker.ts';
import { invalid, missing } from '../../foundation/errors.ts';
import { type StoreId, storeId } from '../../foundation/ids.ts';
import type { StoreRow } from '../../panda/rows/store-row.ts';
import { driveAt, drivePaths, drivesPath } from '../wire/store-layout.ts';

/** Where a drive is now; `from`: what the store's row calls it, where that is another path. */
export interface DrivePlace {
  readonly path: string;
  readonly from?: string | undefined;
}

export interface FoundDrives {
  readonly storeId: StoreId;
  /** By number: its directory. */
  readonly paths: ReadonlyMap<number, string>;
  /** What the caller named, and is no drive. */
  readonly strangers: readonly string[];
}

/** Throws `missing` DRIVES_NONE_FOUND, `invalid` DRIVE_TAKEN: drives of two stores. */
export async function findDrives(dir: string, given: readonly DrivePlace[]): Promise<FoundDrives> {
  const below = await readdir(drivesPath(dir)).catch(() => []);
  const named = given.map(({ path }) => resolve(path));
  const candidates = [...below.sort().map((name) => join(drivesPath(dir), name)), ...named];
  const paths = new Map<number, string>();
  const strangers: string[] = [];
  let store: string | undefined;
  for (const path of candidates) {
    const marker = await markerOf(path).catch(() => undefined);
    if (marker === undefined) {
      if (named.includes(path)) strangers.push(path);
      continue;
    }
    if (store !== undefined && marker.store !== store)
      throw invalid('DRIVE_TAKEN', `${path} is a drive of another store than the others`);
    store = marker.store;
    paths.set(marker.drive, path);
  }
  if (store === undefined)
    throw missing(
      'DRIVES_NONE_FOUND',
      `no drive of a store was found below ${dir}/drives: say where one is with --drive PATH`,
    );
  return { storeId: storeId(store), paths, strangers };
}

/** The store's row with its drives where they are now; one that was not found keeps its path, or gets the new one. */
export function withDrivesAt(
  dir: string,
  row: StoreRow,
  { paths }: Pick<FoundDrives, 'paths'>,
  given: readonly DrivePlace[],
): StoreRow {
  const moved = new Map(given.flatMap(({ path, from }) => (from === undefined ? [] : [[resolve(dir, from), path]])));
  const places = row.drives.map(
    (place, drive) => paths.get(drive) ?? moved.get(driveAt(dir, place)) ?? driveAt(dir, place),
  );
  return { ...row, drives: drivePaths(dir, places) };
}
