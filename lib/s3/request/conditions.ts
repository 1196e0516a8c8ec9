// If-Match and its kin: on a read, on a write (with what the store is to hold the object to), and on a copy's source.
import { S3Fault } from '../fault.ts';

/** What is there now, if anything is. */
export interface Present {
  readonly etag: string;
  readonly version: string;
  readonly createdAtMs: number;
}

export type Headers = ReadonlyMap<string, string>;

/** ETags of a header, quoted or not; `*` stands for any. */
function etagsIn(header: string): string[] {
  return header.split(',').map((one) =>
    one
      .trim()
      .replace(/^W\//, '')
      .replace(/^"(.*)"$/, '$1'),
  );
}

const matches = (header: string, { etag }: Present): boolean =>
  etagsIn(header).some((one) => one === '*' || one === etag);

/** Dates of HTTP are whole seconds. */
const secondOf = (ms: number): number => Math.floor(ms / 1000);

function dateIn(header: string | undefined): number | undefined {
  const ms = header === undefined ? Number.NaN : Date.parse(header);
  return Number.isNaN(ms) ? undefined : secondOf(ms);
}

const failed = (condition: string): S3Fault =>
  new S3Fault('PreconditionFailed', 'at least one of the pre-conditions you specified did not hold', {
    Condition: condition,
  });

/** Throws PreconditionFailed, or NotModified; in the order of RFC 9110. */
export function checkRead(headers: Headers, present: Present): void {
  const changed = secondOf(present.createdAtMs);
  const match = headers.get('if-match');
  const unmodified = dateIn(headers.get('if-unmodified-since'));
  if (match !== undefined) {
    if (!matches(match, present)) throw failed('If-Match');
  } else if (unmodified !== undefined && changed > unmodified) throw failed('If-Unmodified-Since');
  const none = headers.get('if-none-match');
  const modified = dateIn(headers.get('if-modified-since'));
  const isSame = none === undefined ? modified !== undefined && changed <= modified : matches(none, present);
  if (isSame) throw new S3Fault('NotModified', 'not modified', { ETag: present.etag });
}

/** The same of a copy's source, where nothing is "not modified". */
export function checkCopySource(headers: Headers, present: Present): void {
  const names = ['if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since'];
  const own = names.flatMap((name): [string, string][] => {
    const value = headers.get(`x-amz-copy-source-${name}`);
    return value === undefined ? [] : [[name, value]];
  });
  try {
    checkRead(new Map(own), present);
  } catch (error) {
    throw error instanceof S3Fault && error.code === 'NotModified' ? failed('x-amz-copy-source-If-None-Match') : error;
  }
}

export const hasWriteCondition = (headers: Headers): boolean => headers.has('if-match') || headers.has('if-none-match');

/**
 * At which version the object must be when it is written, by what is there now: undefined if nothing is asked. Throws
 * PreconditionFailed, NoSuchKey for an absent object that should match, NotImplemented for what S3 has not either.
 */
export function writeVersion(headers: Headers, present: Present | undefined): string | undefined {
  const match = headers.get('if-match');
  const none = headers.get('if-none-match');
  if (none !== undefined) {
    if (match !== undefined || none.trim() !== '*')
      throw new S3Fault('NotImplemented', 'a write may have If-None-Match: *, or If-Match', {
        Header: 'If-None-Match',
      });
    if (present !== undefined) throw failed('If-None-Match');
    return 'absent';
  }
  if (match === undefined) return undefined;
  if (present === undefined) throw new S3Fault('NoSuchKey', 'the specified key does not exist');
  if (!matches(match, present)) throw failed('If-Match');
  return present.version;
}

/** What a write is told whose object changed between the look at it and the write. */
export const writeRace = (headers: Headers): S3Fault =>
  headers.has('if-none-match')
    ? failed('If-None-Match')
    : new S3Fault('ConditionalRequestConflict', 'the object was written meanwhile by another request: try again');
