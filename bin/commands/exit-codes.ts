// Exit codes of the CLI, as docs/cli.md lists them.

import type { ErrorCode } from '../../lib/foundation/error-codes.ts';
import { type ErrorKind, isPocketfulError } from '../../lib/foundation/errors.ts';

export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  someFailed: 3,
  missing: 4,
  retry: 5,
  corrupt: 6,
  denied: 7,
  degraded: 8,
  interrupted: 130,
} as const;

const OF_KIND: Readonly<Record<ErrorKind, number>> = {
  invalid: EXIT.usage,
  missing: EXIT.missing,
  conflict: EXIT.failed,
  retry: EXIT.retry,
  unknown: EXIT.retry,
  corrupt: EXIT.corrupt,
  denied: EXIT.denied,
};

const OF_ERRNO: Readonly<Record<string, number>> = {
  ENOENT: EXIT.missing,
  EACCES: EXIT.denied,
  EPERM: EXIT.denied,
  EROFS: EXIT.denied,
  ENOSPC: EXIT.retry,
};

const OF_CODE: Readonly<Partial<Record<ErrorCode, number>>> = {
  DEMO_MISMATCH: EXIT.failed,
};

export function exitCodeOf(error: unknown): number {
  if (isPocketfulError(error)) return OF_CODE[error.code] ?? OF_KIND[error.kind];
  return OF_ERRNO[(error as NodeJS.ErrnoException)?.code ?? ''] ?? EXIT.failed;
}

/** `kind`, `code` and one line: what --json prints of an error, and what a person reads. */
export function describe(error: unknown): { kind: string; code: string; message: string } {
  if (isPocketfulError(error)) return { kind: error.kind, code: error.code, message: error.message };
  const errno = (error as NodeJS.ErrnoException)?.code;
  if (error instanceof Error && errno !== undefined && 'syscall' in error)
    return { kind: 'system', code: errno, message: error.message };
  const message = error instanceof Error ? error.message : String(error);
  return { kind: 'internal', code: 'INTERNAL', message: `internal error: ${message}` };
}
