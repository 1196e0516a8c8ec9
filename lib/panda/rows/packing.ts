// Binary attributes of rows of store format 3: integers as varints (LEB128, below 2^53), fields one after the other.
import { assert } from '../../foundation/assert.ts';
import { PACKED_BYTES_MAX } from '../../limits/panda.ts';

/** Form of such an attribute: its first byte. */
export const PACKED_FORM = 3;

export class Packer {
  #out = Buffer.allocUnsafe(256);
  #at = 0;

  byte(value: number): this {
    this.#need(1);
    this.#out[this.#at++] = value;
    return this;
  }

  varint(value: number): this {
    assert(Number.isSafeInteger(value) && value >= 0, () => `${value} is not a count`);
    this.#need(8);
    let rest = value;
    while (rest >= 0x80) {
      this.#out[this.#at++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#out[this.#at++] = rest;
    return this;
  }

  bytes(bytes: Uint8Array): this {
    this.#need(bytes.length);
    this.#out.set(bytes, this.#at);
    this.#at += bytes.length;
    return this;
  }

  hex(text: string): this {
    this.#need(text.length / 2);
    const written = this.#out.write(text, this.#at, 'hex');
    assert(2 * written === text.length, 'hexadecimal digits');
    this.#at += written;
    return this;
  }

  /** UTF-8, with its length before it. */
  text(text: string): this {
    const bytes = Buffer.from(text);
    return this.varint(bytes.length).bytes(bytes);
  }

  /** Its own memory. */
  end(): Uint8Array {
    return new Uint8Array(this.#out.subarray(0, this.#at));
  }

  #need(bytes: number): void {
    if (this.#at + bytes <= this.#out.length) return;
    const larger = Buffer.allocUnsafe(2 * (this.#at + bytes));
    larger.set(this.#out.subarray(0, this.#at));
    this.#out = larger;
  }
}

/** Every length is held against what is left; `refuse` throws. */
export class Unpacker {
  readonly #bytes: Buffer;
  readonly #refuse: (why: string) => never;
  #at = 0;

  constructor(bytes: Uint8Array, refuse: (why: string) => never, bytesMax = PACKED_BYTES_MAX) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#refuse = refuse;
    if (bytes.length > bytesMax) refuse(`has ${bytes.length} bytes`);
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  byte(): number {
    return this.#at < this.#bytes.length ? (this.#bytes[this.#at++] as number) : this.#short();
  }

  varint(): number {
    let value = 0;
    for (let factor = 1; factor <= 2 ** 49; factor *= 0x80) {
      const byte = this.byte();
      value += (byte & 0x7f) * factor;
      if (byte >= 0x80) continue;
      if (byte === 0 && factor > 1) break; // a number has one spelling
      if (Number.isSafeInteger(value)) return value;
      break;
    }
    return this.#refuse('holds what is no count');
  }

  take(length: number): Buffer {
    if (length > this.left) return this.#short();
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  /** Bytes with their length before them, to be read on their own. */
  inner(): Unpacker {
    return new Unpacker(this.take(this.varint()), this.#refuse);
  }

  text(): string {
    return this.take(this.varint()).toString();
  }

  hex(bytes: number): string {
    return this.take(bytes).toString('hex');
  }

  #short(): never {
    return this.#refuse('ends too early');
  }
}
