// RESTORE --FROM aws:STAGE: a store on this machine out of the buckets of a stage, with or without its table.
// docs/decisions/0029 has the steps and what a crash after each leaves.
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { DirectoryDrive } from '../../drive/directory-drive.ts';
import { DirectoryShelf } from '../../drive/directory-shelf.ts';
import type { Drive } from '../../drive/drive.ts';
import type { Shelf } from '../../drive/shelf.ts';
import { mapLimit } from '../../foundation/concurrency.ts';
import { isPocketfulError, missing } from '../../foundation/errors.ts';
import { driveId, type StoreId } from '../../foundation/ids.ts';
import { systemRandomness } from '../../foundation/randomness.ts';
import { PART_HEADER_BYTES, parsePartHeader } from '../../journal/part.ts';
import { parsePartName } from '../../journal/points.ts';
import { Shelves } from '../../journal/shelves.ts';
import { putBackKeyFile } from '../../keys/file-kek-store.ts';
import { printKeyFile, readKeyFile } from '../../keys/key-file.ts';
import type { KeyRing } from '../../keys/key-ring.ts';
import { DRIVES_COPIED_AT_ONCE } from '../../limits/engine.ts';
import { refuseExisting } from '../backup/give-name.ts';
import { makeDriveAt } from '../wire/drives/made-drives.ts';
import type { KeksRow } from '../wire/keks-row.ts';
import { driveAt, drivePaths, keysPath, pandaPath } from '../wire/store-layout.ts';
import { type CopyReport, copyChunks, copyJournal } from './copy-drives.ts';
import { type FromDrivesOptions, type FromDrivesReport, restoreFromDrives } from './restore-from-drives.ts';
import { stageKeysOn } from './stage-keys.ts';

export interface StageBucket {
  readonly drive: Drive;
  readonly shelf: Shelf;
}

export interface StageSource {
  /** By drive number. */
  readonly buckets: readonly StageBucket[];
  /** The keys themselves, as long as KMS unwraps them. */
  unwrap(storeId: StoreId, keks: KeksRow): Promise<KeyRing<Uint8Array>>;
}

export interface FromStageOptions extends Pick<FromDrivesOptions, 'atMs' | 'onProgress' | 'onLost'> {
  readonly onCopied?: ((report: CopyReport) => void) | undefined;
}

export interface FromStageReport extends FromDrivesReport {
  readonly copied: CopyReport;
}

/** Throws `conflict` STORE_EXISTS or KEYS_EXIST, `missing` JOURNAL_MISSING, `denied` of KMS. */
export async function restoreFromStage(
  dir: string,
  { buckets, unwrap }: StageSource,
  options: FromStageOptions = {},
): Promise<FromStageReport> {
  const path = resolve(dir);
  refuseExisting(dir, pandaPath(path));
  const places = buckets.map(({ shelf }, drive) => ({ drive, shelf, domain: `${drive}`, isActive: false }));
  const storeId = await storeIn(buckets);
  const ring = await unwrap(storeId, await stageKeysOn(new Shelves(places, 1)));
  await mkdir(path, { recursive: true, mode: 0o700 });
  await keepKeys(path, storeId, ring);
  const copied = await copyAll(path, storeId, buckets, options);
  const { onCopied: _, ...rest } = options;
  return { ...(await restoreFromDrives(path, { ...rest, isScanned: true })), copied };
}

/** As the segments say: buckets have no marker. */
async function storeIn(buckets: readonly StageBucket[]): Promise<StoreId> {
  let last: unknown;
  for (const { shelf } of buckets) {
    try {
      for (const { epoch, name, bytes } of await shelf.list()) {
        if (bytes < PART_HEADER_BYTES || parsePartName(name) === undefined) continue;
        return parsePartHeader(await shelf.read(epoch, name, { offset: 0, length: PART_HEADER_BYTES })).storeId;
      }
    } catch (error) {
      if (!isPocketfulError(error)) throw error;
      last = error;
    }
  }
  throw missing('JOURNAL_MISSING', 'no bucket of the stage has a journal of its metadata', last);
}

/** A restore that goes on finds them there. */
async function keepKeys(path: string, storeId: StoreId, ring: KeyRing<Uint8Array>): Promise<void> {
  const file = keysPath(path);
  const isThere = existsSync(file) && printKeyFile(storeId, readKeyFile(file, storeId)) === printKeyFile(storeId, ring);
  if (!isThere) await putBackKeyFile(file, storeId, ring);
}

async function copyAll(
  path: string,
  storeId: StoreId,
  buckets: readonly StageBucket[],
  { onCopied }: FromStageOptions,
): Promise<CopyReport> {
  let [objects, bytes] = [0, 0];
  const told = (more: number): void => {
    objects += 1;
    bytes += more;
    onCopied?.({ objects, bytes });
  };
  const roots = drivePaths(path, buckets.length).map((place) => driveAt(path, place));
  const identityOf = (drive: number) => ({ storeId, driveId: driveId(drive) });
  for (const [drive, root] of roots.entries()) await makeDriveAt(root, identityOf(drive), systemRandomness);
  const each = (copy: (bucket: StageBucket, root: string, drive: number) => Promise<void>): Promise<unknown> =>
    mapLimit([...buckets.entries()], DRIVES_COPIED_AT_ONCE, ([drive, bucket]) =>
      copy(bucket, roots[drive] as string, drive),
    );
  await each(({ shelf }, root, drive) => copyJournal(shelf, new DirectoryShelf(root, identityOf(drive)), told));
  await each((bucket, root, drive) => copyChunks(bucket.drive, new DirectoryDrive(root, identityOf(drive)), told));
  return { objects, bytes };
}
