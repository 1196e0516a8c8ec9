// Brings a store's Panda back from a backup, into a directory that has none. The rows are gathered in a file of another
// name, which gets its own at the end: an interrupted restore leaves no half store, and its file goes with the next
// command.
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { DirectoryDrive } from '../../drive/directory-drive.ts';
import { markerOf } from '../../drive/directory-marker.ts';
import { DirectoryShelf } from '../../drive/directory-shelf.ts';
import { type Clock, systemClock } from '../../foundation/clock.ts';
import { corrupt, invalid } from '../../foundation/errors.ts';
import { driveId } from '../../foundation/ids.ts';
import { type Randomness, systemRandomness } from '../../foundation/randomness.ts';
import type { Panda } from '../../panda/panda.ts';
import { type StoreRow, storeFromRow, storeKey } from '../../panda/rows/store-row.ts';
import { SqlitePanda } from '../../panda/sqlite/sqlite-panda.ts';
import { raiseAboveDrives } from '../../volume/behind/raise-above-drives.ts';
import type { LostObject } from '../rebuild/keep-names.ts';
import { Rebuild, type RebuildReport } from '../rebuild/rebuild.ts';
import { Sorter } from '../rebuild/sorter.ts';
import { epochSeenOn } from '../ship/epoch-seen.ts';
import { shelvesOf } from '../ship/store-journal.ts';
import { removeScratch, scratchPath, sweepLeftovers } from '../wire/leftovers.ts';
import { driveAt, keysPath, pandaPath } from '../wire/store-layout.ts';
import { type BackupHeader, backupFile, checkBackup } from './backup.ts';
import { checkPlaces } from './check-places.ts';
import { giveName, refuseExisting } from './give-name.ts';
import { putRows } from './put-rows.ts';

export interface RestoreReport {
  readonly storeId: string;
  readonly rows: number;
  readonly createdAtMs: number;
  /** Zones whose drives hold what the backup does not know: the store went on after it was made. */
  readonly newerZones: number;
  readonly keyFile: boolean;
  /** What was found on the drives, if they were asked. */
  readonly rebuild: RebuildReport | undefined;
}

export interface RestoreOptions {
  readonly onProgress?: ((rows: number) => void) | undefined;
  /** Locations from the drives; the backup gives names, references and wrapped keys. */
  readonly rebuild?: boolean | undefined;
  /** Refuses to rebuild while a drive is away. */
  readonly allDrives?: boolean | undefined;
  /** A later backup, whose shred log counts: what it names stays shredded. */
  readonly shredLog?: string | undefined;
  /** Each object that a rebuild cannot bring back, as it is found. */
  readonly onLost?: ((object: LostObject) => void) | undefined;
  readonly clock?: Clock;
  readonly randomness?: Randomness;
}

/** A restore under way. */
interface Place {
  readonly path: string;
  readonly file: string;
  readonly header: BackupHeader;
  readonly options: RestoreOptions;
}

/**
 * Throws `conflict` STORE_EXISTS, `corrupt` BACKUP_CORRUPT or BACKUP_BEHIND, `invalid` BACKUP_VERSION or
 * BACKUP_FOREIGN, `retry` DRIVES_MISSING.
 */
export async function restoreTo(dir: string, file: string, options: RestoreOptions = {}): Promise<RestoreReport> {
  const path = resolve(dir);
  const target = pandaPath(path);
  refuseExisting(dir, target);
  await sweepLeftovers(path, options.clock ?? systemClock);
  const header = await checkBackup(file);
  await checkShredLog(header, options.shredLog);
  await mkdir(path, { recursive: true, mode: 0o700 });
  const gathering = scratchPath(path, 'restoring', options.randomness ?? systemRandomness);
  try {
    const panda = await SqlitePanda.open(gathering);
    const gathered = await gather(panda, { path, file, header, options }).finally(() => panda.close());
    await giveName(gathering, target);
    const { storeId, createdAtMs } = header;
    return { storeId, createdAtMs, keyFile: existsSync(keysPath(path)), ...gathered };
  } finally {
    await removeScratch(gathering);
  }
}

