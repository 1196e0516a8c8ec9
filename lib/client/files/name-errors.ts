// What is wrong with a path that an object is written to, in words that help.
import { lstat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { conflict, denied, invalid, isPocketfulError, missing } from '../../foundation/errors.ts';

export const exists = (path: string): Error =>
  conflict('FILE_EXISTS', `${path} is there already, with other content: say --overwrite to replace it`);
export const isFolder = (path: string): Error =>
  invalid('NAME_IS_FOLDER', `${path} is a directory: no file can have that name`);

/** The error to be told of, for whatever a call on `path` threw. */
export async function namedError(error: unknown, path: string): Promise<unknown> {
  if (isPocketfulError(error)) return error;
  switch ((error as NodeJS.ErrnoException)?.code) {
    case 'EEXIST':
    case 'EISDIR':
    case 'ENOTEMPTY':
      // Another object of the same get may have made a folder of it meanwhile.
      return (await isDirectory(path)) ? isFolder(path) : exists(path);
    case 'ENOTDIR':
      return conflict('FILE_EXISTS', `${path} needs a folder where there is a file`, error);
    case 'ENOENT':
      return missing('FOLDER_MISSING', `the folder ${dirname(path)} is not there`, error);
    case 'ENAMETOOLONG':
    case 'EINVAL':
    case 'EILSEQ':
      return unfit(path, error);
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return denied('FILE_DENIED', `no permission to write in ${dirname(path)}`, error);
    default:
      return error;
  }
}

const unfit = (path: string, cause: unknown): Error =>
  invalid(
    'NAME_UNFIT',
    `the file system takes no such name (too long, or characters it has no room for): ${path}; get the object alone into a file of another name`,
    cause,
  );

const isDirectory = (path: string): Promise<boolean> =>
  lstat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
