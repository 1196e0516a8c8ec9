// Reads attributes out of bytes that row-bytes.ts made, in the form that row-form.ts describes: all of it is held
// against the checksum, and every length against what is left.
import { CRC_BYTES, viewOf } from '../../format/wire.ts';
import { corrupt, type PocketfulError } from '../../foundation/errors.ts';
import { isAttributeName } from '../attributes.ts';
import type { Attribute, Attributes, Key } from '../panda.ts';
import {
  BYTES,
  checksum,
  HEX,
  LIST,
  NAME_LONG,
  NEGATIVE,
  NUMBER,
  SET,
  SHORT_TEXT,
  TAG_SHIFT,
  TEXT,
  VERSION,
} from './row-form.ts';

const malformed = (why: string): PocketfulError => corrupt('ROW_MALFORMED', `a stored row is damaged: ${why}`);

/** Every length is held against what is left before anything is read by it. */
class In {
  readonly #buffer: Buffer;
  #at = 1;

  constructor(bytes: Buffer) {
    this.#buffer = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#buffer.length;
  }

  byte(): number {
    if (this.#at >= this.#buffer.length) throw malformed('it ends too early');
    return this.#buffer[this.#at++] as number;
  }

  varint(): number {
    let value = 0;
    for (let factor = 1; factor <= 2 ** 49; factor *= 0x80) {
      const byte = this.byte();
      value += (byte & 0x7f) * factor;
      if (byte >= 0x80) continue;
      if (!Number.isSafeInteger(value)) break;
      return value;
    }
    throw malformed('a number that is too large');
  }

  /** Items that have a byte each at least. */
  count(): number {
    const count = this.varint();
    if (count > this.#buffer.length - this.#at) throw malformed('it ends too early');
    return count;
  }

  slice(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#buffer.length) throw malformed('it ends too early');
    const bytes = this.#buffer.subarray(this.#at, end);
    this.#at = end;
    return bytes;
  }

  text(length = this.varint()): string {
    if (length < SHORT_TEXT && length <= this.#buffer.length - this.#at) {
      let text = '';
      for (let i = 0; i < length; i++) {
        const byte = this.#buffer[this.#at + i] as number;
        if (byte >= 0x80) return decodedText(this.slice(length));
        text += String.fromCharCode(byte);
      }
      this.#at += length;
      return text;
    }
    return decodedText(this.slice(length));
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decodedText(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw malformed('a text that is not UTF-8');
  }
}

/** What is between version and checksum, which fit. Throws `corrupt` ROW_MALFORMED. */
export function soundRowBytes(key: Key, bytes: Uint8Array): Buffer {
  const end = bytes.length - CRC_BYTES;
  if (end < 1) throw malformed('it is too short');
  const view = viewOf(bytes);
  const body = view.subarray(0, end);
  if (view.readUInt32LE(end) !== checksum(key, body)) throw malformed('its checksum is wrong');
  if (bytes[0] !== VERSION) throw malformed(`version ${bytes[0]} is not known`);
  return body;
}

/**
 * The attributes of bytes made by rowBytesOf for that key; of `only`, those, and what is bytes as a part of `bytes`.
 * Throws `corrupt` ROW_MALFORMED for anything else.
 */
export function attributesOfBytes(key: Key, bytes: Uint8Array, only?: ReadonlySet<string>): Attributes {
  const read = new In(soundRowBytes(key, bytes));
  const attributes: Record<string, Attribute> = {};
  let before = '';
  while (!read.isAtEnd) {
    const head = read.byte();
    const short = head & NAME_LONG;
    const name = read.text(short === NAME_LONG ? NAME_LONG + read.varint() : short);
    if (name <= before || !(isLetter(name) || isAttributeName(name)))
      throw malformed('an attribute name that cannot be');
    const tag = head >> TAG_SHIFT;
    if (only === undefined) attributes[name] = readValue(read, tag);
    else if (tag === BYTES) {
      const part = read.slice(read.varint());
      if (only.has(name)) attributes[name] = part;
    } else {
      const value = readValue(read, tag);
      if (only.has(name)) attributes[name] = value;
    }
    before = name;
  }
  return attributes;
}

/** Most names are one letter, and need no closer look. */
const isLetter = (name: string): boolean => name.length === 1 && name >= 'a' && name <= 'z';

function readValue(read: In, tag: number): Attribute {
  if (tag === BYTES) return new Uint8Array(read.slice(read.varint()));
  if (tag === LIST) return Array.from({ length: read.count() }, () => readScalar(read, read.byte()));
  if (tag !== SET) return readScalar(read, tag);
  const count = read.count();
  const members = new Set<string>();
  for (let i = 0; i < count; i++) members.add(read.text());
  if (count === 0 || members.size !== count || members.has('')) throw malformed('a set that cannot be');
  return members;
}

function readScalar(read: In, tag: number): string | number {
  if (tag === TEXT) return read.text();
  if (tag === HEX) {
    const length = read.varint();
    return read.slice(length).toString('hex');
  }
  if (tag === NUMBER) return read.varint();
  if (tag === NEGATIVE) return -read.varint() + 0;
  throw malformed('an attribute of no known type');
}
