// Reads typed attributes out of a row; a row that does not hold what it must is `corrupt`, never undefined.
import { corrupt, isPocketfulError, type PocketfulError } from '../../foundation/errors.ts';
import type { BlockId, BucketId, RecordId, StoreId, VolumeId } from '../../foundation/ids.ts';
import type { Key, Row } from '../panda.ts';

/** How a row is named in messages. */
export const rowName = ({ partition, sort }: Key): string => `row ${JSON.stringify(sort)} of ${partition}`;

export const rowDamaged = (key: Key, why: string): PocketfulError =>
  corrupt('ROW_DAMAGED', `${rowName(key)} cannot be read: ${why}`);

/** The row, if its stored form could be understood: for whoever copies rows without reading them. */
export function soundRow(row: Row): Row {
  if (row.damaged !== undefined) throw rowDamaged(row, row.damaged);
  return row;
}

/** Throws `corrupt` ROW_MALFORMED, or ROW_DAMAGED if nothing of the row can be read. */
export const malformedRow = (row: Row, what: string): never => {
  soundRow(row);
  throw corrupt('ROW_MALFORMED', `${rowName(row)}: ${what}`);
};

const wrong = (row: Row, name: string, kind: string): never => malformedRow(row, `attribute ${name} is not ${kind}`);

/** A row that cannot be read, for lists that pass over it and say so. */
export interface BadRow extends Key {
  readonly error: PocketfulError;
}

/** Is told of rows that a list passes over. */
export type BadRowSink = (row: BadRow) => void;

/**
 * What `parse` makes of the row, or undefined after telling `bad`: then it is damaged or malformed. Other errors are
 * thrown on, and these, too, where there is nobody to tell.
 */
export function readOrTell<T>(row: Row, parse: (row: Row) => T, bad: BadRowSink | undefined): T | undefined {
  if (bad === undefined) return parse(row);
  try {
    return parse(row);
  } catch (error) {
    if (!isPocketfulError(error) || error.kind !== 'corrupt') throw error;
    bad({ partition: row.partition, sort: row.sort, error });
    return undefined;
  }
}

const HEX = /^[0-9a-f]*$/;
const SHORT_ID_DIGITS = 16;
const RECORD_ID_DIGITS = 32;
const BLOCK_ID_DIGITS = 64;

function idIn<T extends string>(row: Row, text: string, digits: number, what: string): T {
  return text.length === digits && HEX.test(text)
    ? (text as T)
    : malformedRow(row, `${what} is not ${digits} hex digits`);
}

/** Ids out of a row: one that is none is damage, not a programmer's error. */
export const blockIdIn = (row: Row, text: string): BlockId => idIn(row, text, BLOCK_ID_DIGITS, 'a block id');
export const recordIdIn = (row: Row, text: string): RecordId => idIn(row, text, RECORD_ID_DIGITS, 'a record id');
export const storeIdIn = (row: Row, text: string): StoreId => idIn(row, text, RECORD_ID_DIGITS, 'a store id');
export const volumeIdIn = (row: Row, text: string): VolumeId => idIn(row, text, SHORT_ID_DIGITS, 'a volume id');
export const bucketIdIn = (row: Row, text: string): BucketId => idIn(row, text, SHORT_ID_DIGITS, 'a bucket id');

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
