// If-Match and its kin of a request to the function's URL, by the rules that the S3 endpoint has for them.
import { conflict, invalid, missing } from '../foundation/errors.ts';
import { S3Fault } from '../s3/fault.ts';
import { checkRead, hasWriteCondition, type Present, writeVersion } from '../s3/request/conditions.ts';

type HeaderRecord = Readonly<Record<string, string>>;

const mapOf = (headers: HeaderRecord): ReadonlyMap<string, string> => new Map(Object.entries(headers));

const READ_CONDITIONS = ['if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since'];
export const hasReadCondition = (headers: HeaderRecord): boolean => READ_CONDITIONS.some((name) => name in headers);

/** False: it is as the client knows it. Throws `conflict` VERSION_MISMATCH. */
export function isWanted(headers: HeaderRecord, present: Present): boolean {
  try {
    checkRead(mapOf(headers), present);
    return true;
  } catch (error) {
    if (error instanceof S3Fault && error.code === 'NotModified') return false;
    throw typed(error);
  }
}

/**
 * At which version the object must be when it is written; `find` is asked only if the client asks for one. Throws
 * `conflict` VERSION_MISMATCH, `missing` OBJECT_MISSING, `invalid` REQUEST_INVALID for conditions that no write has.
 */
export async function wantedVersion(
  headers: HeaderRecord,
  find: () => Promise<Present | undefined>,
): Promise<string | undefined> {
  const map = mapOf(headers);
  if (!hasWriteCondition(map)) return undefined;
  try {
    return writeVersion(map, await find());
  } catch (error) {
    throw typed(error);
  }
}

function typed(error: unknown): unknown {
  if (!(error instanceof S3Fault)) return error;
  if (error.code === 'PreconditionFailed') return conflict('VERSION_MISMATCH', error.message, error);
  if (error.code === 'NoSuchKey') return missing('OBJECT_MISSING', 'there is no object that could match', error);
  return invalid('REQUEST_INVALID', error.message, error);
}
