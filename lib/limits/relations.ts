// What must hold between bounds, a sentence and a test each. Whoever opens a store asserts it first: a bound that was
// changed without the others is found before it does harm.
import { assert } from '../foundation/assert.ts';
import { SECOND_MS } from '../foundation/durations.ts';
import { LIMITS, type Limits } from './limits.ts';

export interface Relation {
  /** For whoever broke it. */
  readonly says: string;
  holds(limits: Limits): boolean;
}

/** Sum of waits that double from `first` and never exceed `most`. */
function waitsMs(count: number, first: number, most = Number.POSITIVE_INFINITY): number {
  let sum = 0;
  for (let n = 0; n < count; n++) sum += Math.min(most, first * 2 ** n);
  return sum;
}

const relation = (says: string, holds: Relation['holds']): Relation => ({ says, holds });

/** Bytes of a remnant in a run's journal: its bucket's id and its volume's place, as text. */
const REMNANT_BYTES = 40;
const VOLUME_ID_BYTES = 16;
const BLOCK_ID_BYTES = 32;
const RECORD_ID_BYTES = 16;
/** What a name, a version and counts add to a row whose lists are bounded. */
const ROW_FRAME_BYTES = 16 * 1024;

const TRANSACTIONS: readonly Relation[] = [
  relation('KEYS_AT_ONCE is what one getMany takes', (l) => l.KEYS_AT_ONCE === l.GET_MANY_MAX),
  relation('the rows of a read-ahead fit one getMany', (l) => l.BLOCK_ROWS_AT_ONCE <= l.GET_MANY_MAX),
  relation('the objects of a round of deletes fit one getMany', (l) => l.DELETES_AT_ONCE <= l.GET_MANY_MAX),
  relation(
    'pairs of rows and the rows that guard them fit a transaction',
    (l) => 2 * l.PAIRS_PER_TRANSACTION + l.GUARD_ROWS_MAX <= l.TRANSACTION_ITEMS_MAX,
  ),
  relation(
    'an object that lists its blocks itself is one index transaction',
    (l) => l.BLOCKS_INLINE_MAX <= l.PAIRS_PER_TRANSACTION,
  ),
  relation(
    'references that a row of removed objects holds, and the slots that it notes, fit their row',
    (l) =>
      l.HELD_BYTES_MAX < l.PACKED_BYTES_MAX &&
      (l.HELD_BYTES_MAX / BLOCK_ID_BYTES) * l.NOTED_SLOT_BYTES < l.PACKED_BYTES_MAX,
  ),
  relation(
    'a row of the shred log is no longer than a packed attribute',
    (l) => RECORD_ID_BYTES * l.SHREDDED_IDS_MAX <= l.PACKED_BYTES_MAX,
  ),
  relation(
    'rows that need not be together, and a check, fit a transaction',
    (l) => l.ROWS_PER_TRANSACTION + 1 <= l.TRANSACTION_ITEMS_MAX,
  ),
  relation('a transaction of a merge fits', (l) => l.MERGE_ITEMS_MAX + 1 <= l.TRANSACTION_ITEMS_MAX),
  relation(
    'the buckets of a merged group are settled in one transaction',
    (l) => 2 * l.MERGED_BUCKETS_MAX + l.GUARD_ROWS_MAX <= l.TRANSACTION_ITEMS_MAX,
  ),
  relation(
    'a transaction takes several renewals beside its guards',
    (l) => l.RENEWAL_ITEMS_MAX + l.GUARD_ROWS_MAX <= l.TRANSACTION_ITEMS_MAX,
  ),
  relation('a transaction takes several of the longest rows', (l) => 2 * l.ROW_BYTES_MAX <= l.TRANSACTION_BYTES_MAX),
];

