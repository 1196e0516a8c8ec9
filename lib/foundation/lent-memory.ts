// Memory that threads of this process look at together, lent again and again: the kernel fills what is new with zeros
// page by page, which takes as long as to encrypt what comes there, and what is garbage for a while adds up to many
// times what is in use. It is no part of any thread's heap, so it makes no collector start either.

export interface LentMemoryOptions {
  /** Of each piece at the least, so that one serves as well as another. */
  readonly bytesMin: number;
  /** Kept for the next who asks. */
  readonly idleBytesMax: number;
}

export class LentMemory {
  readonly #options: LentMemoryOptions;
  /** What was used last is used next: more of it is in the cache. */
  readonly #idle: SharedArrayBuffer[] = [];
  #idleBytes = 0;

  constructor(options: LentMemoryOptions) {
    this.#options = options;
  }

  /** At least so many bytes, with whatever was there before. */
  take(bytes: number): SharedArrayBuffer {
    const at = this.#idle.findLastIndex(({ byteLength }) => byteLength >= bytes);
    const [memory] = at < 0 ? [] : this.#idle.splice(at, 1);
    if (memory === undefined) return new SharedArrayBuffer(Math.max(bytes, this.#options.bytesMin));
    this.#idleBytes -= memory.byteLength;
    return memory;
  }

  /** Nobody looks at it, and no thread writes to it, any more. To be called once. */
  give(memory: SharedArrayBuffer): void {
    if (this.#idleBytes + memory.byteLength > this.#options.idleBytesMax) return;
    this.#idle.push(memory);
    this.#idleBytes += memory.byteLength;
  }
}
