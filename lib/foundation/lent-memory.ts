// Memory that is lent again and again: the kernel fills what is new with zeros page by page, which takes as long as to
// encrypt what comes there, and what is garbage for a while adds up to many times what is in use. Nor does malloc give
// large pieces back once it has met some: what lies free between others is as much as what is in use.

export interface LentMemoryOptions<Memory extends ArrayBufferLike> {
  /** New memory, of whatever is there. */
  make(bytes: number): Memory;
  /** Of each piece at the least, so that one serves as well as another. */
  readonly bytesMin: number;
  /** Kept for the next who asks. */
  readonly idleBytesMax: number;
}

export class LentMemory<Memory extends ArrayBufferLike> {
  readonly #options: LentMemoryOptions<Memory>;
  /** What was used last is used next: more of it is in the cache. */
  readonly #idle: Memory[] = [];
  #idleBytes = 0;

  constructor(options: LentMemoryOptions<Memory>) {
    this.#options = options;
  }

  /** At least so many bytes, with whatever was there before. */
  take(bytes: number): Memory {
    const at = this.#idle.findLastIndex(({ byteLength }) => byteLength >= bytes);
    const [memory] = at < 0 ? [] : this.#idle.splice(at, 1);
    if (memory === undefined) return this.#options.make(Math.max(bytes, this.#options.bytesMin));
    this.#idleBytes -= memory.byteLength;
    return memory;
  }

  /** Nobody looks at it, and no thread writes to it, any more. To be called once. False: it is not kept. */
  give(memory: Memory): boolean {
    if (this.#idleBytes + memory.byteLength > this.#options.idleBytesMax) return false;
    this.#idle.push(memory);
    this.#idleBytes += memory.byteLength;
    return true;
  }
}

/** Threads look at it together. It is no part of any one's heap, so it makes no collector start either. */
export const sharedMemory = (bytes: number): SharedArrayBuffer => new SharedArrayBuffer(bytes);
