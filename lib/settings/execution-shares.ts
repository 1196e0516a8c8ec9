// How many functions that move bytes may run at once, of what the account allows in its region: pure. Whoever deploys
// measures that; new accounts have ten.
import {
  COMPACTORS_AT_ONCE,
  ENCODERS_AT_ONCE,
  EXECUTIONS_OF_NEW_ACCOUNT,
  EXECUTIONS_PER_COMPACTOR,
  EXECUTIONS_PER_ENCODER,
} from '../limits/stage.ts';

/**
 * What may work behind the frontend at once, of what may run in the account: half of ten, so that requests find room
 * whatever goes on.
 */
export function sharesOf(executions = EXECUTIONS_OF_NEW_ACCOUNT): {
  readonly compactors: number;
  readonly encoders: number;
} {
  const share = (per: number, most: number): number => Math.max(1, Math.min(most, Math.floor(executions / per)));
  return {
    compactors: share(EXECUTIONS_PER_COMPACTOR, COMPACTORS_AT_ONCE),
    encoders: share(EXECUTIONS_PER_ENCODER, ENCODERS_AT_ONCE),
  };
}
