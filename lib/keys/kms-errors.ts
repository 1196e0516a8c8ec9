// What KMS and its client say, as the errors of the KEK port.
import { denied, isPocketfulError, type PocketfulError, retryLater } from '../foundation/errors.ts';

/** The ciphertext is not of this key, this store or this version. */
const WRONG = new Set(['InvalidCiphertextException', 'IncorrectKeyException']);
/** The KMS key cannot be used, now or ever: only an operator can change that. */
const DENIED = new Set([
  'AccessDeniedException',
  'AccessDenied',
  'DisabledException',
  'KMSInvalidStateException',
  'NotFoundException',
  'UnrecognizedClientException',
  'InvalidSignatureException',
  'ExpiredTokenException',
  'CredentialsProviderError',
  'ValidationException',
]);

export function kmsError(error: unknown): PocketfulError {
  if (isPocketfulError(error)) return error;
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  if (WRONG.has(name))
    return denied('KEK_WRONG', `KMS cannot decrypt the KEK: it is another store's, or damaged (${name})`, error);
  if (DENIED.has(name)) return denied('KEK_DENIED', `KMS refuses the KEK: ${name}: ${message}`, error);
  return retryLater('KEK_BUSY', `KMS is busy or cannot be reached: ${name}: ${message}`, error);
}
