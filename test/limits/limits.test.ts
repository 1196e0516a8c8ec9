// Bounds and what must hold between them: every relation is broken once, and has to be found.
import { describe, expect, it } from 'vitest';
import { LIMITS, type Limits, ROOMS } from '../../lib/limits/limits.ts';
import { assertLimits, brokenRelations, RELATIONS } from '../../lib/limits/relations.ts';

const MIB = 1024 * 1024;

/** A change of one bound, and the start of the sentence it breaks. */
const BROKEN: readonly (readonly [Partial<Limits>, string])[] = [
  [{ KEYS_AT_ONCE: 101 }, 'KEYS_AT_ONCE is what one getMany takes'],
  [{ GET_MANY_MAX: 25 }, 'KEYS_AT_ONCE is what one getMany takes'],
  [{ BLOCK_ROWS_AT_ONCE: 128 }, 'the rows of a read-ahead fit one getMany'],
  [{ DELETES_AT_ONCE: 101 }, 'the objects of a round of deletes fit one getMany'],
  [{ PAIRS_PER_TRANSACTION: 48 }, 'pairs of rows and the rows that guard them fit a transaction'],
  [{ TRANSACTION_ITEMS_MAX: 25 }, 'pairs of rows and the rows that guard them fit a transaction'],
  [{ BLOCKS_INLINE_MAX: 46 }, 'an object that lists its blocks itself is one index transaction'],
  [{ HELD_BYTES_MAX: 64 * 1024 }, 'references that a row of removed objects holds, and the slots that it notes'],
  [{ NOTED_SLOT_BYTES: 64 }, 'references that a row of removed objects holds, and the slots that it notes'],
  [{ SHREDDED_IDS_MAX: 8192 }, 'a row of the shred log is no longer than'],
  [{ ROWS_PER_TRANSACTION: 100 }, 'rows that need not be together, and a check, fit a transaction'],
  [{ MERGE_ITEMS_MAX: 100 }, 'a transaction of a merge fits'],
  [{ MERGED_BUCKETS_MAX: 46 }, 'the buckets of a merged group are settled in one transaction'],
  [{ RENEWAL_ITEMS_MAX: 95 }, 'a transaction takes several renewals'],
  [{ ROW_BYTES_MAX: 3 * MIB }, 'a transaction takes several of the longest rows'],
  [{ OBJECT_KEY_BYTES_MAX: 1025 }, 'an object key is a sort key'],
  [{ METADATA_BYTES_MAX: 400 * 1024 }, 'an object row holds its key'],
  [{ MANIFEST_BYTES_MAX: 64 * 1024 }, 'what S3 keeps of an object'],
  [{ SYSTEM_BYTES_MAX: 63 * 1024 }, 'what S3 keeps of an object'],
  [{ GROUP_SLOTS_MAX: 8192 }, 'a group row holds its slots'],
  [{ VOLUME_BUCKETS_MAX: 65_536 }, 'a volume row holds the names of its buckets'],
  [{ RUN_REMNANTS_MAX: 16_384 }, 'a journal row holds the remnants of its run'],
  [{ LIST_LIMIT_MAX: 1001 }, 'a page of names is a page of Panda'],
  [{ PAGE_BYTES_MAX: 1024 }, 'a page holds the longest row'],
  [{ ROW_TEXT_CHARACTERS_MAX: 400 * 1024 }, 'a stored row has room for escapes'],
  [{ BACKUP_LINE_BYTES_MAX: MIB }, 'a line of a backup holds the longest row'],
  [{ PACK_BUCKETS_MAX: 255 }, 'a pack has room for the buckets of a volume'],
  [{ VOLUME_BUCKETS_MAX: 39 }, 'a merged group fits a volume'],
  [{ PUT_AHEAD_BYTES_MAX: 48 * MIB }, 'a put holds what is read ahead'],
  [{ READ_AHEAD_BYTES_MAX: 16 * MIB }, 'one get may not take all'],
  [{ GET_AHEAD_BYTES_MAX: 4 * MIB }, 'a get reads two of the largest blocks ahead'],
  [{ GET_AHEAD_BLOCKS_MAX: 65 }, 'the rows of a read-ahead are read together'],
  [{ WINDOW_LOG_MAX: 21 }, 'zstd looks back over a whole block'],
  [{ BATCH_OBJECTS_MAX: 4097 }, 'a batch is stored within one group row'],
  [{ GROUP_MEMORY_IDLE_BYTES_MAX: 2048 * MIB }, 'kept memory is part of all memory'],
  [{ SEALED_DIRECTORIES_BYTES_MAX: MIB }, 'a pack read whole is kept'],
  [{ PACK_HEAD_BYTES: 9 * MIB }, 'the head of a pack is part of it'],
  [{ IDLE_PIECES_MAX: 7 }, 'there is a buffer for each body'],
  [{ COLUMNS_AT_ONCE: 15 }, 'all columns of a code are read at once'],
  [{ RESERVE_BYTES_MIN: 64 * MIB }, 'the reserve has a size'],
  [{ FREEING_LOG_BYTES: 1.7 * MIB }, 'half of the smallest reserve, its log beside, holds the longest row'],
  [{ SHIPPED_COPIES_MAX: 24 }, 'half of the smallest reserve, its log beside, holds the longest row'],
  [{ FREEING_LOG_BYTES: MIB }, 'half of the smallest reserve holds a portion of GC'],
  [{ SHREDDED_SHIP_BYTES: 1000 }, 'GC shreds several slots in the least portion'],
  [{ PORTION_ROOM_BYTES_MAX: 1024 }, 'a portion has a size'],
  [{ CHECKPOINT_PAGES_MIN: 5000 }, 'the log has a length'],
  [{ WRITES_PER_COMMIT_SHORT: 2001 }, 'a full disk makes commits shorter'],
  [{ WRITES_PER_COMMIT_SHORT: 99 }, 'a commit takes the longest transaction'],
  [{ VOID_KEPT_MS: 9_000_000 }, 'what a function sent last has landed, or never will,'],
  [{ LIST_BYTES_MAX: 6 * MIB }, 'a page of names fits an answer'],
  [{ LEASE_MS: 10_000 }, 'a lease outlives the wait for one'],
  [{ LEASE_WAITS_MAX: 30 }, 'whoever waits for a lease waits ten seconds'],
  [{ LEASE_MS: 8_000 }, 'a transaction gives up before its lease ends'],
  [{ TRANSACT_ATTEMPTS_MAX: 40 }, 'a transaction gives up within an invocation'],
  [{ DYNAMO_BACK_OFF_MS: 2_000 }, 'growing waits begin below their bound'],
  [{ OPEN_LIST_EVERY_MS: 60_000 }, 'open volumes are listed within a lease'],
  [{ REFUSING_DRIVE_REST_MS: 60_000 }, 'drives are asked again within a lease'],
  [{ BUSY_DRIVE_REST_MS: 5_000 }, 'a busy drive rests less'],
  [{ INVOCATION_SKEW_MS: 600_000 }, 'clocks of functions differ by less'],
  [{ RUN_MS_MAX: 3_600_000 }, 'a run is late only after many steps'],
  [{ DRAIN_MS_MAX: 6 * 3_600_000 }, 'L3 may take longer than a run'],
  [{ QUARANTINE_MS: 24 * 3_600_000 }, 'a quarantined zone is erased after'],
  [{ FRONTEND_SECONDS: 90 }, 'the frontend answers before its caller gives up'],
  [{ TASK_ANSWER_MS: 900_000 }, 'a function answers before its caller gives up'],
  [{ WORKER_SECONDS: 901 }, 'a step ends before Lambda ends it'],
  [{ ENDING_MS_MAX: 150_000 }, 'a step has more time for work than for its end'],
  [{ VISIBILITY_PER_TIME_OUT: 49 }, 'SQS hides a message for as many time-outs'],
  [{ BASE64_CHARACTERS_MAX: 6 * MIB }, 'a body fits a payload'],
  [{ BODY_BYTES_MAX: 4 * MIB - 1 }, 'a body holds a block of the largest size'],
  [{ PART_BYTES_MAX: 5 * MIB }, 'a part fits a body'],
  [{ READ_PIECE_BYTES_MAX: 5 * MIB }, 'what is sent whole, and what is asked for'],
  [{ KEY_CHARACTERS_MAX: 1023 }, 'a request may name the longest key'],
  [{ METADATA_CHARACTERS_MAX: 2047 }, 'a request may hold the longest metadata'],
  [{ BATCHED_OBJECTS_MAX: 255 }, 'a request goes with one batch of small'],
  [{ OBJECTS_PER_REQUEST_MAX: 1025 }, 'a request fits one batch of the frontend'],
  [{ PARTS_AT_ONCE: 5 }, 'parts share the requests'],
  [{ RUN_SOURCES_MAX: 33 }, 'a choice of sources is a 32-bit word'],
  [{ THRESHOLD_MAX: 0.01 }, 'the controller has room'],
  [{ DRAIN_RECEIVE_MAX: 11 }, 'a take of messages is one batch call'],
  [{ MESSAGE_BYTES_MAX: 512 * 1024 }, 'a batch call holds a message'],
  [{ DRAIN_SENDS_AT_ONCE: 257 }, 'the queue holds what is sent at once'],
  [{ EXECUTIONS_PER_COMPACTOR: 2 }, 'of the functions of a new account'],
  [{ FRONTEND_ATTEMPTS_MAX: 7 }, 'a client waits for longer than'],
  [{ DEAD_LETTERS_MAX: 101 }, 'sending stops before writers wait'],
  [{ LETTERS_MAX: 99 }, 'all letters that make writers wait'],
  [{ DRAIN_VISIBILITY_MS: 15 * 60_000 }, 'a bucket is hidden for less'],
  [{ PROPORTIONAL_TRIES_MAX: 13 }, 'proportional tries are some of all'],
  [{ INDEX_ATTEMPTS_MAX: 20 }, 'index plans are tried more often'],
  [{ KEPT_LEASE_MS: 30_000 }, 'a lease that is kept has half of its time left'],
  [{ NAMESPACES_APART_MAX: 16 }, 'two of the namespaces that are kept apart'],
];

describe('limits', () => {
  it('agree with each other as they are', () => {
    expect(brokenRelations(LIMITS)).toEqual([]);
    expect(() => assertLimits()).not.toThrow();
  });

  it('have a name each, whatever the room', () => {
    const names = Object.values(ROOMS).flatMap((room) => Object.keys(room));
    expect(new Set(names).size).toBe(names.length);
    expect(Object.keys(LIMITS)).toHaveLength(names.length);
  });

  it.each(BROKEN)('%o breaks a relation, which is named', (change, says) => {
    const limits: Limits = { ...LIMITS, ...change };
    expect(brokenRelations(limits).filter((line) => line.startsWith(says))).toHaveLength(1);
    expect(() => assertLimits(limits)).toThrow('limits contradict each other');
  });

  it('has an example for each relation', () => {
    const without = RELATIONS.filter(({ says }) => !BROKEN.some(([, start]) => says.startsWith(start)));
    expect(without.map(({ says }) => says)).toEqual([]);
  });

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('refuses a bound of %d', (value) => {
    expect(brokenRelations({ ...LIMITS, SYNCS_AT_ONCE: value })).toEqual([`SYNCS_AT_ONCE is ${value}`]);
  });
});
