// The few typed errors of Pocketful. A `kind` says what the caller does next; `code` is stable and documented in
// docs/operations.md; the message is one clear line for a person. Programmer errors are AssertionErrors (assert.ts)
// and are never caught.

/**
 * What the caller does next:
 * - `invalid`  the input is wrong: change it; the same call will fail again
 * - `missing`  the named thing is not there
 * - `conflict` somebody else changed it first: read again, then decide
 * - `retry`    nothing is wrong with the call: wait and send it again (busy, throttled, stalled, full)
 * - `unknown`  the outcome is not known: read the rows again before doing anything
 * - `corrupt`  bytes are damaged or lost beyond what the code can rebuild
 * - `denied`   a key, a permission or a credential is missing or wrong
 */
export type ErrorKind = 'invalid' | 'missing' | 'conflict' | 'retry' | 'unknown' | 'corrupt' | 'denied';

export class PocketfulError extends Error {
  readonly kind: ErrorKind;
  /** Stable, upper case, e.g. `NAME_TOO_LONG`. */
  readonly code: string;

  constructor(kind: ErrorKind, code: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'PocketfulError';
    this.kind = kind;
    this.code = code;
  }
}

export const isPocketfulError = (error: unknown): error is PocketfulError => error instanceof PocketfulError;

/** True if `error` is a PocketfulError of one of these kinds. */
export function isKind(error: unknown, ...kinds: readonly ErrorKind[]): error is PocketfulError {
  return isPocketfulError(error) && kinds.includes(error.kind);
}

export const invalid = (code: string, message: string, cause?: unknown): PocketfulError =>
  new PocketfulError('invalid', code, message, cause);
export const missing = (code: string, message: string, cause?: unknown): PocketfulError =>
  new PocketfulError('missing', code, message, cause);
export const conflict = (code: string, message: string, cause?: unknown): PocketfulError =>
  new PocketfulError('conflict', code, message, cause);
export const retryLater = (code: string, message: string, cause?: unknown): PocketfulError =>
  new PocketfulError('retry', code, message, cause);
export const unknownOutcome = (code: string, message: string, cause?: unknown): PocketfulError =>
  new PocketfulError('unknown', code, message, cause);
export const corrupt = (code: string, message: string, cause?: unknown): PocketfulError =>
  new PocketfulError('corrupt', code, message, cause);
export const denied = (code: string, message: string, cause?: unknown): PocketfulError =>
  new PocketfulError('denied', code, message, cause);
