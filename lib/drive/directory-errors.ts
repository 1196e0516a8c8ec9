// What an errno of the file system means to the callers of a directory drive.
import { isPocketfulError } from '../foundation/errors.ts';
import { driveBusy, driveDenied, driveFull, driveReadOnly, driveUnavailable } from './errors.ts';
import { errnoOf, readFolder } from './files.ts';

const UNAVAILABLE = new Set(['ENODEV', 'ENXIO', 'ENOTCONN', 'EHOSTDOWN', 'EHOSTUNREACH', 'ESTALE', 'ESHUTDOWN']);

/**
 * The drive error for whatever a file-system call threw. What is not an errno (an abort, an assertion) is passed on.
 */
export function directoryError(label: string, error: unknown): unknown {
  const errno = errnoOf(error);
  if (errno === undefined || isPocketfulError(error) || !(error instanceof Error) || !('syscall' in error))
    return error;
  switch (errno) {
    case 'ENOSPC':
    case 'EDQUOT':
      return driveFull(label, error);
    case 'EROFS':
      return driveReadOnly(label, error);
    case 'EACCES':
    case 'EPERM':
      return driveDenied(label, error);
  }
  if (UNAVAILABLE.has(errno)) return driveUnavailable(label, `cannot be reached (${errno})`, error);
  return driveBusy(label, `the file system answered ${errno}`, error);
}

/** True if the errno says that a path is not there: the drive's root has to be looked at to know what that means. */
export function isAbsence(error: unknown): boolean {
  const errno = errnoOf(error);
  return errno === 'ENOENT' || errno === 'ENOTDIR';
}

export const isPresence = (error: unknown): boolean => errnoOf(error) === 'EEXIST';

export async function ignoring(which: (error: unknown) => boolean, call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!which(error)) throw error;
  }
}

/** Names in a folder of a drive; none if it is not there. */
export async function namesIn(label: string, folder: string): Promise<string[]> {
  try {
    return await readFolder(folder);
  } catch (error) {
    if (isAbsence(error)) return [];
    throw directoryError(label, error);
  }
}
