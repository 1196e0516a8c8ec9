// Panda: what DynamoDB takes, which every body keeps to, and how work is cut to fit.
import { SECOND_MS } from '../foundation/durations.ts';

// Bounds of DynamoDB (developer guide, "Quotas").

/** Writes of one transaction: TransactWriteItems. */
export const TRANSACTION_ITEMS_MAX = 100;
/** Bytes of all writes of a transaction. */
export const TRANSACTION_BYTES_MAX = 4 * 1024 * 1024;
/** Bytes of a row with its names: an item. */
export const ROW_BYTES_MAX = 400 * 1024;
/** Bytes of UTF-8 of a sort key; a partition key might have 2,048 and is held to the same. */
export const ROW_KEY_BYTES_MAX = 1024;
/** Bytes of UTF-8 of an attribute's name, as an expression names it. */
export const ATTRIBUTE_NAME_BYTES_MAX = 255;
/** Keys of one getMany: BatchGetItem. */
export const GET_MANY_MAX = 100;
/** Clauses of a condition, names of an update, values of a oneOf: limits on expressions, rounded down. */
export const EXPRESSION_PARTS_MAX = 100;

// Pages: they bound memory, and how long a process answers nothing else.

/** Rows of a page of query or scan. */
export const PAGE_ROWS_MAX = 1000;
/** A page ends at about this size, as DynamoDB's do: memory stays bounded whatever the rows. */
export const PAGE_BYTES_MAX = 1024 * 1024;
/** Values up to this are read a page at a time; a page with a larger one row by row, so that it can end early. */
export const SHORT_VALUE_BYTES_MAX = 2048;
/** Characters of a stored row: one control character a byte, six characters each, and room for an attribute's frame. */
export const ROW_TEXT_CHARACTERS_MAX = 16 * ROW_BYTES_MAX;

// How work is cut.

/** Keys asked for in one getMany: the fewest round trips. */
export const KEYS_AT_ONCE = 100;
/**
 * Things of a transaction that want two rows each: (block, object) pairs of an index transaction (protocol 4), slots
 * that are shredded, references given back, buckets that move with the volumes they leave.
 */
export const PAIRS_PER_TRANSACTION = 45;
/** Rows of a COMMIT: volume, group, bucket. */
export const COMMIT_ROWS = 3;
/** Rows that guard such a transaction or tell how far it came: leases, the volume, the cursor. */
export const GUARD_ROWS_MAX = 10;
/**
 * Writes that need not be done together: half of what a transaction takes. Larger ones are in conflict with others more
 * often, and lose more work then.
 */
export const ROWS_PER_TRANSACTION = 50;
/** Writes of a merge's index transaction: the check of its group and a few more stay free. */
export const MERGE_ITEMS_MAX = 96;
/** Writes of one renewal at the most: block, two trash rows, bucket and dead row of the old slot. */
export const RENEWAL_ITEMS_MAX = 5;

// Rows that name many things.

/** Blocks an object row lists itself: as many (block, object) pairs as one index transaction takes. */
export const BLOCKS_INLINE_MAX = 45;
/** Bytes of the objects that a row of removed ones lists, as far as it holds their references. */
export const HELD_BYTES_MAX = 60 * 1024;
/** A slot that such a row notes: which reference, record id, bucket, slot and length. */
export const NOTED_SLOT_BYTES = 32;
/** Record ids of a row of the shred log, 16 bytes each: as many as fit a packed attribute. */
export const SHREDDED_IDS_MAX = 2048;
/** Slots of a group row, which has GROUP_SLOT_BYTES for each. */
export const GROUP_SLOTS_MAX = 4096;
/** A slot in a group row: block id, record id and length. */
export const GROUP_SLOT_BYTES = 52;
/** Buckets of a volume: its row names them all, 16 digits each. */
export const VOLUME_BUCKETS_MAX = 256;
/** New buckets of one merged group: their rows and dead bits are settled together, two writes each. */
export const MERGED_BUCKETS_MAX = 40;
/** Remnants of one merge run, whose journal names them all. What is beyond is for the next run. */
export const RUN_REMNANTS_MAX = 8192;

/** A packed attribute of a row: the few blocks of an object, and room for what a later release keeps there. */
export const PACKED_BYTES_MAX = 64 * 1024;
/** Objects that one index transaction removes, at most PAIRS_PER_TRANSACTION, with the longest names and metadata. */
export const REMOVED_BYTES_MAX = 300 * 1024;

// Trying again.

/** Reads of DynamoDB that were throttled, with growing waits: about two seconds in all. */
export const DYNAMO_READ_ATTEMPTS_MAX = 6;
/**
 * Sends of one write whose answer was lost. DynamoDB does one token once; what is still unknown then is for the
 * protocol above, which reads the rows.
 */
export const DYNAMO_SEND_ATTEMPTS_MAX = 3;
/** The first wait is up to twice this. */
export const DYNAMO_BACK_OFF_MS = 25;
export const DYNAMO_BACK_OFF_MS_MAX = SECOND_MS;
/** A SQLite file that others hold: more than the longest COMMIT of another process takes. */
export const SQLITE_BUSY_MS = 5 * SECOND_MS;
/** SQLite waits for a lock by sleeping, which stops the whole process: so it waits in short attempts. */
export const SQLITE_ATTEMPT_MS = 100;
/** Two processes that open a new file at once: SQLite may refuse one without waiting. A second in all. */
export const LOG_SWITCH_ATTEMPTS_MAX = 100;
export const LOG_SWITCH_PAUSE_MS = 10;

// Memory and disk of the SQLite body.

/** Writes that share a COMMIT at the most: the process answers nothing else meanwhile. */
export const WRITES_PER_COMMIT = 2000;
/** Writes of a process after which a thread commits for it: it takes a while to start, and memory. */
export const WRITES_BEFORE_THREAD = 6000;
/** On a disk that was full: every write is a page or more in the log first. */
export const WRITES_PER_COMMIT_SHORT = 100;
/** KiB of pages that SQLite keeps in memory. */
export const SQLITE_CACHE_KIB = 32 * 1024;
/** The same of the journal's reader, and of the main thread once another one writes. */
export const SQLITE_CACHE_KIB_BESIDE_THREAD = 4 * 1024;
/** MiB of short-lived objects of that thread, whose messages are small. */
export const THREAD_YOUNG_MIB = 4;
/** Pages of the log before it is copied into the file: 16 MiB, so that hot pages are copied once for many commits. */
export const CHECKPOINT_PAGES_MAX = 4096;
/** The least, on a disk that is nearly full. */
export const CHECKPOINT_PAGES_MIN = 64;
/** Bytes that the log keeps of a time when it was longer: twice as long as it gets where nobody reads for long. */
export const LOG_BYTES_KEPT = 2 * 16 * 1024 * 1024;
/** Bytes read of the note beside a damaged file: it is shown to a person. */
export const DAMAGE_NOTE_BYTES_MAX = 200;
/** Faults that SQLite's integrity check lists: the first few say what is wrong. */
export const INTEGRITY_FAULTS_MAX = 20;

/** Of one name, given back by blocks whose object never came; older ones are forgotten. */
export const VOID_VERSIONS_MAX = 1_000;
