// Why something waits or ended early, as data: programs look at `code`, people at `text`. Nothing matches the text.
import type { ReasonCode } from './error-codes.ts';
import type { PocketfulError } from './errors.ts';

export interface Reason<Code extends ReasonCode = ReasonCode> {
  /** Stable, in capitals: an error's own code, or one that the report documents. */
  readonly code: Code;
  /** One line for a person. */
  readonly text: string;
}

export const reasonOf = ({ code, message }: Pick<PocketfulError, 'code' | 'message'>): Reason => ({
  code,
  text: message,
});

export const reasonLine = ({ code, text }: Reason): string => `${code}: ${text}`;
