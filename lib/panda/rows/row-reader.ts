// Reads typed attributes out of a row; a row that does not hold what it must is `corrupt`, never undefined.
import { corrupt } from '../../foundation/errors.ts';
import type { Row } from '../panda.ts';

const wrong = (row: Row, name: string, kind: string): never => {
  throw corrupt('ROW_MALFORMED', `row ${row.partition}: attribute ${name} is not ${kind}`);
};

export function stringIn(row: Row, name: string): string {
  const value = row.attributes[name];
  return typeof value === 'string' ? value : wrong(row, name, 'a string');
}

export function optionalString(row: Row, name: string): string | undefined {
  return row.attributes[name] === undefined ? undefined : stringIn(row, name);
}

export function countIn(row: Row, name: string): number {
  const value = row.attributes[name];
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : wrong(row, name, 'a count');
}

export function optionalCount(row: Row, name: string): number | undefined {
  return row.attributes[name] === undefined ? undefined : countIn(row, name);
}

export function bytesIn(row: Row, name: string): Uint8Array {
  const value = row.attributes[name];
  return value instanceof Uint8Array ? value : wrong(row, name, 'bytes');
}

export function optionalBytes(row: Row, name: string): Uint8Array | undefined {
  return row.attributes[name] === undefined ? undefined : bytesIn(row, name);
}

export function listIn(row: Row, name: string): readonly (string | number)[] {
  const value = row.attributes[name];
  return Array.isArray(value) ? value : wrong(row, name, 'a list');
}

export function countsIn(row: Row, name: string): readonly number[] {
  const values = listIn(row, name);
  return values.every((v) => typeof v === 'number' && Number.isSafeInteger(v) && v >= 0)
    ? (values as readonly number[])
    : wrong(row, name, 'a list of counts');
}

/** A set; an absent one is empty. */
export function setIn(row: Row, name: string): ReadonlySet<string> {
  const value = row.attributes[name];
  if (value === undefined) return new Set();
  return value instanceof Set ? value : wrong(row, name, 'a set');
}

/** One of a few words. */
export function wordIn<T extends string>(row: Row, name: string, words: readonly T[]): T {
  const value = stringIn(row, name);
  return words.includes(value as T) ? (value as T) : wrong(row, name, `one of ${words.join(', ')}`);
}

/** Zero-padded decimal, so that numbers sort as text. */
export const padded = (value: number, digits: number): string => String(value).padStart(digits, '0');
