// The thread's own program (file-readers.ts): reads the files of a batch one after the other into one piece of memory,
// which is handed over with the answer.
import { hash } from 'node:crypto';
import { closeSync, constants, fstatSync, lstatSync, openSync, readSync } from 'node:fs';
import { answerQuestions } from '../../foundation/system-threads.ts';
import type { FilesRead, FileToRead } from './file-readers.ts';
import { isSameFile } from './same-file.ts';

answerQuestions<readonly FileToRead[], FilesRead>((files) => {
  // One byte more than each is long, to see that it has no more.
  const memory = Buffer.allocUnsafeSlow(files.reduce((sum, { size }) => sum + Number(size) + 1, 0));
  let at = 0;
  const found = files.map((file) => {
    const from = at;
    at += Number(file.size) + 1;
    const room = memory.subarray(from, at);
    if (!isRead(file, room)) return undefined;
    const length = room.length - 1;
    return { at: from, length, sha256: hash('sha256', room.subarray(0, length), 'hex') };
  });
  return [{ memory: memory.buffer, found }, [memory.buffer]];
});

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
