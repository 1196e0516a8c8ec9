// The embedded engine: directories as drives, SQLite as Panda, a key file. Makes a store and opens it. Several
// processes may have one store open.
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Clock, systemClock } from '../../foundation/clock.ts';
import { mapLimit } from '../../foundation/concurrency.ts';
import { conflict, invalid, isPocketfulError, missing } from '../../foundation/errors.ts';
import { driveId, newStoreId } from '../../foundation/ids.ts';
import { type Randomness, systemRandomness } from '../../foundation/randomness.ts';
import { createKeyFile } from '../../keys/file-kek-store.ts';
import { OPENED_DRIVES_AT_ONCE } from '../../limits/engine.ts';
import { storeFromRow, storeKey } from '../../panda/rows/store-row.ts';
import { checkSqliteFile } from '../../panda/sqlite/sqlite-damage.ts';
import { pandaCorrupt } from '../../panda/sqlite/sqlite-errors.ts';
import { SqlitePanda } from '../../panda/sqlite/sqlite-panda.ts';
import { drivesMin, parseSettings, type Settings } from '../../settings/settings.ts';
import { beginCreation, endCreation, writeNewDrives } from './creation.ts';
import { makeDriveAt } from './drives/made-drives.ts';
import type { EmbeddedStore } from './embedded/embedded-store.ts';
import { type Ports, wireStore } from './embedded/wire-store.ts';
import { sweepLeftovers } from './leftovers.ts';
import { pandaLost, tracesOf } from './lost-panda.ts';
import { beginAttempt, checkBegun, checkNewPlace } from './new-place.ts';
import { StoreDisk } from './store-disk.ts';
import { DRIVES_DEFAULT, driveAt, drivePaths, keysPath, pandaPath } from './store-layout.ts';

export interface EngineOptions {
  readonly clock?: Clock;
  readonly randomness?: Randomness;
  /** Open although the key file is missing or wrong: for looking at the store only. */
  readonly withoutKeys?: boolean;
}

export interface CreateOptions extends EngineOptions {
  readonly settings: Settings;
  /** How many below the store's directory, or where each is. Default 20. */
  readonly drives?: number | readonly string[];
  /** By drive: what fails together with it. */
  readonly domains?: readonly string[] | undefined;
}

/**
 * Makes a store and opens it. What a call that was cut off left is finished; one that is refused leaves nothing. Throws
 * `conflict` STORE_EXISTS, `corrupt` PANDA_LOST.
 */
export async function createEmbedded(dir: string, options: CreateOptions): Promise<EmbeddedStore> {
  const path = resolve(dir);
  const wanted = options.drives ?? DRIVES_DEFAULT;
  const drives = drivePaths(path, wanted);
  const settings = parseSettings(options.settings);
  const needed = drivesMin(settings);
  if (drives.length < needed)
    throw invalid('DRIVES_TOO_FEW', `these settings need at least ${needed} drives, not ${drives.length}`);
  const isBegun = existsSync(pandaPath(path));
  if (!isBegun) await checkNewPlace(dir, path, drives);
  const attempt = await beginAttempt(path, drives);
  const ports = portsOf(options);
  await sweepLeftovers(path, ports.clock);
  const disk = new StoreDisk(path);
  const panda = await SqlitePanda.open(pandaPath(path), { makeRoom: disk.makeRoom, clock: ports.clock });
  try {
    if ((await panda.get(storeKey)) !== undefined) throw conflict('STORE_EXISTS', `there is a store in ${dir} already`);
    if (isBegun) await checkBegun(dir, path, panda);
    const row = await beginCreation(panda, ports, {
      storeId: newStoreId(ports.randomness),
      settings,
      drives,
      createdAtMs: Math.max(0, ports.clock.nowMs()),
    });
    const made = await mapLimit(row.drives, OPENED_DRIVES_AT_ONCE, (place, i) =>
      makeDriveAt(driveAt(path, place), { storeId: row.storeId, driveId: driveId(i) }, ports.randomness),
    );
    await writeNewDrives(panda, ports, made, options.domains);
    await createKeyFile(keysPath(path), row.storeId, ports);
    await endCreation(panda, ports, row);
    const store = await wireStore({ path, row, panda, ports, disk });
    disk.reserveRoom();
    return store;
  } catch (error) {
    if (!isBegun && isPocketfulError(error)) await attempt.undo(panda);
    await panda.close();
    await attempt.removeIfUndone();
    throw error;
  }
}

/**
 * Throws `missing` STORE_MISSING or STORE_INCOMPLETE, `corrupt` PANDA_LOST, `invalid` STORE_VERSION; a drive that
 * cannot be reached only fails its own calls.
 */
export async function openEmbedded(dir: string, options: EngineOptions = {}): Promise<EmbeddedStore> {
  const path = resolve(dir);
  const make = `make one with: pocketful init --store file:${dir}`;
  const ports = portsOf(options);
  await sweepLeftovers(path, ports.clock);
  if (!existsSync(pandaPath(path))) {
    const traces = await tracesOf(path);
    if (traces !== undefined) throw pandaLost(dir, traces);
    throw missing('STORE_MISSING', `there is no store in ${dir}; ${make}`);
  }
  const disk = new StoreDisk(path);
  const panda = await SqlitePanda.open(pandaPath(path), { create: false, makeRoom: disk.makeRoom, clock: ports.clock });
  try {
    const row = await panda.get(storeKey);
    if (row === undefined) {
      await checkBegun(dir, path, panda);
      // A damaged file may have lost that row, too.
      if (row === undefined && checkSqliteFile(pandaPath(path)).length > 0) throw pandaCorrupt(pandaPath(path));
      if (row === undefined)
        throw missing(
          'STORE_INCOMPLETE',
          `making the store in ${dir} was interrupted; run it again to finish it: pocketful init --store file:${dir}`,
        );
    }
    return await wireStore({ path, row: storeFromRow(row), panda, ports, disk }, options.withoutKeys);
  } catch (error) {
    await panda.close();
    throw error;
  }
}

const portsOf = ({ clock = systemClock, randomness = systemRandomness }: EngineOptions): Ports => ({
  clock,
  randomness,
});
