// The thread's own program (file-readers.ts): reads the files of a batch one after the other into the memory that comes
// with the question.
import { hash } from 'node:crypto';
import { closeSync, constants, fstatSync, lstatSync, openSync, readSync } from 'node:fs';
import type { AnswerTo } from '../../foundation/system-threads.ts';
import type { FilesFound, FilesToRead, FileToRead } from './file-readers.ts';
import { isSameFile, roomOf } from './same-file.ts';

export const answerTo: AnswerTo<FilesToRead, FilesFound> = ({ files, memory }) => {
  const all = Buffer.from(memory);
  let at = 0;
  const found = files.map((file) => {
    const from = at;
    at += roomOf(file);
    const room = all.subarray(from, at);
    if (!isRead(file, room)) return undefined;
    const length = room.length - 1;
    return { at: from, length, sha256: hash('sha256', room.subarray(0, length), 'hex') };
  });
  return [found, []];
};

/** As `readPieces` (read-file.ts) does, with the look at its name after it. Fills all but the last byte. */
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
    return (
      isSameFile(file, fstatSync(descriptor, { bigint: true })) &&
      isSameFile(file, lstatSync(file.path, { bigint: true }))
    );
  } catch {
    return false;
  } finally {
    closeSync(descriptor);
  }
}
