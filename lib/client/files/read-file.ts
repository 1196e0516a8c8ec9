// One file as the body of an object: read once, from one descriptor, with proof at the end that it did not change meanwhile. Its
// mode and time of change go into the metadata.
import { close, constants, fstat, open, read, type Stats } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { conflict, denied, missing } from '../../foundation/errors.ts';
import type { PutRequest } from '../face.ts';

const PIECE_BYTES = 1024 * 1024;
/** Files that are read at once at the most, without pieces being allocated anew. */
const IDLE_PIECES_MAX = 8;

// Plain descriptors: small files are many, and a FileHandle costs half as much again per call.
const openFile = promisify(open);
const closeFile = promisify(close);
const statFile = promisify(fstat);
const readInto = promisify(read);

/** Memory of files read before: who reads a body is done with a piece when asking for the next. */
const idlePieces: Buffer[] = [];

export interface FileMetadata {
  readonly mode?: number;
  readonly mtimeMs?: number;
}

/** A put of the file at `path`. The descriptor is opened when the body is first read, and closed by `verify` or at an error. */
export function fileToPut(key: string, path: string, found: Stats): PutRequest {
  const { size, mode, mtimeMs } = found;
  const metadata: FileMetadata = { mode: mode & 0o777, mtimeMs: Math.trunc(mtimeMs) };
  return {
    key,
    sizeBytes: size,
    metadata: JSON.stringify(metadata),
    body: () => readPieces(path, found),
    verify: async () => assertSame(path, found, await lstat(path).catch((error) => rethrown(path, error))),
  };
}

async function* readPieces(path: string, found: Stats): AsyncGenerator<Uint8Array> {
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
    for (let at = 0; at < found.size; ) {
      const { bytesRead } = await readInto(file, piece, 0, Math.min(PIECE_BYTES, found.size - at), at);
      if (bytesRead === 0) throw changed(path);
      at += bytesRead;
      yield piece.subarray(0, bytesRead);
    }
    assertSame(path, found, await statFile(file));
  } catch (error) {
    throw rethrown(path, error);
  } finally {
    if (idlePieces.length < IDLE_PIECES_MAX) idlePieces.push(piece);
    await closeFile(file);
  }
}

function assertSame(path: string, before: Stats, now: Stats): void {
  const same =
    before.ino === now.ino && before.dev === now.dev && before.size === now.size && before.mtimeMs === now.mtimeMs;
  if (!same) throw changed(path);
}

const changed = (path: string): Error => conflict('FILE_CHANGED', `${path} changed while it was read`);

function rethrown(path: string, error: unknown): never {
  const code = (error as NodeJS.ErrnoException)?.code;
  if (code === 'ENOENT' || code === 'ENOTDIR') throw missing('FILE_MISSING', `${path} vanished`, error);
  if (code === 'EACCES' || code === 'EPERM') throw denied('FILE_DENIED', `no permission to read ${path}`, error);
  if (code === 'ELOOP' || code === 'ENXIO') throw changed(path);
  throw error;
}

/** What fileToPut wrote, if the metadata is that; anything else is somebody's own. */
export function fileMetadataOf(metadata: string | undefined): FileMetadata {
  if (metadata === undefined) return {};
  try {
    const parsed: unknown = JSON.parse(metadata);
    if (typeof parsed !== 'object' || parsed === null) return {};
    const { mode, mtimeMs } = parsed as Record<string, unknown>;
    return {
      ...(Number.isInteger(mode) ? { mode: (mode as number) & 0o777 } : {}),
      ...(Number.isSafeInteger(mtimeMs) ? { mtimeMs: mtimeMs as number } : {}),
    };
  } catch {
    return {};
  }
}
