// Brings a store's Panda back from a backup, into a directory that has none. The rows are gathered in a file of another name, which gets
// its own at the end: an interrupted restore leaves no half store, and its file goes with the next command.
import { existsSync } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { DirectoryDrive } from '../../drive/directory-drive.ts';
import { nameNew } from '../../drive/file-naming.ts';
import { errnoOf, syncFolder } from '../../drive/files.ts';
import { type Clock, systemClock } from '../../foundation/clock.ts';
import { conflict, corrupt, invalid, isPocketfulError } from '../../foundation/errors.ts';
import { driveId, type RecordId } from '../../foundation/ids.ts';
import { systemRandomness } from '../../foundation/randomness.ts';
import { rowBytes } from '../../panda/attributes.ts';
import type { Panda, Row, Write } from '../../panda/panda.ts';
import { TRANSACTION_BYTES_MAX, TRANSACTION_ITEMS_MAX } from '../../panda/panda.ts';
import { type StoreRow, storeFromRow, storeKey } from '../../panda/rows/store-row.ts';
import { shredFromRow } from '../../panda/rows/trash-row.ts';
import { zoneFromRow, zonePartition } from '../../panda/rows/zone-row.ts';
import { SqlitePanda } from '../../panda/sqlite-panda.ts';
import { rowsOf } from '../../volume/rows/read-rows.ts';
import { removeScratch, scratchPath, sweepLeftovers } from '../wire/leftovers.ts';
import { driveAt, keysPath, pandaPath } from '../wire/store-layout.ts';
import { raiseAboveDrives } from './after-restore.ts';
import { checkBackup, rowsOfBackup } from './backup.ts';
import { type RebuildReport, rebuildRows } from './restore-rows.ts';
import { scanDrives } from './scan-drives.ts';

const TRANSACTIONS_AT_ONCE = 16;

export interface RestoreReport {
  readonly storeId: string;
  readonly rows: number;
  readonly createdAtMs: number;
  /** Zones whose drives hold what the backup does not know: the store went on after it was made. */
  readonly newerZones: number;
  readonly keyFile: boolean;
  /** What was found on the drives, if they were asked. */
  readonly rebuild: (RebuildReport & { readonly damagedChunks: readonly string[] }) | undefined;
}

export interface RestoreOptions {
  readonly onProgress?: ((rows: number) => void) | undefined;
  /** Locations from the drives; the backup gives names, references and wrapped keys. */
  readonly rebuild?: boolean | undefined;
  /** A later backup, whose shred log counts: what it names stays shredded. */
  readonly shredLog?: string | undefined;
  readonly clock?: Clock;
}

/** Throws `conflict` STORE_EXISTS, `corrupt` BACKUP_CORRUPT, `invalid` BACKUP_VERSION. */
export async function restoreTo(dir: string, file: string, options: RestoreOptions = {}): Promise<RestoreReport> {
  const path = resolve(dir);
  const target = pandaPath(path);
  if (existsSync(target))
    throw conflict('STORE_EXISTS', `${dir} holds metadata already: move ${target} away before restoring`);
  await sweepLeftovers(path, options.clock ?? systemClock);
  const { storeId, createdAtMs } = await checkBackup(file);
  const rebuilt = options.rebuild ? await rebuildFromDrives(path, file, storeId, options) : undefined;
  await mkdir(path, { recursive: true, mode: 0o700 });
  const ports = { clock: options.clock ?? systemClock, randomness: systemRandomness };
  const gathering = scratchPath(path, 'restoring', systemRandomness);
  try {
    const panda = await SqlitePanda.open(gathering);
    let rows: number;
    let newerZones: number;
    try {
      rows = await putRows(panda, rebuilt?.rows ?? rowsOfBackup(file), options);
      const row = await panda.get(storeKey);
      if (row === undefined)
        throw corrupt('BACKUP_CORRUPT', `${file} holds no settings: it is not of a finished store`);
      const store = storeFromRow(row);
      newerZones = rebuilt === undefined ? await countNewerZones(panda, path, store) : 0;
      await raiseAboveDrives({ panda, ...store, drives: drivesOf(path, store), ...ports });
    } finally {
      await panda.close();
    }
    await giveName(gathering, target);
    return { storeId, rows, createdAtMs, newerZones, keyFile: existsSync(keysPath(path)), rebuild: rebuilt?.report };
  } finally {
    await removeScratch(gathering);
  }
}

