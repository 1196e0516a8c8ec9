// What the store says, in S3's words.
import { isPocketfulError, type PocketfulError } from '../foundation/errors.ts';
import { isS3Fault, S3Fault } from '../s3/fault.ts';

const OF_CODE: Readonly<Record<string, () => S3Fault>> = {
  OBJECT_MISSING: () => noSuchKey(),
  NAME_EMPTY: () => new S3Fault('InvalidURI', 'a key must not be empty'),
  NAME_INVALID: () => new S3Fault('InvalidURI', 'a key must be Unicode without NUL'),
  NAME_TOO_LONG: () => new S3Fault('KeyTooLongError', 'your key is too long'),
  NAMESPACE_INVALID: () => new S3Fault('InvalidBucketName', 'the specified bucket is not valid'),
  METADATA_TOO_LONG: () => tooMuchMetadata(),
  SYSTEM_TOO_LONG: () => tooMuchMetadata(),
  PARTS_TOO_MANY: () =>
    new S3Fault('InvalidRequest', 'parts of too many different lengths: give all but the last the same'),
};

const noSuchKey = (): S3Fault => new S3Fault('NoSuchKey', 'the specified key does not exist');

export const accessDenied = (): S3Fault => new S3Fault('AccessDenied', 'access denied');

const tooMuchMetadata = (): S3Fault =>
  new S3Fault('MetadataTooLarge', 'your metadata headers exceed the maximum allowed metadata size');

/** Clients come back after it. */
const slowDown = (): S3Fault => new S3Fault('SlowDown', 'please reduce your request rate: the store is busy or full');

const internal = (): S3Fault => new S3Fault('InternalError', 'we encountered an internal error: please try again');

/** Nothing of the store's own words leaves it but by this. */
export function faultOf(error: unknown): S3Fault {
  if (isS3Fault(error)) return error;
  if (!isPocketfulError(error)) return internal();
  return OF_CODE[error.code]?.() ?? ofKind(error);
}

function ofKind({ kind }: PocketfulError): S3Fault {
  if (kind === 'retry' || kind === 'unknown') return slowDown();
  if (kind === 'conflict')
    return new S3Fault('ConditionalRequestConflict', 'the object was changed meanwhile by another request: try again');
  return internal();
}
