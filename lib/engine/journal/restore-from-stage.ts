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
import { isPocketfulError, missing, type PocketfulError, retryLater } from '../../foundation/errors.ts';
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
  /** Refuses while a bucket does not answer. */
  readonly allDrives?: boolean | undefined;
  readonly onCopied?: ((report: CopyReport) => void) | undefined;
}

export interface FromStageReport extends FromDrivesReport {
  readonly copied: CopyReport;
  /** Buckets that did not answer, and why: the store lacks their drives. */
  readonly bucketsAway: readonly { readonly label: string; readonly error: PocketfulError }[];
}

/** Of a bucket that answers: its drive number. */
interface Numbered extends StageBucket {
  readonly number: number;
}

/** Throws `conflict` STORE_EXISTS or KEYS_EXIST, `missing` JOURNAL_MISSING, `denied` of KMS, `retry` DRIVES_MISSING. */
export async function restoreFromStage(
  dir: string,
  { buckets, unwrap }: StageSource,
  options: FromStageOptions = {},
): Promise<FromStageReport> {
  const path = resolve(dir);
  refuseExisting(dir, pandaPath(path));
  const { there, away } = await answering(buckets);
  const [first] = away;
  if (options.allDrives && first !== undefined)
    throw retryLater('DRIVES_MISSING', `${first.label} cannot be read, and --all-drives was said`, first.error);
  const storeId = await storeIn(there);
  const places = there.map(({ shelf, number }) => ({ drive: number, shelf, domain: `${number}`, isActive: false }));
  const ring = await unwrap(storeId, await stageKeysOn(new Shelves(places, 1)));
  await mkdir(path, { recursive: true, mode: 0o700 });
  await keepKeys(path, storeId, ring);
  const roots = drivePaths(path, buckets.length).map((place) => driveAt(path, place));
  const copied = await copyAll(roots, storeId, there, options);
  const { atMs, onProgress, onLost } = options;
  // The rows call drives by their buckets.
  const drives = away.map(({ label, number }) => ({ from: label, path: roots[number] as string }));
  const report = await restoreFromDrives(path, { atMs, onProgress, onLost, drives, isScanned: true });
  return { ...report, notDrives: [], copied, bucketsAway: away };
}

/** A bucket that is lost is what the codes, and the copies of the journal, are there for. */
async function answering(buckets: readonly StageBucket[]) {
  const there: Numbered[] = [];
  const away: { readonly label: string; readonly number: number; readonly error: PocketfulError }[] = [];
  for (const [number, bucket] of buckets.entries())
    try {
      await bucket.shelf.list();
      there.push({ ...bucket, number });
    } catch (error) {
      if (!isPocketfulError(error)) throw error;
      away.push({ label: bucket.shelf.label, number, error });
    }
  return { there, away };
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
  roots: readonly string[],
  storeId: StoreId,
  buckets: readonly Numbered[],
  { onCopied }: FromStageOptions,
): Promise<CopyReport> {
  let [objects, bytes] = [0, 0];
  const told = (more: number): void => {
    objects += 1;
    bytes += more;
    onCopied?.({ objects, bytes });
  };
  const rootOf = (number: number): string => roots[number] as string;
  const identityOf = (drive: number) => ({ storeId, driveId: driveId(drive) });
  for (const { number } of buckets) await makeDriveAt(rootOf(number), identityOf(number), systemRandomness);
  const each = (copy: (bucket: StageBucket, root: string, drive: number) => Promise<void>): Promise<unknown> =>
    mapLimit(buckets, DRIVES_COPIED_AT_ONCE, (bucket) => copy(bucket, rootOf(bucket.number), bucket.number));
  await each(({ shelf }, root, drive) => copyJournal(shelf, new DirectoryShelf(root, identityOf(drive)), told));
  await each((bucket, root, drive) => copyChunks(bucket.drive, new DirectoryDrive(root, identityOf(drive)), told));
  return { objects, bytes };
}