const ROWS: readonly Relation[] = [
  relation('an object key is a sort key', (l) => l.OBJECT_KEY_BYTES_MAX <= l.ROW_KEY_BYTES_MAX),
  relation(
    'an object row holds its key, its metadata and its blocks',
    (l) =>
      l.OBJECT_KEY_BYTES_MAX + l.METADATA_BYTES_MAX + 32 * l.BLOCKS_INLINE_MAX + ROW_FRAME_BYTES <= l.ROW_BYTES_MAX,
  ),
  relation(
    'what S3 keeps of an object, the lengths of its parts and its ETag fit a packed attribute, and so do its blocks',
    (l) =>
      l.SYSTEM_BYTES_MAX + l.MANIFEST_BYTES_MAX + 128 <= l.PACKED_BYTES_MAX &&
      l.SYSTEM_BYTES_MAX + (BLOCK_ID_BYTES + 16) * l.BLOCKS_INLINE_MAX + 128 <= l.PACKED_BYTES_MAX,
  ),
  relation(
    'a group row holds its slots',
    (l) => l.GROUP_SLOTS_MAX * l.GROUP_SLOT_BYTES + ROW_FRAME_BYTES <= l.ROW_BYTES_MAX,
  ),
  relation(
    'a volume row holds the names of its buckets',
    (l) => l.VOLUME_BUCKETS_MAX * VOLUME_ID_BYTES + ROW_FRAME_BYTES <= l.ROW_BYTES_MAX,
  ),
  relation(
    'a journal row holds the remnants of its run',
    (l) => l.RUN_REMNANTS_MAX * REMNANT_BYTES + ROW_FRAME_BYTES <= l.ROW_BYTES_MAX,
  ),
  relation('a page of names is a page of Panda', (l) => l.LIST_LIMIT_MAX <= l.PAGE_ROWS_MAX),
  relation('a page holds the longest row', (l) => l.ROW_BYTES_MAX <= l.PAGE_BYTES_MAX),
  relation('a stored row has room for escapes', (l) => l.ROW_TEXT_CHARACTERS_MAX >= 6 * l.ROW_BYTES_MAX),
  relation('a line of a backup holds the longest row', (l) => l.ROW_TEXT_CHARACTERS_MAX <= l.BACKUP_LINE_BYTES_MAX),
  relation('a pack has room for the buckets of a volume', (l) => l.VOLUME_BUCKETS_MAX <= l.PACK_BUCKETS_MAX),
  relation('a merged group fits a volume', (l) => l.MERGED_BUCKETS_MAX <= l.VOLUME_BUCKETS_MAX),
];

const MEMORY: readonly Relation[] = [
  relation(
    'a put holds what is read ahead and a block of the largest size beside it',
    (l) => l.PUT_AHEAD_BYTES_MAX + l.BLOCK_BYTES_MAX <= l.PUT_MEMORY_BYTES_MAX,
  ),
  relation('one get may not take all that gets read ahead', (l) => 2 * l.GET_AHEAD_BYTES_MAX <= l.READ_AHEAD_BYTES_MAX),
  relation('a get reads two of the largest blocks ahead', (l) => 2 * l.BLOCK_BYTES_MAX <= l.GET_AHEAD_BYTES_MAX),
  relation('the rows of a read-ahead are read together', (l) => l.GET_AHEAD_BLOCKS_MAX <= l.BLOCK_ROWS_AT_ONCE),
  relation('zstd looks back over a whole block', (l) => 2 ** l.WINDOW_LOG_MAX === l.BLOCK_BYTES_MAX),
  relation('a batch is stored within one group row', (l) => l.BATCH_OBJECTS_MAX <= l.GROUP_SLOTS_MAX),
  relation('kept memory is part of all memory', (l) => l.GROUP_MEMORY_IDLE_BYTES_MAX <= l.GROUP_MEMORY_BYTES_MAX),
  relation('a pack read whole is kept', (l) => l.WHOLE_PACK_BYTES_MAX <= l.SEALED_DIRECTORIES_BYTES_MAX),
  relation('the head of a pack is part of it', (l) => l.PACK_HEAD_BYTES <= l.WHOLE_PACK_BYTES_MAX),
  relation('there is a buffer for each body that is read', (l) => l.BODIES_AT_ONCE <= l.IDLE_PIECES_MAX),
  relation('all columns of a code are read at once', (l) => l.COLUMNS_AT_ONCE === l.CODE_COLUMNS_MAX),
  relation('the reserve has a size', (l) => l.RESERVE_BYTES_MIN <= l.RESERVE_BYTES_MAX),
  relation(
    'half of the smallest reserve, its log beside, holds the longest row of what is deleted, in the file and in all copies',
    (l) =>
      (l.SHIPPED_COPIES_MAX + 1) * (l.PACKED_BYTES_MAX + 2 * l.OBJECT_KEY_BYTES_MAX + l.DELETED_FRAME_BYTES) +
        l.FREEING_LOG_BYTES <=
      l.RESERVE_BYTES_MIN / 2,
  ),
  relation(
    'half of the smallest reserve holds a portion of GC, and what is freed after it',
    (l) => l.PORTION_ROOM_BYTES_MIN + 2 * l.FREEING_LOG_BYTES <= l.RESERVE_BYTES_MIN / 2,
  ),
  relation(
    'GC shreds several slots in the least portion',
    (l) => 45 * (l.SHIPPED_COPIES_MAX + 1) * l.SHREDDED_SHIP_BYTES <= l.PORTION_ROOM_BYTES_MIN,
  ),
  relation('a portion has a size', (l) => l.PORTION_ROOM_BYTES_MIN <= l.PORTION_ROOM_BYTES_MAX),
  relation('the log has a length', (l) => l.CHECKPOINT_PAGES_MIN <= l.CHECKPOINT_PAGES_MAX),
  relation('a full disk makes commits shorter', (l) => l.WRITES_PER_COMMIT_SHORT <= l.WRITES_PER_COMMIT),
  relation('a commit takes the longest transaction', (l) => l.TRANSACTION_ITEMS_MAX <= l.WRITES_PER_COMMIT_SHORT),
];

