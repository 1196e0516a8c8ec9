// Codes that are no errors: why something waits, ended early, or was left as it is.

/** Why L3 sends, or does not. */
export const FLOW_REASONS = {
  FLOWING: 'nothing stands in the way',
  CODER_STALLED: 'the Live Coder cannot write',
  CODER_BEHIND: 'enough waits in the Live Coder',
  METADATA_SPENT: 'the budget of metadata writes is used up',
  DEAD_LETTERS: 'there are dead letters: look at them first',
  QUEUE_OLD: 'the oldest message waits too long',
  QUEUE_FULL: 'the queue is full',
  NOTHING_TO_DRAIN: 'nothing is worth draining',
  NO_PROGRESS: 'nothing moved for a quarter of an hour',
  WRITERS_HELD: 'draining comes first: bulk writers wait',
} as const;

/** Why a run, or a volume of it, was left alone. */
export const RUN_REASONS = {
  STOPPED: 'it was stopped before it began',
  BUDGET_SPENT: 'the runs before it used up its budget',
  VOLUME_GONE: 'the volume is not there any more',
  VOLUME_OWNED: 'another run has the volume',
  VOLUME_NOT_SEALED: 'the volume is not sealed',
  VOLUME_CHANGED: 'the volume is not what it was when the plan was made',
} as const;

/** What writers lack now. */
export const LACK_REASONS = {
  PUTS_LACK_DRIVES: 'too few drives can take a new hot volume',
  CODER_LACKS_DRIVES: 'too few drives can take a new warm volume',
} as const;

/** Why the threshold is what it is. */
export const THRESHOLD_REASONS = {
  FIRST_MEASUREMENT: 'there was no measurement before',
  MEASUREMENT_INVALID: 'the measurement makes no sense',
  TOO_FEW_VOLUMES: 'too few volumes are sealed for overhead to mean anything',
  CLOCK_STOOD: 'the clock did not move on',
  AT_BOUND: 'it would change, but the bound is reached',
  AT_TARGET: 'overhead is at its target',
  OVERHEAD_FALLS: 'overhead is falling',
  BUDGETS_BIND: 'overhead rises and budgets are used up',
  BUDGETS_SPENT: 'budgets are used up, but overhead does not rise',
  BUDGETS_NEARLY_SPENT: 'budgets are nearly used up',
  BUDGETS_HAVE_ROOM: 'budgets have room and overhead is above its target',
  SET_BY_ANOTHER: 'somebody else set it meanwhile',
} as const;
