// What every body knows of attributes: which are allowed (anything else is a programmer error), how large a row counts,
// and copies that no caller can reach. Empty sets do not exist: they vanish here.
import { assert } from '../foundation/assert.ts';
import { ATTRIBUTE_NAME_BYTES_MAX, ROW_BYTES_MAX, ROW_KEY_BYTES_MAX } from '../limits/panda.ts';
import type { Attribute, Attributes, Key } from './panda.ts';

/** Names of the key attributes in DynamoDB; no attribute of ours may be called so. */
export const PARTITION_ATTRIBUTE = 'pk';
export const SORT_ATTRIBUTE = 'sk';
const REFUSED_NAMES: ReadonlySet<string> = new Set([PARTITION_ATTRIBUTE, SORT_ATTRIBUTE, '__proto__']);

export const utf8Bytes = (text: string): number => Buffer.byteLength(text, 'utf8');

export const isAttributeName = (name: string): boolean =>
  name.length > 0 && !REFUSED_NAMES.has(name) && name.isWellFormed() && isWithin(name, ATTRIBUTE_NAME_BYTES_MAX);

/** A character of UTF-16 is three bytes at the most: short text is not counted. */
const isWithin = (text: string, bytesMax: number): boolean =>
  text.length * 3 <= bytesMax || utf8Bytes(text) <= bytesMax;

export function checkName(name: string): void {
  assert(isAttributeName(name), () => `an attribute cannot be called ${JSON.stringify(name)}`);
}

function checkKeyText(text: string, name: string): void {
  assert(text.length > 0, () => `the ${name} key is empty`);
  assert(text.isWellFormed(), () => `the ${name} key has a lone surrogate`);
  assert(isWithin(text, ROW_KEY_BYTES_MAX), () => `the ${name} key is over ${ROW_KEY_BYTES_MAX} bytes`);
}

export function checkKey(key: Key): void {
  checkKeyText(key.partition, 'partition');
  checkKeyText(key.sort, 'sort');
}

export function checkString(value: string, name: string): void {
  assert(
    typeof value === 'string' && value.isWellFormed(),
    () => `attribute ${name} has a string with a lone surrogate`,
  );
}

export function checkNumber(value: number, name: string): void {
  assert(Number.isSafeInteger(value), () => `attribute ${name} is ${value}, not a safe integer`);
}

function checkMember(value: string, name: string): void {
  assert(
    typeof value === 'string' && value !== '',
    () => `attribute ${name} has a set member that is not a non-empty string`,
  );
  checkString(value, name);
}

export function checkMembers(members: readonly string[], name: string): void {
  for (const member of members) checkMember(member, name);
}

function checkScalar(value: string | number, name: string): void {
  if (typeof value === 'string') checkString(value, name);
  else checkNumber(value, name);
}

export function checkAttribute(name: string, value: Attribute): void {
  checkName(name);
  if (value instanceof Uint8Array) return;
  if (typeof value === 'string' || typeof value === 'number') {
    checkScalar(value, name);
    return;
  }
  if (Array.isArray(value)) {
    for (const item of value) checkScalar(item, name);
    return;
  }
  assert(value instanceof Set, () => `attribute ${name} is neither string, integer, bytes, list nor set`);
  for (const member of value) checkMember(member, name);
}

/** A private copy of a checked attribute; undefined for the empty set. -0 becomes 0: no body keeps the difference. */
export function ownedAttribute(value: Attribute): Attribute | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return value + 0;
  if (value instanceof Uint8Array) return new Uint8Array(value);
  if (Array.isArray(value)) return Object.freeze(value.map((item) => (typeof item === 'number' ? item + 0 : item)));
  const members = value as ReadonlySet<string>;
  return members.size === 0 ? undefined : new Set(members);
}

/** A private copy of a whole checked row without its empty sets. */
export function ownedAttributes(attributes: Attributes): Attributes {
  const owned: Record<string, Attribute> = {};
  for (const [name, value] of Object.entries(attributes)) {
    const kept = ownedAttribute(value);
    if (kept !== undefined) owned[name] = kept;
  }
  return Object.freeze(owned);
}

/** What a reader may have: bytes and sets are copied, as they cannot be frozen; the rest is frozen already. */
export function lentAttributes(owned: Attributes): Attributes {
  const lent: Record<string, Attribute> = {};
  for (const name in owned) {
    const value = owned[name] as Attribute;
    if (value instanceof Uint8Array) lent[name] = new Uint8Array(value);
    else lent[name] = value instanceof Set ? new Set(value) : value;
  }
  return lent;
}

/** DynamoDB stores a number in a byte per two digits, one for the exponent and one for a minus sign. */
const numberBytes = (value: number): number => 1 + Math.ceil(String(Math.abs(value)).length / 2) + (value < 0 ? 1 : 0);

export function attributeBytes(value: Attribute): number {
  if (typeof value === 'string') return utf8Bytes(value);
  if (typeof value === 'number') return numberBytes(value);
  if (value instanceof Uint8Array) return value.length;
  let bytes = 0;
  if (Array.isArray(value)) {
    for (const item of value) bytes += 1 + attributeBytes(item);
    return bytes + 3;
  }
  for (const member of value as ReadonlySet<string>) bytes += utf8Bytes(member);
  return bytes;
}

export const keyBytes = (key: Key): number =>
  PARTITION_ATTRIBUTE.length + utf8Bytes(key.partition) + SORT_ATTRIBUTE.length + utf8Bytes(key.sort);

export function attributesBytes(attributes: Attributes): number {
  let bytes = 0;
  for (const [name, value] of Object.entries(attributes)) bytes += utf8Bytes(name) + attributeBytes(value);
  return bytes;
}

/**
 * Size of a row as DynamoDB counts it: UTF-8 of names and strings, bytes as they are, 3 bytes and 1 per element for a
 * list. DynamoDB drops trailing zeros of numbers, so that the figure may be a few bytes too high, never too low.
 */
export const rowBytes = (key: Key, attributes: Attributes): number => keyBytes(key) + attributesBytes(attributes);

/** Asserts that a row is not too large, and gives its size. */
export function checkRowBytes(key: Key, attributes: Attributes): number {
  const bytes = rowBytes(key, attributes);
  assert(bytes <= ROW_BYTES_MAX, () => `row ${key.partition} has ${bytes} bytes, more than ${ROW_BYTES_MAX}`);
  return bytes;
}