const TIMES: readonly Relation[] = [
  relation('a lease outlives the wait for one', (l) => leaseWaitMs(l) < l.LEASE_MS),
  relation('whoever waits for a lease waits ten seconds', (l) => leaseWaitMs(l) >= 10 * SECOND_MS),
  relation('a transaction gives up before its lease ends', (l) => transactWaitMs(l) < l.LEASE_MS),
  relation(
    'a transaction gives up within an invocation of the frontend',
    (l) => transactWaitMs(l) < l.FRONTEND_SECONDS * SECOND_MS,
  ),
  relation('growing waits begin below their bound', (l) => {
    const pairs = [
      [l.LEASE_WAIT_MS, l.LEASE_WAIT_MS_MAX],
      [l.TRANSACT_BACK_OFF_MS, l.TRANSACT_BACK_OFF_MS_MAX],
      [l.DYNAMO_BACK_OFF_MS, l.DYNAMO_BACK_OFF_MS_MAX],
      [l.SQLITE_ATTEMPT_MS, l.SQLITE_BUSY_MS],
    ] as const;
    return pairs.every(([first, most]) => first <= most);
  }),
  relation('a lease that is kept has half of its time left', (l) => l.KEPT_LEASE_MS < l.LEASE_MS / 2),
  relation('open volumes are listed within a lease', (l) => l.OPEN_LIST_EVERY_MS < l.LEASE_MS),
  relation('drives are asked again within a lease', (l) => l.REFUSING_DRIVE_REST_MS < l.LEASE_MS),
  relation('a busy drive rests less than one that is away', (l) => l.BUSY_DRIVE_REST_MS < l.UNAVAILABLE_DRIVE_REST_MS),
  relation(
    'clocks of functions differ by less than clocks of machines',
    (l) => l.INVOCATION_SKEW_MS < l.CLOCK_SKEW_MS_MAX,
  ),
  relation('a run is late only after many steps', (l) => 10 * l.FUNCTION_SECONDS_MAX * SECOND_MS < l.RUN_MS_MAX),
  relation('L3 may take longer than a run', (l) => l.RUN_MS_MAX < l.DRAIN_MS_MAX),
  relation(
    'a quarantined zone is erased after everything that might write it',
    (l) => Math.max(l.DRAIN_MS_MAX, l.UPLOAD_ABANDONED_MS, l.FOREIGN_TEMPORARY_MS) < l.QUARANTINE_MS,
  ),
];

const STAGE: readonly Relation[] = [
  relation('the frontend answers before its caller gives up', (l) => l.FRONTEND_SECONDS * SECOND_MS < l.ANSWER_MS),
  relation(
    'a function answers before its caller gives up',
    (l) => l.FUNCTION_SECONDS_MAX * SECOND_MS < l.TASK_ANSWER_MS,
  ),
  relation(
    'what a function sent last has landed, or never will, before it is forgotten that it counts for nothing',
    (l) => 10 * (l.FUNCTION_SECONDS_MAX * SECOND_MS + 2 * l.CLOCK_SKEW_MS_MAX) < l.VOID_KEPT_MS,
  ),
  relation('a step ends before Lambda ends it', (l) => l.WORKER_SECONDS <= l.FUNCTION_SECONDS_MAX),
  relation('a step has more time for work than for its end', (l) => 2 * l.ENDING_MS_MAX < l.WORKER_SECONDS * SECOND_MS),
  relation(
    'SQS hides a message for as many time-outs as AWS advises',
    (l) => l.VISIBILITY_PER_TIME_OUT * l.FUNCTION_SECONDS_MAX <= l.SQS_VISIBILITY_SECONDS_MAX,
  ),
  relation('a body fits a payload, names beside it', (l) => l.BASE64_CHARACTERS_MAX < l.PAYLOAD_BYTES_MAX),
  relation('a body holds a block of the largest size', (l) => l.BLOCK_BYTES_MAX <= l.BODY_BYTES_MAX),
  relation('a part fits a body, and holds a block', (l) => {
    return l.PART_BYTES_MAX <= l.BODY_BYTES_MAX && l.BLOCK_BYTES_MAX <= l.PART_BYTES_MAX;
  }),
  relation('what is sent whole, and what is asked for, fits a body', (l) => {
    return Math.max(l.WHOLE_BODY_BYTES_MAX, l.READ_PIECE_BYTES_MAX) <= l.BODY_BYTES_MAX;
  }),
  relation(
    'a page of names fits an answer, as a body in base64 does',
    (l) => 3 * (l.LIST_BYTES_MAX + 8 * (l.OBJECT_KEY_BYTES_MAX + l.METADATA_BYTES_MAX)) <= 4 * l.BODY_BYTES_MAX,
  ),
  relation('a request may name the longest key', (l) => l.OBJECT_KEY_BYTES_MAX <= l.KEY_CHARACTERS_MAX),
  relation('a request may hold the longest metadata', (l) => l.METADATA_BYTES_MAX <= l.METADATA_CHARACTERS_MAX),
  relation('a request fits one batch of the frontend', (l) => l.OBJECTS_PER_REQUEST_MAX <= l.BATCH_OBJECTS_MAX),
  relation('a request goes with one batch of small objects', (l) => {
    return l.OBJECTS_PER_REQUEST_MAX <= l.BATCHED_OBJECTS_MAX && l.BODY_BYTES_MAX <= l.BATCHED_BYTES_MAX;
  }),
  relation(
    'of the functions of a new account requests have some left beside everything that moves bytes',
    (l) =>
      l.EXECUTIONS_OF_NEW_ACCOUNT / l.EXECUTIONS_PER_COMPACTOR +
        l.EXECUTIONS_OF_NEW_ACCOUNT / l.EXECUTIONS_PER_ENCODER +
        l.LIVE_CODERS_MAX <=
      l.EXECUTIONS_OF_NEW_ACCOUNT / 2,
  ),
  relation(
    'a client waits for longer than a step of upkeep keeps one of ten functions',
    (l) =>
      waitsMs(l.FRONTEND_ATTEMPTS_MAX - 1, 2 * l.FRONTEND_BACK_OFF_MS, l.FRONTEND_BACK_OFF_MS_MAX) / 2 > 30 * SECOND_MS,
  ),
  relation('parts share the requests', (l) => l.PARTS_AT_ONCE <= l.REQUESTS_AT_ONCE),
];

