// What the AWS SDK throws, as typed errors with one clear line.
import { denied, invalid, missing, type PocketfulError, retryLater, unknownOutcome } from '../../foundation/errors.ts';

const DENIED = new Set([
  'AccessDenied',
  'AccessDeniedException',
  'CredentialsProviderError',
  'ExpiredToken',
  'ExpiredTokenException',
  'InvalidClientTokenId',
  'InvalidSignatureException',
  'NotAuthorized',
  'SignatureDoesNotMatch',
  'TokenProviderError',
  'UnrecognizedClientException',
]);
const BUSY = new Set([
  'EC2ThrottledException',
  'ResourceConflictException',
  'ResourceNotReadyException',
  'ServiceUnavailable',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
]);

/** `call` names the API for people. An answer that never came is `unknown`: the call may have taken effect. */
export function awsError(call: string, error: unknown): PocketfulError {
  const name = error instanceof Error ? error.name : '';
  const text = error instanceof Error && error.message !== '' ? error.message : name;
  if (DENIED.has(name)) return denied('AWS_DENIED', `${call}: ${text}`, error);
  if (BUSY.has(name)) return retryLater('AWS_BUSY', `${call}: ${text}`, error);
  if (name === 'RequestTooLargeException' || name === 'RequestEntityTooLargeException')
    return invalid('REQUEST_TOO_LARGE', `${call}: ${text}`, error);
  if (name === 'ResourceNotFoundException') return missing('STAGE_MISSING', `${call}: ${text}`, error);
  if (text.includes('Region is missing')) return denied('AWS_DENIED', `${call}: no AWS region is configured`, error);
  return unknownOutcome('AWS_UNKNOWN', `${call}: ${text || 'no answer'}`, error);
}
