// The thread's own program (file-readers.ts): reads the files of a batch one after the other into the memory that comes
// with the question.
import { hash } from 'node:crypto';
import { closeSync, constants, fstatSync, lstatSync, openSync, readSync } from 'node:fs';
import type { AnswerTo } from '../../foundation/system-threads.ts';
import type { FilesFound, FilesToRead, FileToRead } from './file-readers.ts';
import { isSameFile, markAt, roomOf } from './same-file.ts';

export const answerTo: AnswerTo<FilesToRead, FilesFound> = ({ paths, marks, memory }) => {
  const all = Buffer.from(memory);
  let at = 0;
  const sha256 = paths.map((path, i) => {
    const file = { path, ...markAt(marks, i) };
    const room = all.subarray(at, at + roomOf(file));
    at += room.length;
    return isRead(file, room) ? hash('sha256', room.subarray(0, -1), 'hex') : '';
  });
  return [{ sha256 }, []];
};

/**
 * As `readPieces` (read-file.ts) does, with a look at its name in place of the last one at its descriptor: while that
 * is open, nothing else gets its inode. Fills all but the last byte.
 */
function isRead(file: FileToRead, room: Buffer): boolean {
  let descriptor: number;
  try {
    descriptor = openSync(file.path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return false;
  }
  try {
    if (!isSameFile(file, fstatSync(descriptor, { bigint: true }))) return false;
    let length = 0;
    for (;;) {
      const bytes = readSync(descriptor, room, length, room.length - length, length);
      length += bytes;
      if (bytes === 0) break;
      if (length === room.length) return false;
    }
    if (length !== room.length - 1) return false;
    return isSameFile(file, lstatSync(file.path, { bigint: true }));
  } catch {
    return false;
  } finally {
    closeSync(descriptor);
  }
}
