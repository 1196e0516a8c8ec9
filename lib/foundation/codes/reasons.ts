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
  ENCODERS_AT_WORK: 'as many encoders as there may be are at work',
  HOT_RELIEVED: 'hot volumes take little of what they may',
} as const;

/** Why a column of a volume is made again, or a volume was left as it is. */
export const REPAIR_REASONS = {
  DRIVE_LOST: 'its drive is not coming back',
  DRIVE_DRAINING: 'its drive is being emptied',
  OBJECTS_DAMAGED: 'some of its objects are missing or not as they were written',
  NOTHING_TO_REPAIR: 'every column is where it should be',
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

/** What a planned run does, and what would be better. */
export const PLAN_REASONS = {
  TOPS_OFF: 'the run tops off a volume with the buckets of others',
  PACKS: 'the run packs volumes into fewer ones',
  DRAINS: 'the run drains volumes through the queue',
  PACKING_FREES_MORE: 'packing volumes like these would free more for each byte moved',
  MERGING_FILLS_FEWER: 'merging the bucket remnants first would fill fewer volumes',
} as const;

/** Why bucket remnants are merged, or not. */
export const MERGE_REASONS = {
  MERGES_REMNANTS: 'remnants of one size become one bucket',
  MERGES_CHOSEN: 'there are too many bucket rows: these merges, the cheapest first',
  ROWS_WITHIN_BOUND: 'there are no more bucket rows than there may be',
  TOO_FEW_REMNANTS: 'too few remnants of one size are there to merge yet',
  MERGES_TOO_DEAR: 'merges would save too few rows for the block rows they write',
  MERGE_ROWS_SPENT: 'the plan has as many block rows as it may',
  MERGE_VOLUMES_SPENT: 'the plan has as many volumes as it may',
  MERGE_BUDGET_SPENT: 'no budget is left for merges',
  SCAN_TOO_DEAR: 'looking for the blocks of so few remnants does not pay yet',
  GROUP_UNEVEN: 'so few blocks do not make a level group yet',
  NOTHING_TO_MERGE: 'nothing can be merged',
} as const;

/** Why an emptied volume is not freed yet. */
export const KEPT_REASONS = {
  VOLUME_IN_GRACE: 'its grace is not over',
  VOLUME_IN_QUARANTINE: 'it holds what a restore gave up, and that is kept for a while',
  BUCKET_BACK: 'a bucket is in it again',
  BUCKET_HOMELESS: 'a bucket it held is in a volume that is not there',
  BUCKET_UNREADABLE: 'a bucket it held cannot be read in its new volume',
  ZONE_WRITTEN: 'one of its zones is being written again',
} as const;

/** What verifiers find of a block. */
export const BLOCK_REASONS = {
  BUCKET_MISSING: 'the bucket that its row names is not there',
  VOLUME_MISSING: 'the volume that its bucket is in is not there',
  SLOT_MISSING: 'no directory has its slot',
  RECORD_OTHER: 'another record is in its slot',
  LENGTH_OTHER: 'the record in its slot has another length',
  HINT_WRONG: 'the hint that readers go by names another place',
  CHUNK_UNLISTED: 'the drive does not list the object it is in, or one that is too short',
  BLOCK_OTHER: 'what is read back has another SHA-256',
} as const;

/** What a plan makes of a volume. A plan has a letter for each, and says in `legend` which is which. */
export const VERDICT_REASONS = {
  VERDICT_L1: 'dense enough to be topped off or to top off others',
  VERDICT_L2: 'half empty: worth packing with others',
  VERDICT_L3: 'nearly empty: worth draining',
  VERDICT_OPEN: 'still open for writing',
  VERDICT_HOT: 'hot: encoding will move it',
  VERDICT_LEASED: 'owned by another run, a repair or an encode',
  VERDICT_TRASH: 'already drained',
  VERDICT_DENSE: 'its dead part is below the threshold, or it is denser than the last strategy',
  VERDICT_YOUNG: 'written too recently',
  VERDICT_WAITS: 'cheaper to let more of it die first',
  VERDICT_PLANNED: 'part of a run of this plan',
  VERDICT_BUDGET: 'no budget left for it in this plan',
  VERDICT_UNFIT: 'no combination with others fills a volume well enough yet',
  VERDICT_CROWDED: 'its extents are too uneven for it to be topped off, and no other host takes it',
  VERDICT_LATER: 'left for the next plan: this one has as many runs as it may',
  VERDICT_TARGET: 'the target overhead is reached without it',
  VERDICT_UNPAID: 'what it saves does not pay for the run',
  VERDICT_UNASKED: 'its strategy was not asked for',
} as const;

/** What `explain` says beside the verdict and the run. */
export const FACT_REASONS = {
  VOLUME_STATE: 'state, codec and generation of the volume',
  VOLUME_FILL: 'how full it is',
  VOLUME_AGE: 'when it was written',
  RUN_HOST: 'the run that tops it off',
  RUN_SOURCE: 'the run that empties it',
  OBJECT_SIZE: 'size and number of blocks of the object',
  BUCKET_PLACE: 'how much of the object is in a bucket, and the volume that is in now',
} as const;
