// The few typed errors of Pocketful. A `kind` says what the caller does next; `code` is stable and documented in
// docs/errors.md; the message is one clear line for a person. Programmer errors are AssertionErrors (assert.ts)
// and are never caught.
import type { ErrorKind } from './codes/code-table.ts';
import type { CodeOf, ErrorCode } from './error-codes.ts';

export type { ErrorKind } from './codes/code-table.ts';

export class PocketfulError extends Error {
  readonly kind: ErrorKind;
  readonly code: ErrorCode;

  constructor(kind: ErrorKind, code: ErrorCode, message: string, cause?: unknown) {
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

export const invalid = (code: CodeOf<'invalid'>, message: string, cause?: unknown): PocketfulError =>
  new PocketfulError('invalid', code, message, cause);
export const missing = (code: CodeOf<'missing'>, message: string, cause?: unknown): PocketfulError =>
  new PocketfulError('missing', code, message, cause);
export const conflict = (code: CodeOf<'conflict'>, message: string, cause?: unknown): PocketfulError =>
  new PocketfulError('conflict', code, message, cause);
export const retryLater = (code: CodeOf<'retry'>, message: string, cause?: unknown): PocketfulError =>
  new PocketfulError('retry', code, message, cause);
export const unknownOutcome = (code: CodeOf<'unknown'>, message: string, cause?: unknown): PocketfulError =>
  new PocketfulError('unknown', code, message, cause);
export const corrupt = (code: CodeOf<'corrupt'>, message: string, cause?: unknown): PocketfulError =>
  new PocketfulError('corrupt', code, message, cause);
export const denied = (code: CodeOf<'denied'>, message: string, cause?: unknown): PocketfulError =>
  new PocketfulError('denied', code, message, cause);

/** Of a schema that was not met (zod's, of which this knows no more). */
interface NotMet {
  readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[];
}

/** Where an input is wrong first; `input`: as a whole. */
export const wrongAt = ({ issues }: NotMet): string => issues[0]?.path.join('.') || 'input';

/** For an input of which a schema is not met: what it is of, where it is wrong first, and how. */
export const notMet = (code: CodeOf<'invalid'>, what: string, error: NotMet): PocketfulError =>
  invalid(code, `${what}: ${wrongAt(error)}: ${error.issues[0]?.message ?? 'invalid'}`);
