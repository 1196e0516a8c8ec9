// Attributes as bytes, for SQLite. A row is
//
//   1 byte    2, the version of the form
//   n times   an attribute, by name in ascending order
//   4 bytes   CRC-32 of partition, a zero byte, sort key, a zero byte and all bytes before, little-endian
//
// and an attribute is a byte of tag (the upper 3 bits) and length of the name (the lower 5; 31: a varint follows, of
// what is beyond 31), the name in UTF-8, and its value:
//
//   0  text     varint bytes, UTF-8              4  list   varint items, each a tag byte and a value of 0, 1, 2 or 6
//   1  number   varint                           5  set    varint members, each varint bytes and UTF-8, ascending
//   2  negative varint of what is missing to 0   6  hexadecimal text of even length from 8: varint bytes, the bytes
//   3  bytes    varint bytes, the bytes
//
// A varint is LEB128 below 2^53. Equal rows have equal bytes. The form before was JSON text (row-encoding.ts), which
// backups still have.
import { crc32 } from 'node:zlib';
import { CRC_BYTES, viewOf } from '../../format/wire.ts';
import { assert } from '../../foundation/assert.ts';
import { corrupt, type PocketfulError } from '../../foundation/errors.ts';
import { isAttributeName } from '../attributes.ts';
import type { Attribute, Attributes, Key } from '../panda.ts';

const VERSION = 2;
const TEXT = 0;
const NUMBER = 1;
const NEGATIVE = 2;
const BYTES = 3;
const LIST = 4;
const SET = 5;
const HEX = 6;
const TAG_SHIFT = 5;
const NAME_LONG = 31;
const HEX_LENGTH_MIN = 8;
const SCRATCH_BYTES = 4096;
const SHORT_TEXT = 24;

/** Grows as needed; used by one encoding at a time, which never waits. */
class Out {
  #buffer = Buffer.allocUnsafe(SCRATCH_BYTES);
  #at = 0;

  begin(): void {
    this.#at = 0;
  }

  byte(value: number): void {
    this.#need(1);
    this.#buffer[this.#at++] = value;
  }

  varint(value: number): void {
    this.#need(8);
    let rest = value;
    while (rest >= 0x80) {
      this.#buffer[this.#at++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#buffer[this.#at++] = rest;
  }

  bytes(bytes: Uint8Array): void {
    this.varint(bytes.length);
    this.#need(bytes.length);
    this.#buffer.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  text(text: string): void {
    if (text.length < SHORT_TEXT && this.#shortAscii(text)) return;
    const length = Buffer.byteLength(text);
    this.varint(length);
    this.raw(text, length);
  }

  /** Calls into the engine cost more than a few characters do. */
  #shortAscii(text: string): boolean {
    this.#need(1 + text.length);
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code >= 0x80) return false;
      this.#buffer[this.#at + 1 + i] = code;
    }
    this.#buffer[this.#at] = text.length;
    this.#at += 1 + text.length;
    return true;
  }

  /** A name of ASCII shorter than what fits its head; false otherwise. */
  shortName(name: string, tag: number): boolean {
    const head = this.#at;
    if (name.length >= NAME_LONG || !this.#shortAscii(name)) return false;
    this.#buffer[head] = (tag << TAG_SHIFT) | name.length;
    return true;
  }

  raw(text: string, length: number): void {
    this.#need(length);
    this.#at += this.#buffer.write(text, this.#at, 'utf8');
  }

  hex(text: string): void {
    this.varint(text.length / 2);
    this.#need(text.length / 2);
    this.#at += this.#buffer.write(text, this.#at, 'hex');
  }

  /** A copy with the checksum behind it. */
  end(key: Key): Uint8Array {
    this.#need(CRC_BYTES);
    this.#buffer.writeUInt32LE(checksum(key, this.#buffer.subarray(0, this.#at)), this.#at);
    return new Uint8Array(this.#buffer.subarray(0, this.#at + CRC_BYTES));
  }

  #need(bytes: number): void {
    if (this.#at + bytes <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(2 * (this.#at + bytes));
    larger.set(this.#buffer.subarray(0, this.#at));
    this.#buffer = larger;
  }
}

const checksum = ({ partition, sort }: Key, bytes: Uint8Array): number =>
  crc32(bytes, crc32(`${sort}\0`, partitionChecksum(partition)));

/** Of the partition that was asked about last: rows come page by page. */
let lastPartition = { partition: '', crc: crc32('\0') };

function partitionChecksum(partition: string): number {
  if (lastPartition.partition !== partition) lastPartition = { partition, crc: crc32(`${partition}\0`) };
  return lastPartition.crc;
}

const out = new Out();

/** `attributes` must be allowed ones (attributes.ts). */
export function rowBytesOf(key: Key, attributes: Attributes): Uint8Array {
  out.begin();
  out.byte(VERSION);
  for (const name of Object.keys(attributes).sort()) {
    const value = attributes[name] as Attribute;
    const tag = tagOf(value);
    if (tag === SET && (value as ReadonlySet<string>).size === 0) continue;
    writeName(name, tag);
    writeValue(value, tag);
  }
  return out.end(key);
}

function tagOf(value: Attribute): number {
  if (typeof value === 'string') return isHex(value) ? HEX : TEXT;
  if (typeof value === 'number') return value < 0 ? NEGATIVE : NUMBER;
  if (value instanceof Uint8Array) return BYTES;
  return Array.isArray(value) ? LIST : SET;
}

function isHex(text: string): boolean {
  if (text.length < HEX_LENGTH_MIN || text.length % 2 !== 0) return false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (!((code >= 0x30 && code <= 0x39) || (code >= 0x61 && code <= 0x66))) return false;
  }
  return true;
}

function writeName(name: string, tag: number): void {
  if (out.shortName(name, tag)) return;
  const length = Buffer.byteLength(name);
  out.byte((tag << TAG_SHIFT) | Math.min(length, NAME_LONG));
  if (length >= NAME_LONG) out.varint(length - NAME_LONG);
  out.raw(name, length);
}

function writeValue(value: Attribute, tag: number): void {
  if (tag === TEXT) out.text(value as string);
  else if (tag === HEX) out.hex(value as string);
  else if (tag === NUMBER || tag === NEGATIVE) out.varint(Math.abs(value as number));
  else if (tag === BYTES) out.bytes(value as Uint8Array);
  else if (tag === LIST) {
    const items = value as readonly (string | number)[];
    out.varint(items.length);
    for (const item of items) {
      const itemTag = tagOf(item);
      out.byte(itemTag);
      writeValue(item, itemTag);
    }
  } else {
    assert(tag === SET, 'a tag of an attribute');
    const members = [...(value as ReadonlySet<string>)].sort();
    out.varint(members.length);
    for (const member of members) out.text(member);
  }
}

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
