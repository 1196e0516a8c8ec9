// The search over the merge model. A row that cannot be read any more is a violation as well.
import { isPocketfulError } from '../../lib/foundation/errors.ts';
import {
  type Cast,
  type MergeCondition,
  type MergeState,
  mergeStepsOf,
  mergeViolationOf,
  startOf,
} from './merge-protocol.ts';
import { type Found, searchModel } from './search.ts';

export const searchMerge = (cast: Cast, off: ReadonlySet<MergeCondition> = new Set()): Found =>
  searchModel({
    start: startOf(cast),
    stepsOf: (state) => mergeStepsOf(state, cast, off),
    violationOf,
  });

function violationOf(state: MergeState): string | undefined {
  try {
    return mergeViolationOf(state);
  } catch (error) {
    if (!isPocketfulError(error)) throw error;
    return error.message;
  }
}
