// One file as the body of an object: read once, from one descriptor, with proof at the end that it did not change meanwhile. Its
// mode and time of change go into the metadata.
import { constants, type Stats } from 'node:fs';
import { type FileHandle, lstat, open } from 'node:fs/promises';
import { conflict, denied, missing } from '../foundation/errors.ts';
import type { PutRequest } from './store.ts';

const PIECE_BYTES = 1024 * 1024;

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
  let file: FileHandle;
  try {
    // Not followed, and never waited for, whatever took the file's place since it was looked at.
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    throw rethrown(path, error);
  }
  try {
    assertSame(path, found, await file.stat());
    for (let at = 0; at < found.size; ) {
      const piece = Buffer.allocUnsafe(Math.min(PIECE_BYTES, found.size - at));
      const { bytesRead } = await file.read(piece, 0, piece.length, at);
      if (bytesRead === 0) throw changed(path);
      at += bytesRead;
      yield piece.subarray(0, bytesRead);
    }
    assertSame(path, found, await file.stat());
  } catch (error) {
    throw rethrown(path, error);
  } finally {
    await file.close();
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
