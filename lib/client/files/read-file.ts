// One file as the body of an object: read once, from one descriptor, to its end, with proof afterwards that it did not
// change meanwhile.
import { type BigIntStats, close, constants, fstat, open, read } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { type Clock, systemClock } from '../../foundation/clock.ts';
import { conflict, denied, invalid, missing } from '../../foundation/errors.ts';
import { isKeyFile } from '../../keys/key-file.ts';
import { FILE_STAMP_MS, IDLE_PIECES_MAX } from '../../limits/engine.ts';
import type { PutRequest } from '../face.ts';
import { metadataText } from './file-metadata.ts';
import { type FileMark, type FoundStats, isSameFile } from './same-file.ts';

const PIECE_BYTES = 1024 * 1024;

// Plain descriptors: small files are many, and a FileHandle costs half as much again per call.
const openFile = promisify(open);
const closeFile = promisify(close);
const readInto = promisify(read);
const statFile = (fd: number): Promise<BigIntStats> =>
  new Promise((resolve, reject) => {
    fstat(fd, { bigint: true }, (error, found) => (error === null ? resolve(found) : reject(error)));
  });

/** Memory of files read before: who reads a body is done with a piece when asking for the next. */
const idlePieces: Buffer[] = [];

/**
 * A put of the file at `path`, which was found to be `found`. The descriptor is opened when the body is first read, and
 * closed at its end or at an error. Body and `verify` throw `conflict` FILE_CHANGED, `missing` FILE_MISSING, `denied`
 * FILE_DENIED, and `invalid` KEY_FILE for the keys of a store.
 */
export function fileToPut(key: string, path: string, found: FoundStats, clock: Clock = systemClock): PutRequest {
  return {
    key,
    sizeBytes: Number(found.size),
    metadata: metadataText(found),
    body: () => readPieces(path, found, clock),
    verify: async () =>
      assertSame(path, found, await lstat(path, { bigint: true }).catch((error) => rethrown(path, error))),
  };
}

async function* readPieces(path: string, found: FoundStats, clock: Clock): AsyncGenerator<Uint8Array> {
  // What follows in the same tick of the file system's clock would leave no trace: it is waited for.
  if (Math.abs(clock.nowMs() - Number(found.ctimeMs)) < FILE_STAMP_MS) await clock.sleep(FILE_STAMP_MS);
  let file: number;
  try {
    // Not followed, and never waited for, whatever took the file's place since it was looked at.
    file = await openFile(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    throw rethrown(path, error);
  }
  const piece = idlePieces.pop() ?? Buffer.allocUnsafeSlow(PIECE_BYTES);
  try {
    assertSame(path, found, await statFile(file));
    // To its end, whatever its size is said to be: files that a kernel or a program makes up as they are read say 0 or
    // anything.
    for (let at = 0; ; ) {
      const { bytesRead } = await readInto(file, piece, 0, PIECE_BYTES, at);
      if (bytesRead === 0) break;
      const bytes = piece.subarray(0, bytesRead);
      if (at === 0 && isKeyFile(bytes))
        throw invalid('KEY_FILE', `${path} holds the keys of a store: keys are never kept in one, copy it elsewhere`);
      at += bytesRead;
      yield bytes;
    }
    const after = await statFile(file);
    // Without a name any more: `verify` sees whether it vanished or was replaced.
    if (after.nlink > 0n) assertSame(path, found, after);
  } catch (error) {
    throw rethrown(path, error);
  } finally {
    if (idlePieces.length < IDLE_PIECES_MAX) idlePieces.push(piece);
    await closeFile(file);
  }
}

function assertSame(path: string, before: FileMark, now: BigIntStats): void {
  if (!isSameFile(before, now)) throw changed(path);
}

const changed = (path: string): Error => conflict('FILE_CHANGED', `${path} changed while it was read`);

function rethrown(path: string, error: unknown): never {
  const code = (error as NodeJS.ErrnoException)?.code;
  if (code === 'ENOENT' || code === 'ENOTDIR') throw missing('FILE_MISSING', `${path} vanished`, error);
  if (code === 'EACCES' || code === 'EPERM') throw denied('FILE_DENIED', `no permission to read ${path}`, error);
  if (code === 'ELOOP' || code === 'ENXIO' || code === 'EISDIR') throw changed(path);
  throw error;
}
