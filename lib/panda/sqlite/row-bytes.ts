// Writes attributes as bytes, in the form that row-form.ts describes. Equal rows have equal bytes.
import { CRC_BYTES } from '../../format/wire.ts';
import { assert } from '../../foundation/assert.ts';
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

const HEX_LENGTH_MIN = 8;
const SCRATCH_BYTES = 4096;

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
