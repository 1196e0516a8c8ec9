// A file that a command writes for its user (a backup, a report): whole or not at all, on the disk before it has its
// name, and never over a file that is there unless told. What a killed process left half written goes when the next
// file is written there.
import { type FileHandle, lstat, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { conflict, denied, invalid, isPocketfulError, missing } from '../foundation/errors.ts';
import { nameNew } from './file-naming.ts';
import { errnoOf, syncFolder } from './files.ts';
import { WRITER_TAG, writerOf } from './writer-tag.ts';

export interface OutputOptions {
  readonly overwrite?: boolean | undefined;
  /** Rights of the new file, less what the umask takes. */
  readonly mode?: number;
}

const PREFIX = '.pocketful-';
const SUFFIX = '.part';

let outputs = 0;

/** To be asked before long work whose result goes there. Throws `conflict` FILE_EXISTS, `invalid` FILE_IS_FOLDER. */
export async function assertWritable(path: string, { overwrite = false }: OutputOptions = {}): Promise<void> {
  try {
    const found = await lstat(path);
    if (found.isDirectory()) throw invalid('FILE_IS_FOLDER', `${path} is a directory`);
    if (!overwrite) throw exists(path);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw outputError(path, error);
  }
}

/**
 * Calls `fill` with an empty file beside `path`, which then gets the name. Throws as assertWritable, and what `fill`
 * throws.
 */
export async function writeOutput<T>(
  path: string,
  options: OutputOptions,
  fill: (file: FileHandle) => Promise<T>,
): Promise<T> {
  await assertWritable(path, options);
  const folder = dirname(path);
  await sweepOutputs(folder);
  const temporary = temporaryOutput(folder);
  try {
    const file = await open(temporary, 'wx', options.mode ?? 0o666);
    let result: T;
    try {
      result = await fill(file);
      await file.sync();
    } finally {
      await file.close();
    }
    if (options.overwrite) await rename(temporary, path);
    else await nameNew(temporary, path);
    await syncFolder(folder);
    return result;
  } catch (error) {
    await rm(temporary, { force: true });
    throw outputError(path, error);
  }
}

/** Where a file for `folder` is written before it gets its name. */
export const temporaryOutput = (folder: string): string => join(folder, `${PREFIX}${WRITER_TAG}-${outputs++}${SUFFIX}`);

/** Removes what processes that are gone were writing. Nothing here may keep a command from its work. */
export async function sweepOutputs(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    if (!name.startsWith(PREFIX) || !name.endsWith(SUFFIX)) continue;
    if (writerOf(name.slice(PREFIX.length)) === 'dead') await rm(join(folder, name), { force: true }).catch(() => {});
  }
}

const exists = (path: string, cause?: unknown): Error =>
  conflict('FILE_EXISTS', `${path} is there already: say --overwrite to replace it`, cause);

function outputError(path: string, error: unknown): unknown {
  if (isPocketfulError(error)) return error;
  switch (errnoOf(error)) {
    case 'EEXIST':
      return exists(path, error);
    case 'EISDIR':
      return invalid('FILE_IS_FOLDER', `${path} is a directory`, error);
    case 'ENOENT':
    case 'ENOTDIR':
      return missing('FOLDER_MISSING', `the folder ${dirname(path)} is not there`, error);
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return denied('FILE_DENIED', `no permission to write ${path}`, error);
    default:
      return error;
  }
}
