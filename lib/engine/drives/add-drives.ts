// New drives of an embedded store: directories with a marker first, then the rows. A call that was cut off in between
// left an empty drive that the next one with the same path finishes.
import { conflict, invalid, isKind } from '../../foundation/errors.ts';
import { driveId } from '../../foundation/ids.ts';
import type { Write } from '../../panda/panda.ts';
import { driveAttributes, driveKey } from '../../panda/rows/drives/drive-row.ts';
import { setDrives, storeFromRow, storeIs, storeKey } from '../../panda/rows/store-row.ts';
import { raiseStoreFormat } from '../../volume/rows/store-format.ts';
import { transact } from '../../volume/rows/transact.ts';
import { makeDriveAt } from '../wire/drives/made-drives.ts';
import type { EmbeddedStore } from '../wire/embedded/embedded-store.ts';
import { driveAt, drivePaths } from '../wire/store-layout.ts';

export interface AddedDrive {
  readonly drive: number;
  readonly label: string;
}

/** Throws `invalid` DRIVE_TWICE, DRIVE_TAKEN, DRIVE_NOT_EMPTY; then nothing was added. */
export async function addDrives(
  store: EmbeddedStore,
  paths: readonly string[],
  domain: string | undefined,
): Promise<AddedDrive[]> {
  const { components, path } = store;
  const { panda, clock } = components;
  await store.beginWriting();
  await raiseStoreFormat(components);
  const row = await panda.get(storeKey);
  if (row === undefined) throw conflict('STORE_REPLACED', 'the store is gone');
  const { storeId, drives: known } = storeFromRow(row);
  const places = drivePaths(path, paths);
  const twice = places.find((place) => known.some((other) => driveAt(path, other) === driveAt(path, place)));
  if (twice !== undefined) throw invalid('DRIVE_TWICE', `${twice} is drive ${known.indexOf(twice)} already`);
  const added = places.map((place, i): AddedDrive => ({ drive: known.length + i, label: driveAt(path, place) }));
  const incarnations = new Map<number, string | undefined>();
  for (const { drive, label } of added) {
    const identity = { storeId, driveId: driveId(drive) };
    incarnations.set(drive, await makeDriveAt(label, identity, components.randomness));
  }
  const sinceMs = Math.max(0, clock.nowMs());
  const rows = added.map(
    ({ drive }): Write => ({
      kind: 'put',
      ...driveKey(drive),
      attributes: driveAttributes({
        state: 'active',
        change: 1,
        sinceMs,
        domain,
        incarnation: incarnations.get(drive),
      }),
      if: ['absent'],
    }),
  );
  const all: Write = { kind: 'update', ...storeKey, ...setDrives([...known, ...places]), if: [storeIs(storeId)] };
  const took = async (): Promise<boolean> => {
    const now = await panda.get(storeKey);
    return now !== undefined && storeFromRow(now).drives.length >= known.length + places.length;
  };
  try {
    await transact(components, [all, ...rows], took);
  } catch (error) {
    if (!isKind(error, 'conflict')) throw error;
    throw conflict('DRIVE_CHANGED', 'another process added drives meanwhile: try again', error);
  }
  await components.findDrives?.();
  store.volumes.zones.states.forget();
  store.volumes.zones.reload();
  return added;
}
