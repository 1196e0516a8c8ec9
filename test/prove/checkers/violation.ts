// What a run found to be wrong.
export type ViolationKind =
  /** Bytes nobody put, or rows that contradict each other. */
  | 'wrong'
  /** Acknowledged, and not there any more; or a history that no register could have. */
  | 'history'
  /** An error that was not called for. */
  | 'error'
  /** An assertion, a type error, a promise nobody waited for. */
  | 'bug'
  /** Something waits for what will not happen. */
  | 'stuck'
  /** Something is left over when all is still. */
  | 'leak';

export class Violation extends Error {
  readonly kind: ViolationKind;

  constructor(kind: ViolationKind, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'Violation';
    this.kind = kind;
  }
}
