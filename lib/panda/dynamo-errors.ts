// What an error of a DynamoDB request means: refused before anything was written, or an outcome nobody knows.
import { AssertionError } from '../foundation/assert.ts';
import { denied, missing, type PocketfulError, retryLater, unknownOutcome } from '../foundation/errors.ts';
import { PandaConflict } from './conflict.ts';

const THROTTLED: ReadonlySet<string> = new Set([
  'ProvisionedThroughputExceededException',
  'ThrottlingException',
  'RequestLimitExceeded',
  'TransactionConflictException',
  'ReplicatedWriteConflictException',
  'LimitExceededException',
]);
const DENIED: ReadonlySet<string> = new Set([
  'AccessDeniedException',
  'CredentialsProviderError',
  'ExpiredTokenException',
  'IncompleteSignature',
  'InvalidSignatureException',
  'KMSAccessDeniedException',
  'MissingAuthenticationTokenException',
  'UnrecognizedClientException',
]);
/** The connection was never made, so nothing was sent. */
const NOT_SENT: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);

const text = (error: unknown, property: string): string | undefined => {
  const value = typeof error === 'object' && error !== null ? (error as Record<string, unknown>)[property] : undefined;
  return typeof value === 'string' ? value : undefined;
};

const busy = (why: string, cause: unknown): PocketfulError =>
  retryLater('PANDA_BUSY', `the metadata table is busy (${why})`, cause);

/** The error of a request that is known to have changed nothing; undefined where that is not known. */
function refusal(error: unknown, table: string): Error | undefined {
  const name = text(error, 'name') ?? '';
  if (THROTTLED.has(name)) return busy(name, error);
  if (NOT_SENT.has(text(error, 'code') ?? '')) return busy('it cannot be reached', error);
  if (DENIED.has(name)) return denied('PANDA_DENIED', `no permission for the metadata table ${table} (${name})`, error);
  if (name === 'ResourceNotFoundException') return missing('PANDA_MISSING', `there is no table ${table}`, error);
  if (name === 'ConditionalCheckFailedException') return new PandaConflict([0], error);
  if (name === 'TransactionCanceledException') return cancellation(error);
  if (name === 'ValidationException' || name === 'ItemCollectionSizeLimitExceededException')
    return new AssertionError(`DynamoDB refuses the request: ${text(error, 'message')}`);
  return error instanceof AssertionError ? error : undefined;
}

/**
 * The reason of each write, in their order. A mixture is busy: the list of failed conditions need not be complete then.
 */
function cancellation(error: unknown): Error {
  const { CancellationReasons: reasons = [] } = error as {
    readonly CancellationReasons?: readonly { readonly Code?: string; readonly Message?: string }[];
  };
  const failed: number[] = [];
  for (const [index, reason] of reasons.entries()) {
    if (reason.Code === 'ConditionalCheckFailed') failed.push(index);
    if (reason.Code === 'ValidationError' || reason.Code === 'ItemCollectionSizeLimitExceeded')
      return new AssertionError(`DynamoDB refuses write ${index}: ${reason.Message}`);
  }
  const other = reasons.find((reason) => ![undefined, 'None', 'ConditionalCheckFailed'].includes(reason.Code));
  if (other !== undefined || failed.length === 0) return busy(other?.Code ?? 'cancelled', error);
  return new PandaConflict(failed, error);
}

/** For requests that write. */
export const writeError = (error: unknown, table: string): Error =>
  refusal(error, table) ??
  unknownOutcome('PANDA_UNKNOWN', `the answer of the metadata table ${table} was lost (${text(error, 'name')})`, error);

/** For requests that only read: whatever is not refused may be asked again. */
export const readError = (error: unknown, table: string): Error =>
  refusal(error, table) ?? busy(text(error, 'name') ?? 'no answer', error);
