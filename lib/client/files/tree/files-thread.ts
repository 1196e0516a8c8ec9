// The program of a thread that opens records and writes their plaintext into files, each under a temporary name at
// first. Its calls wait: a thread that does nothing else gains nothing by not waiting, and each call costs a tenth so.
import { hash } from 'node:crypto';
import * as fs from 'node:fs';
import type { AnswerTo } from '../../../foundation/system-threads.ts';
import { openBlock } from '../../../keys/envelope.ts';
import { runsOfData } from '../write-sparsely.ts';
import type { ComparedFile, Done, NewName, Order, SealedFile } from './write-orders.ts';

export const answerTo: AnswerTo<Order, Done> = (order) => [doneBy(order), []];

function doneBy(order: Order): Done {
  const isPlain = plainFolders();
  if (order.what === 'compare') return order.files.map((file) => isSame(file, isPlain));
  if (order.what === 'name')
    return order.names.map((name) =>
      attempt(name.temporary, () => isPlain(name.folder) && named(name, order.overwrite)),
    );
  const { bytes, files } = order;
  return files.map((file) => attempt(file.temporary, () => isPlain(file.folder) && written(file, bytes)));
}

/** False, and nothing left of the file, if it went wrong in whatever way. */
function attempt(temporary: string, work: () => boolean): boolean {
  try {
    if (work()) return true;
  } catch {
    // what is wrong is said by the other way, on which the file is tried again
  }
  try {
    fs.unlinkSync(temporary);
  } catch {
    // it was not there
  }
  return false;
}

/** A link is no file that is as it should be, wherever it leads. */
function isSame({ folder, path, sizeBytes, sha256 }: ComparedFile, isPlain: (folder: string) => boolean): boolean {
  let fd: number | undefined;
  try {
    if (!isPlain(folder)) return false;
    fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK);
    const found = fs.fstatSync(fd);
    return found.isFile() && found.size === sizeBytes && hash('sha256', fs.readFileSync(fd), 'hex') === sha256;
  } catch {
    return false;
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}

/** Asks once an order: somebody may have put a link in the place of a folder since it was looked at. */
function plainFolders(): (folder: string) => boolean {
  const known = new Map<string, boolean>();
  return (folder) => {
    let isPlain = known.get(folder);
    if (isPlain === undefined) {
      isPlain = fs.realpathSync.native(folder) === folder;
      known.set(folder, isPlain);
    }
    return isPlain;
  };
}

function written(file: SealedFile, bytes: Uint8Array): boolean {
  const record = bytes.subarray(file.offset, file.offset + file.length);
  const { recordId, blockId } = file;
  const plaintext = openBlock(record, file.wrappedBek, file.kek, { recordId, blockId });
  const fd = fs.openSync(file.temporary, 'wx', file.mode);
  try {
    let end = 0;
    for (const run of runsOfData(plaintext, 0)) {
      for (let at = run.start; at < run.end; ) at += fs.writeSync(fd, plaintext, at, run.end - at, at);
      end = run.end;
    }
    if (end < plaintext.length) fs.ftruncateSync(fd, plaintext.length);
    if (file.isMasked) fs.fchmodSync(fd, file.mode);
  } finally {
    fs.closeSync(fd);
  }
  return true;
}

function named({ temporary, path }: NewName, overwrite: boolean): boolean {
  if (overwrite) fs.renameSync(temporary, path);
  else {
    fs.linkSync(temporary, path);
    fs.unlinkSync(temporary);
  }
  return true;
}
