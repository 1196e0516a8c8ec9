// The one error of a transaction whose conditions did not hold.
import { PocketfulError } from '../foundation/errors.ts';

export class PandaConflict extends PocketfulError {
  /** Indexes into the writes of the transaction, ascending. */
  readonly failed: readonly number[];

  constructor(failed: readonly number[], cause?: unknown) {
    super('conflict', 'CONDITION_FAILED', `the condition of write ${failed.join(', ')} did not hold`, cause);
    this.name = 'PandaConflict';
    this.failed = failed;
  }
}