/** The metadata file gets its name, unless another store was made there meanwhile. */
async function giveName(gathering: string, target: string): Promise<void> {
  try {
    await setAside(target);
    await nameNew(gathering, target);
    await syncFolder(dirname(target));
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
    throw conflict('STORE_EXISTS', `a store was made in ${dirname(target)} meanwhile`, error);
  }
}

/** SQLite would take the log of a file that was moved away for one of the file that comes in its place. */
async function setAside(target: string): Promise<void> {
  for (const suffix of ['-wal', '-shm', '-journal']) {
    if (!existsSync(target) && existsSync(`${target}${suffix}`))
      await rename(`${target}${suffix}`, `${target}.moved${suffix}`);
  }
}

/** The rows of a store whose backup may be old: where its records are is read from the drives, which must all be there. */
async function rebuildFromDrives(path: string, file: string, id: string, options: RestoreOptions) {
  const backup: Row[] = [];
  for await (const row of rowsOfBackup(file)) backup.push(row);
  const shredded = new Set<RecordId>();
  const note = (row: Row): void => {
    if (row.partition.startsWith('shred/')) for (const record of shredFromRow(row).recordIds) shredded.add(record);
  };
  backup.forEach(note);
  if (options.shredLog !== undefined) {
    const later = await checkBackup(options.shredLog);
    if (later.storeId !== id) throw invalid('BACKUP_FOREIGN', `${options.shredLog} is a backup of another store`);
    for await (const row of rowsOfBackup(options.shredLog)) note(row);
  }
  const found = backup.find(({ partition, sort }) => partition === storeKey.partition && sort === storeKey.sort);
  if (found === undefined) throw corrupt('BACKUP_CORRUPT', `${file} holds no settings: it is not of a finished store`);
  const store = storeFromRow(found);
  const scan = await scanDrives(drivesOf(path, store), store.storeId);
  const nowMs = Math.max(0, (options.clock ?? systemClock).nowMs());
  const { rows, report } = rebuildRows(store.settings, store.drives.length, scan, backup, shredded, nowMs);
  return { rows, report: { ...report, damagedChunks: scan.damaged } };
}

const drivesOf = (path: string, store: StoreRow): DirectoryDrive[] =>
  store.drives.map(
    (drive, id) => new DirectoryDrive(driveAt(path, drive), { storeId: store.storeId, driveId: driveId(id) }),
  );

async function putRows(
  panda: Panda,
  rows: AsyncIterable<Row> | Iterable<Row>,
  options: RestoreOptions,
): Promise<number> {
  const running = new Set<Promise<void>>();
  let batch: Write[] = [];
  let bytes = 0;
  let count = 0;
  const flush = async (): Promise<void> => {
    if (batch.length === 0) return;
    const work = panda.transact(batch).then(() => {
      running.delete(work);
    });
    work.catch(() => {});
    running.add(work);
    batch = [];
    bytes = 0;
    if (running.size >= TRANSACTIONS_AT_ONCE) await Promise.race(running);
  };
  for await (const row of rows) {
    const size = rowBytes(row, row.attributes);
    if (batch.length === TRANSACTION_ITEMS_MAX || bytes + size > TRANSACTION_BYTES_MAX) await flush();
    batch.push({ kind: 'put', partition: row.partition, sort: row.sort, attributes: row.attributes });
    bytes += size;
    count += 1;
    if (count % 10_000 === 0) options.onProgress?.(count);
  }
  await flush();
  await Promise.all(running);
  options.onProgress?.(count);
  return count;
}

/** Zone generations on the drives that no row knows yet. */
async function countNewerZones(panda: Panda, path: string, store: StoreRow): Promise<number> {
  const counts = await Promise.all(
    drivesOf(path, store).map(async (drive, id) => {
      const known = new Map<number, number>();
      for await (const row of rowsOf(panda, zonePartition(id))) {
        const { zone, generation, state } = zoneFromRow(row);
        known.set(zone, state === 'used' ? generation : generation - 1);
      }
      try {
        return (await drive.zones()).filter(({ zone, generation }) => generation > (known.get(zone) ?? 0)).length;
      } catch (error) {
        if (!isPocketfulError(error)) throw error;
        return 0; // away: it cannot be told
      }
    }),
  );
  return counts.reduce((total, count) => total + count, 0);
}
