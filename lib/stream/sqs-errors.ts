// What an error of an SQS request means. Messages may come twice anyway, so whatever is not refused for good may be
// sent again.
import { denied, missing, type PocketfulError, retryLater } from '../foundation/errors.ts';

const DENIED: ReadonlySet<string> = new Set([
  'AccessDenied',
  'AccessDeniedException',
  'CredentialsProviderError',
  'ExpiredToken',
  'ExpiredTokenException',
  'InvalidClientTokenId',
  'KmsAccessDenied',
  'SignatureDoesNotMatch',
  'UnrecognizedClientException',
]);
const GONE: ReadonlySet<string> = new Set([
  'AWS.SimpleQueueService.NonExistentQueue',
  'QueueDoesNotExist',
  'NonExistentQueue',
]);

export function sqsError(call: string, error: unknown): PocketfulError {
  const name = error instanceof Error ? error.name : '';
  if (DENIED.has(name)) return denied('STREAM_DENIED', `no permission for ${call} (${name})`, error);
  if (GONE.has(name)) return missing('STREAM_MISSING', `${call}: there is no such queue`, error);
  return retryLater('STREAM_BUSY', `the queue cannot be used now: ${call}: ${name || 'no answer'}`, error);
}