const COMPACTION: readonly Relation[] = [
  relation('a choice of sources is a 32-bit word', (l) => l.RUN_SOURCES_MAX <= 32),
  relation('the controller has room', (l) => l.THRESHOLD_MIN < l.THRESHOLD_MAX && l.THRESHOLD_MAX < 1),
  relation('a take of messages is one batch call', (l) => l.DRAIN_RECEIVE_MAX <= l.SQS_ENTRIES_MAX),
  relation('a batch call holds a message of the largest size', (l) => l.MESSAGE_BYTES_MAX <= l.SQS_BATCH_BYTES_MAX),
  relation('the queue holds what is sent at once', (l) => l.DRAIN_SENDS_AT_ONCE <= l.QUEUE_DEPTH_MAX),
  relation('sending stops before writers wait', (l) => l.DEAD_LETTERS_MAX <= l.DEAD_LETTERS_HOLD_MAX),
  relation('all letters that make writers wait can be looked at', (l) => l.DEAD_LETTERS_HOLD_MAX <= l.LETTERS_MAX),
  relation('a bucket is hidden for less than the queue may be old', (l) => l.DRAIN_VISIBILITY_MS < l.QUEUE_AGE_MS_MAX),
  relation('proportional tries are some of all', (l) => l.PROPORTIONAL_TRIES_MAX <= l.CLOSINGS_TRIED_MAX),
  relation('index plans are tried more often than upkeep', (l) => l.INDEX_ATTEMPTS_MAX > l.CONFLICT_ATTEMPTS_MAX),
  relation(
    'two of the namespaces that are kept apart hardly ever have one number',
    (l) => l.NAMESPACES_APART_MAX ** 2 * 100_000 < l.LANE_NUMBERS,
  ),
];

export const RELATIONS: readonly Relation[] = [...TRANSACTIONS, ...ROWS, ...MEMORY, ...TIMES, ...STAGE, ...COMPACTION];

const leaseWaitMs = (l: Limits): number => waitsMs(l.LEASE_WAITS_MAX, l.LEASE_WAIT_MS, l.LEASE_WAIT_MS_MAX);

const transactWaitMs = (l: Limits): number =>
  waitsMs(l.TRANSACT_ATTEMPTS_MAX, 2 * l.TRANSACT_BACK_OFF_MS, l.TRANSACT_BACK_OFF_MS_MAX);

/** What does not hold, a line each. */
export function brokenRelations(limits: Limits): string[] {
  const odd = Object.entries(limits).filter(([, value]) => !(Number.isFinite(value) && value > 0));
  return [
    ...odd.map(([name, value]) => `${name} is ${value}`),
    ...RELATIONS.filter(({ holds }) => !holds(limits)).map(({ says }) => says),
  ];
}

/** An assertion: limits are the program's own. */
export function assertLimits(limits: Limits = LIMITS): void {
  const broken = brokenRelations(limits);
  assert(broken.length === 0, `limits contradict each other: ${broken.join('; ')}`);
}
