// Rows of a segment as bytes: by key, each with its image, or nothing where it is gone. A frame is some of them,
// compressed and encrypted together.
import { corrupt, type PocketfulError } from '../foundation/errors.ts';
import { ROW_IMAGE_BYTES_MAX } from '../limits/journal.ts';
import { ROW_KEY_BYTES_MAX } from '../limits/panda.ts';
import type { Key } from '../panda/panda.ts';

/** `image`: the row's value in bytes (panda/sqlite/row-form.ts); undefined: there is no such row any more. */
export interface RowImage extends Key {
  readonly image: Uint8Array | undefined;
}

export const segmentCorrupt = (why: string, cause?: unknown): PocketfulError =>
  corrupt('SEGMENT_CORRUPT', `an object of the journal cannot be read: ${why}`, cause);

/** Varints of three lengths: of the two keys, and of the longest image. */
const ROW_HEAD_BYTES = 3 * 5;
const FIRST_BYTES = 16 * 1024;

/** The bytes of some rows, one after the other in one piece of memory: there are many of them, and short. */
export class FrameBytes {
  #memory = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #length = 0;

  get byteLength(): number {
    return this.#length;
  }

  /** Varints of the lengths of partition and sort key, and of the image's plus one (0: gone); then the three. */
  add({ partition, sort, image }: RowImage): void {
    const [partitionBytes, sortBytes] = [Buffer.byteLength(partition), Buffer.byteLength(sort)];
    const imageBytes = image?.byteLength ?? 0;
    this.#makeRoom(ROW_HEAD_BYTES + partitionBytes + sortBytes + imageBytes);
    this.#varint(partitionBytes);
    this.#varint(sortBytes);
    this.#varint(image === undefined ? 0 : imageBytes + 1);
    this.#length += this.#memory.write(partition, this.#length, 'utf8');
    this.#length += this.#memory.write(sort, this.#length, 'utf8');
    if (image !== undefined) this.#memory.set(image, this.#length);
    this.#length += imageBytes;
  }

  /** What was added since it was taken last. */
  take(): Buffer {
    const taken = Buffer.from(this.#memory.subarray(0, this.#length));
    this.#length = 0;
    return taken;
  }

  #varint(value: number): void {
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.#memory[this.#length++] = (rest % 0x80) | 0x80;
    this.#memory[this.#length++] = rest;
  }

  #makeRoom(bytes: number): void {
    if (this.#length + bytes <= this.#memory.byteLength) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#length + bytes, 2 * this.#memory.byteLength));
    this.#memory.copy(larger, 0, 0, this.#length);
    this.#memory = larger;
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** All rows of a frame. Throws `corrupt` SEGMENT_CORRUPT; every length is held against what is left. */
export function* rowImagesOf(frame: Uint8Array): Generator<RowImage> {
  let at = 0;
  const number = (): number => {
    let value = 0;
    for (let factor = 1; factor <= 2 ** 28; factor *= 0x80) {
      const byte = frame[at++];
      if (byte === undefined) break;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
    throw segmentCorrupt('a length that is none');
  };
  const taken = (bytes: number): Uint8Array => {
    if (bytes > frame.byteLength - at) throw segmentCorrupt('it ends within a row');
    at += bytes;
    return frame.subarray(at - bytes, at);
  };
  const name = (bytes: number): string => {
    try {
      return utf8.decode(taken(bytes));
    } catch (cause) {
      throw segmentCorrupt('a key that is not UTF-8', cause);
    }
  };
  while (at < frame.byteLength) {
    const [partition, sort, image] = [number(), number(), number()];
    const isKey = [partition, sort].every((bytes) => bytes > 0 && bytes <= ROW_KEY_BYTES_MAX);
    if (!isKey || image > ROW_IMAGE_BYTES_MAX) throw segmentCorrupt('a row that is too long, or has no key');
    yield { partition: name(partition), sort: name(sort), image: image === 0 ? undefined : taken(image - 1) };
  }
}
