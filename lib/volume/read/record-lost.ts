// What a read throws when the code cannot bring a record back: which drives failed, and whether waiting for them helps.

import type { ErrorCode } from '../../foundation/error-codes.ts';
import { PocketfulError } from '../../foundation/errors.ts';

/** A column that is there to be asked, but does not have what it must: waiting does not help. */
export interface BrokenColumn {
  readonly column: number;
  /** Why: CHUNK_MISSING and the like. */
  readonly code: ErrorCode;
}

/**
 * - `retry`   RECORD_WAITS  enough columns would be there if the drives named could be reached again
 * - `corrupt` RECORD_LOST   not even then: columns are gone or damaged beyond the code
 */
export class RecordLost extends PocketfulError {
  /** Labels of the drives the read waits for, or, if it is lost, of all drives that failed it. */
  readonly drives: readonly string[];
  /** Of the group that was read. */
  readonly broken: readonly BrokenColumn[];

  constructor(
    kind: 'retry' | 'corrupt',
    message: string,
    { drives, broken = [] }: { readonly drives: readonly string[]; readonly broken?: readonly BrokenColumn[] },
    cause?: unknown,
  ) {
    super(kind, kind === 'retry' ? 'RECORD_WAITS' : 'RECORD_LOST', message, cause);
    this.name = 'RecordLost';
    this.drives = drives;
    this.broken = broken;
  }
}