async function checkShredLog({ storeId }: BackupHeader, shredLog: string | undefined): Promise<void> {
  if (shredLog === undefined) return;
  const later = await checkBackup(shredLog);
  if (later.storeId !== storeId) throw invalid('BACKUP_FOREIGN', `${shredLog} is a backup of another store`);
}

/** All rows of the store to be, held against the drives; then it may get its name. */
async function gather(panda: Panda, place: Place) {
  const { path, file, options } = place;
  const store = await storeOf(file);
  const drives = drivesOf(path, store);
  const { clock = systemClock, randomness = systemRandomness } = options;
  const ports = { panda, ...store, drives, clock, randomness };
  let rebuild: RebuildReport | undefined;
  let rows: number;
  let newerZones = 0;
  if (options.rebuild) {
    const rebuilt = await rebuildRows(panda, place, store, drives);
    rows = rebuilt.rows;
    rebuild = rebuilt.report;
  } else {
    rows = await putRows(panda, backupFile(file).rows(['']), options.onProgress);
    newerZones = await assertPlaces(ports, file);
  }
  await raiseAboveDrives(ports, await epochSeen(path, store));
  return { rows, newerZones, rebuild };
}

async function storeOf(file: string): Promise<StoreRow> {
  for await (const row of backupFile(file).rows([storeKey.partition]))
    if (row.partition === storeKey.partition && row.sort === storeKey.sort) return storeFromRow(row);
  throw corrupt('BACKUP_CORRUPT', `${file} holds no settings: it is not of a finished store`);
}

const drivesOf = (path: string, store: StoreRow): DirectoryDrive[] =>
  store.drives.map(
    (drive, id) => new DirectoryDrive(driveAt(path, drive), { storeId: store.storeId, driveId: driveId(id) }),
  );

/** Of the markers that are there; whether a drive is this store's is said by whoever reads it. */
async function incarnationsAt(path: string, { storeId, drives }: StoreRow): Promise<ReadonlyMap<number, string>> {
  const found = new Map<number, string>();
  for (const [drive, place] of drives.entries()) {
    const marker = await markerOf(driveAt(path, place)).catch(() => undefined);
    if (marker?.store === storeId && marker.drive === drive && marker.incarnation !== undefined)
      found.set(drive, marker.incarnation);
  }
  return found;
}

/** Of the journal on the drives: the restored store begins another one. */
async function epochSeen(path: string, store: StoreRow): Promise<number> {
  const ladder = shelvesOf((place, identity) => new DirectoryShelf(driveAt(path, place), identity), store, new Map());
  return epochSeenOn(ladder);
}

async function rebuildRows(
  panda: Panda,
  { path, file, options }: Place,
  store: StoreRow,
  drives: readonly DirectoryDrive[],
): Promise<{ readonly rows: number; readonly report: RebuildReport }> {
  const { settings, storeId } = store;
  const sorter = Sorter.open(scratchPath(path, 'sorting', options.randomness ?? systemRandomness));
  try {
    const rebuild = new Rebuild(sorter, {
      ...{ settings, storeId, drives, allDrives: options.allDrives, onLost: options.onLost },
      incarnations: await incarnationsAt(path, store),
      backup: backupFile(file),
      shredLog: options.shredLog === undefined ? undefined : backupFile(options.shredLog),
      nowMs: Math.max(0, (options.clock ?? systemClock).nowMs()),
    });
    const rows = await putRows(panda, rebuild.rows(), options.onProgress);
    return { rows, report: rebuild.report() };
  } finally {
    await sorter.close();
  }
}

/** The number of newer zones. Throws BACKUP_BEHIND: a store whose names cannot be read is no restored store. */
async function assertPlaces(ports: Parameters<typeof checkPlaces>[0], file: string): Promise<number> {
  const { newerZones, liveBuckets, unreadableBuckets } = await checkPlaces(ports);
  if (unreadableBuckets > 0)
    throw corrupt(
      'BACKUP_BEHIND',
      `${unreadableBuckets} of ${liveBuckets} buckets are no longer where ${file} says they are, nothing was restored: restore with --rebuild, which finds them on the drives`,
    );
  return newerZones;
}
