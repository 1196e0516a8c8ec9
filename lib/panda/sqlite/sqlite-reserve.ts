// A file that only keeps room: SQLite needs some even to delete, as every change is first written beside the rows and
// deleted rows are overwritten. When the disk is full, what frees space takes this room; whoever writes next makes the
// file whole again before anything new is stored.
import { closeSync, constants, fsyncSync, ftruncateSync, openSync, statfsSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

const WRITE_BYTES = 1024 * 1024;
/** So much is left to those who only read. */
const LEFT_BYTES = 128 * 1024;
const NO_ROOM: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT']);

/** `failed`: for another reason than room, such as a read-only disk; that is for whoever writes to say. */
export type ReserveState = 'whole' | 'no room' | 'failed';

export class SqliteReserve {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** Free bytes of the disk it is on, as for somebody without privileges; unlimited if that cannot be asked. */
  freeBytes(): number {
    try {
      const { bavail, bsize } = statfsSync(dirname(this.#path));
      return bavail * bsize;
    } catch {
      return Number.POSITIVE_INFINITY;
    }
  }

  /** Gives back so much of it, or all; false if nothing was left to give. */
  release(bytes = Number.POSITIVE_INFINITY): boolean {
    const size = this.sizeBytes();
    if (size === 0) return false;
    try {
      this.#changed((fd) => ftruncateSync(fd, Math.max(0, size - bytes)));
      return true;
    } catch {
      return false;
    }
  }

  /** Makes it whole where as much stays free besides. Two processes may do so at once. */
  restore(bytes: number): ReserveState {
    const size = this.sizeBytes();
    if (size >= bytes) return 'whole';
    if (this.freeBytes() < 2 * bytes - size) return 'no room';
    try {
      this.#changed((fd) => fill(fd, size, bytes));
      return 'whole';
    } catch (error) {
      const isFull = NO_ROOM.has((error as NodeJS.ErrnoException).code);
      if (isFull) this.release(this.sizeBytes() - size);
      return isFull ? 'no room' : 'failed';
    }
  }

  /** After it was used: as much of it again as there is room for, so that it is there the next time. */
  regrow(bytes: number): void {
    const size = this.sizeBytes();
    const to = Math.min(bytes, size + this.freeBytes() - LEFT_BYTES);
    if (to <= size) return;
    try {
      this.#changed((fd) => fill(fd, size, to));
    } catch {
      // Somebody else took the room: it is as large as it got.
    }
  }

  #changed(change: (fd: number) => void): void {
    const fd = openSync(this.#path, constants.O_RDWR | constants.O_CREAT, 0o600);
    try {
      change(fd);
    } finally {
      closeSync(fd);
    }
  }

  sizeBytes(): number {
    try {
      return statSync(this.#path).size;
    } catch {
      return 0;
    }
  }
}

/** With bytes that no file system stores as a hole or compresses away. */
function fill(fd: number, from: number, to: number): void {
  const block = new Uint8Array(WRITE_BYTES);
  let state = 1;
  for (let i = 0; i < block.length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    block[i] = state >>> 24;
  }
  for (let at = from; at < to; ) at += writeSync(fd, block, 0, Math.min(WRITE_BYTES, to - at), at);
  fsyncSync(fd);
}
