// The few file-system calls of the directory drive. They use plain descriptors: a FileHandle costs about half as much
// again in CPU per call. Also what makes new names durable: fsync of folders, shared by all who wait for the same one.
// A descriptor that was only read from, or whose file is synced, is closed in place: nothing is left to be written, and
// the way to a thread and back costs more than the call.
import * as fs from 'node:fs';
import { promisify } from 'node:util';
import { TRUSTED_RANGE_BYTES_MAX, WRITE_BYTES_MAX } from '../limits/bytes.ts';

export const openFile = promisify(fs.open);
export const closeFile = promisify(fs.close);
export const syncFile = promisify(fs.fsync);
export const linkFile = promisify(fs.link);
export const renameFile = promisify(fs.rename);
export const unlinkFile = promisify(fs.unlink);
export const makeFolder = promisify(fs.mkdir);
export const removeFolder = promisify(fs.rmdir);
export const readFolder = promisify(fs.readdir);
export const statPath = promisify(fs.stat);
const readInto = promisify(fs.read);
const writeVector = promisify(fs.writev);
const statFile = promisify(fs.fstat);

export const errnoOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;

/**
 * Writes a new file and fsyncs it; on any failure nothing is left under `path`. An existing file is EEXIST and left
 * alone.
 */
export async function writeDurably(path: string, parts: readonly Uint8Array[], signal?: AbortSignal): Promise<void> {
  const fd = await openFile(path, 'wx');
  let done = false;
  try {
    await writeAll(fd, parts);
    signal?.throwIfAborted();
    await syncFile(fd);
    done = true;
  } finally {
    fs.closeSync(fd);
    if (!done) await unlinkFile(path).catch(() => undefined);
  }
}

async function writeAll(fd: number, parts: readonly Uint8Array[]): Promise<void> {
  for (const together of writesOf(parts, WRITE_BYTES_MAX))
    for (let rest = together; rest.length > 0; ) {
      const { bytesWritten } = await writeVector(fd, rest);
      rest = restOf(rest, bytesWritten);
    }
}

/** The same bytes, so many in each but the last. */
export function* writesOf(parts: readonly Uint8Array[], bytesMax: number): Generator<readonly Uint8Array[]> {
  let together: Uint8Array[] = [];
  let bytes = 0;
  for (const part of parts)
    for (let at = 0; at < part.byteLength; ) {
      const piece = part.subarray(at, at + bytesMax - bytes);
      together.push(piece);
      at += piece.byteLength;
      bytes += piece.byteLength;
      if (bytes < bytesMax) continue;
      yield together;
      together = [];
      bytes = 0;
    }
  if (bytes > 0) yield together;
}

/** What follows the first so many bytes. */
export function restOf(parts: readonly Uint8Array[], bytes: number): readonly Uint8Array[] {
  let left = bytes;
  for (const [i, part] of parts.entries()) {
    if (left < part.byteLength) return [part.subarray(left), ...parts.slice(i + 1)];
    left -= part.byteLength;
  }
  return [];
}

/** The bytes of a file from `offset`, at most `length` of them. */
export async function readFileRange(path: string, offset = 0, length?: number): Promise<Uint8Array> {
  const fd = await openFile(path, 'r');
  try {
    let wanted = length;
    if (wanted === undefined || wanted > TRUSTED_RANGE_BYTES_MAX) {
      const { size } = await statFile(fd);
      wanted = Math.max(0, Math.min(wanted ?? size, size - offset));
    }
    const buffer = Buffer.allocUnsafeSlow(wanted);
    let filled = 0;
    while (filled < wanted) {
      const { bytesRead } = await readInto(fd, buffer, filled, wanted - filled, offset + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return filled === wanted ? buffer : Buffer.from(buffer.subarray(0, filled));
  } finally {
    fs.closeSync(fd);
  }
}

/** Fsyncs folders. A call that finds one under way waits for the next, which serves all who came meanwhile. */
export class FolderSync {
  readonly #running = new Map<string, Promise<void>>();
  readonly #next = new Map<string, Promise<void>>();

  /** Resolves once an fsync of `folder` that began after this call is done. */
  sync(folder: string): Promise<void> {
    const running = this.#running.get(folder);
    if (running === undefined) return this.#start(folder);
    let next = this.#next.get(folder);
    if (next === undefined) {
      const begin = (): Promise<void> => {
        this.#next.delete(folder);
        return this.#start(folder);
      };
      next = running.then(begin, begin);
      this.#next.set(folder, next);
    }
    return next;
  }

  #start(folder: string): Promise<void> {
    const running = syncFolder(folder).finally(() => this.#running.delete(folder));
    this.#running.set(folder, running);
    return running;
  }
}

/** Some file systems and network shares know no fsync of a folder: there is nothing more to be done. */
const NO_FOLDER_SYNC = new Set(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);

export async function syncFolder(folder: string): Promise<void> {
  const fd = await openFile(folder, 'r');
  try {
    await syncFile(fd);
  } catch (error) {
    if (!NO_FOLDER_SYNC.has(errnoOf(error) ?? '')) throw error;
  } finally {
    fs.closeSync(fd);
  }
}
