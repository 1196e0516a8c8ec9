// What an error of SQLite means to a caller of Panda. SQLite's own result codes are the only source; its texts are not.
import { corrupt, denied, invalid, type PocketfulError, retryLater, unknownOutcome } from '../../foundation/errors.ts';

/** A statement that cannot be: of a file whose version is known, its description of itself is damaged. */
export const LOGIC_ERROR = 1;
const BUSY = 5;
const LOCKED = 6;
const READ_ONLY = 8;
const IO_ERROR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANNOT_OPEN = 14;
const PERMISSION = 3;
const AUTHORIZATION = 23;
const PROTOCOL = 15; // too many processes open the log at the same moment
const NOT_A_DATABASE = 26;
const NO_MEMORY = 7;
const PRIMARY = 0xff; // extended result codes have the primary one in their low byte
/**
 * Extended codes of I/O errors that no second try mends: a file that ends too early, a page or a file system that is
 * damaged.
 */
const DAMAGED_IO: ReadonlySet<number> = new Set([522, 8202, 8458]); // IOERR_SHORT_READ, IOERR_DATA, IOERR_CORRUPTFS

/** Waiting does not help against it: nothing sends such a transaction again by itself. */
export const pandaFull = (path: string, cause?: unknown): PocketfulError =>
  retryLater('PANDA_FULL', `no space left on the disk of the metadata file ${path}: make some, and try again`, cause);

/** No room for the file, its log, or (an I/O error to SQLite) the index of its log. */
export function isFull(error: unknown, hasRoom: () => boolean): boolean {
  const code = sqliteCode(error);
  return code === FULL || (code === IO_ERROR && !hasRoom());
}

/** The primary result code, or undefined if the error is not SQLite's. What means a damaged file is CORRUPT. */
export function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined;
  return DAMAGED_IO.has(error.errcode) ? CORRUPT : error.errcode & PRIMARY;
}

export const isDamage = (error: unknown): boolean => {
  const code = sqliteCode(error);
  return code === CORRUPT || code === NOT_A_DATABASE;
};

/** The metadata file is damaged: nothing is written to it any more, and what helps is said. */
export const pandaCorrupt = (path: string, cause?: unknown): PocketfulError =>
  corrupt(
    'PANDA_CORRUPT',
    `the metadata file ${path} is damaged: move it away, then run pocketful restore with a backup (--rebuild, if the store was used after it)`,
    cause,
  );

export const isBusy = (error: unknown): boolean => {
  const code = sqliteCode(error);
  return code === BUSY || code === LOCKED || code === PROTOCOL;
};

/** Nothing was written, or it was rolled back. Errors that are not SQLite's come back as they are. */
export function sqliteError(error: unknown, path: string): unknown {
  const code = sqliteCode(error);
  if (code === undefined) return error;
  return known(code, path, error) ?? invalid('PANDA_SQLITE', `the metadata file ${path}: SQLite error ${code}`, error);
}

function known(code: number, path: string, cause: unknown): PocketfulError | undefined {
  switch (code) {
    case BUSY:
    case LOCKED:
    case PROTOCOL:
      return retryLater('PANDA_BUSY', `the metadata file ${path} is in use by another process`, cause);
    case FULL:
      return pandaFull(path, cause);
    case IO_ERROR:
    case NO_MEMORY:
      return retryLater('PANDA_BUSY', `the metadata file ${path} cannot be read or written now`, cause);
    case CORRUPT:
    case NOT_A_DATABASE:
      return pandaCorrupt(path, cause);
    case READ_ONLY:
    case PERMISSION:
    case AUTHORIZATION:
    case CANNOT_OPEN:
      return denied('PANDA_DENIED', `no permission to open or write the metadata file ${path}`, cause);
    default:
      return undefined;
  }
}

/**
 * After a COMMIT that failed, and the rollback after it. With an I/O error the frames may have reached the log although
 * the fsync failed: after a crash they might be found. Any other failure leaves an incomplete log, which is nothing.
 */
export function commitError(error: unknown, path: string, rolledBack: boolean): unknown {
  const code = sqliteCode(error);
  if (code === undefined) return error;
  if (rolledBack && code !== IO_ERROR) return sqliteError(error, path);
  return unknownOutcome('PANDA_UNKNOWN', `writing the metadata file ${path} failed half-way`, error);
}
