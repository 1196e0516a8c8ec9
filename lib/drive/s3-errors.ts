// What an answer of S3, or the lack of one, means to the callers of a drive.
import { isPocketfulError } from '../foundation/errors.ts';
import { driveBusy, driveDenied, driveFull, driveUnavailable } from './errors.ts';

const BUSY_NAMES = new Set([
  'SlowDown',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
  'RequestTimeout',
  'TimeoutError',
  'ConditionalRequestConflict',
  'OperationAborted',
  'IncompleteBody',
  'BadDigest',
]);
const DENIED_NAMES = new Set(['AccessDenied', 'ExpiredToken', 'InvalidToken', 'CredentialsProviderError']);
const GONE_NAMES = new Set(['NoSuchBucket', 'PermanentRedirect', 'IllegalLocationConstraintException']);
const FULL_NAMES = new Set(['QuotaExceeded', 'InsufficientStorage', 'XMinioStorageFull']);
const INSUFFICIENT_STORAGE = 507;

/** The status of S3's answer; undefined if there was none. */
export function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('$metadata' in error)) return undefined;
  return (error.$metadata as { httpStatusCode?: number } | undefined)?.httpStatusCode;
}

/** The drive error for what a client call threw; an aborted call throws its signal's reason. */
export function s3Error(label: string, error: unknown, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return signal.reason;
  if (isPocketfulError(error) || !(error instanceof Error)) return error;
  const status = statusOf(error);
  const { name } = error;
  if (GONE_NAMES.has(name)) return driveUnavailable(label, `no such bucket here (${name})`, error);
  if (FULL_NAMES.has(name) || status === INSUFFICIENT_STORAGE) return driveFull(label, error);
  if (BUSY_NAMES.has(name)) return driveBusy(label, `S3 answered ${name}`, error);
  if (DENIED_NAMES.has(name) || status === 401 || status === 403) return driveDenied(label, error);
  if (status === undefined) return driveBusy(label, `no answer from S3 (${name})`, error);
  if (status === 408 || status === 409 || status === 429 || status >= 500)
    return driveBusy(label, `S3 answered ${status} ${name}`, error);
  return driveUnavailable(label, `S3 refused the call: ${status} ${name}`, error);
}
