// Put, get, list and delete: what a name may be, how much is in memory, and how often a batch is tried.
import { DAY_MS, MINUTE_MS, SECOND_MS } from '../foundation/durations.ts';

const MIB = 1024 * 1024;

// What a caller may ask for.

/** Bytes of UTF-8 of an object's key: it is a sort key in Panda. */
export const OBJECT_KEY_BYTES_MAX = 1024;
/** Bytes of an object's metadata: it is kept in the object's row. */
export const METADATA_BYTES_MAX = 2048;
/** Bytes of what S3 keeps of an object in its row: headers, 2 KiB of its users' metadata, tags, checksums. */
export const SYSTEM_BYTES_MAX = 6 * 1024;
/** Bytes of the lengths of an object's parts in its row: 10,000 parts of different lengths take a little more. */
export const MANIFEST_BYTES_MAX = 56 * 1024;
/** Entries of a page of names: a page of Panda. */
export const LIST_LIMIT_MAX = 1000;
/** Of such a page as JSON within JSON: a function's answer has at most 6 MB. */
export const LIST_BYTES_MAX = 4 * 1024 * 1024;
/** Of an entry beside its name and metadata: versions, sizes, times, names of fields. */
export const LIST_ENTRY_BYTES = 512;
/** Plain bytes of a block of the largest size. */
export const BLOCK_BYTES_MAX = 4 * MIB;

// A put.

/** Bytes of bodies that all puts of a process hold at once. */
export const PUT_MEMORY_BYTES_MAX = 32 * MIB;
/** Bytes read ahead of the batch that is being stored. */
export const PUT_AHEAD_BYTES_MAX = 8 * MIB;
/** Bodies read side by side: small files are read faster than one by one. */
export const BODIES_AT_ONCE = 8;
/** Objects too long for one batch that are written side by side. */
export const LONG_PUTS_AT_ONCE = 2;
/** Segments of long objects that are stored side by side. */
export const SEGMENTS_AT_ONCE = 3;
/** Objects of a batch: its index transactions stay few enough to be done in one go. */
export const BATCH_OBJECTS_MAX = 1024;
/** Blocks sealed side by side: as many as libuv has threads. */
export const SEALS_AT_ONCE = 4;
/** Index transactions of one batch at once: those that are pending together share an fsync. */
export const INDEX_TRANSACTIONS_AT_ONCE = 16;
/** Plain writes of one batch at once, where they are cheaper than transactions. */
export const PLAIN_WRITES_AT_ONCE = 32;
/** Objects of a batch from which on plain writes pay for the round trips they add. */
export const NAMED_PUTS_MIN = 2;
/** What a record is longer than its block at the most, for sums made before it is sealed. */
export const RECORD_SLACK_BYTES = 64;
/** Stores of a batch from the start: its lease was broken, GC took a block in between, or its key is going. */
export const BATCH_ATTEMPTS_MAX = 8;
/**
 * Plans of one index transaction. Many writers may want the same object, and each conflict means that one of them got
 * on: twice as often as where only upkeep is in the way.
 */
export const INDEX_ATTEMPTS_MAX = 40;
/** Looks whether the hot tier has room again after relief: the first may only wait for a pass begun before. */
export const HOT_RELIEFS_MAX = 3;
/** From this part of `hotBytesMax` on what is hot is encoded whatever its age, down to the second. */
export const HOT_PRESSURE_SHARE = 0.5;
export const HOT_RELIEVED_SHARE = 0.375;
/** From this part on whoever puts much is held back: before puts are refused, and after encoders were called. */
export const HOT_HOLD_SHARE = 0.8;
/** Of a request of about this size, the most there are, when nearly nothing is left. */
export const HOT_HOLD_BYTES = 4 * MIB;
/** A few of them a second then: less than encoders code. A function that waits is paid for. */
export const HOT_HOLD_MS_MAX = 2 * SECOND_MS;
/** A process that sees the pressure asks for an encoder this often: it may be one of many that do. */
export const HOT_SIGNAL_EVERY_MS = 30 * SECOND_MS;
/** How long "the hot tier is full" is believed. */
export const HOT_LOOK_EVERY_MS = 5 * SECOND_MS;
/** How long the current key is used without asking: a rotation takes effect everywhere after this. */
export const KEK_LOOK_EVERY_MS = MINUTE_MS;
/** An upload of another process is given up this long after it began. */
export const UPLOAD_ABANDONED_MS = DAY_MS;

// Small objects that come one by one, and are put together.

/** Bytes of a body that is read whole before it is stored, together with others. */
export const SMALL_BODY_BYTES_MAX = 256 * 1024;
/** Objects of one batch: all of a request to the stage's function. */
export const BATCHED_OBJECTS_MAX = 256;
/** Bytes of one batch: all of a request, and some of others. */
export const BATCHED_BYTES_MAX = 8 * MIB;
/** Batches that are stored at once: one is coded while the other is indexed. */
export const BATCHES_AT_ONCE = 2;
/** What waits at a server before a second batch is begun beside the first: less of it goes together a moment later. */
export const BESIDE_FROM_OBJECTS = 64;
export const BESIDE_FROM_BYTES = 2 * MIB;
/** How long a batch of a server waits for as many as came before: clients come again in a part of that. */
export const GATHER_MS = 5;

// A put of much at once (lib/live-coder/bulk-coder.ts).

/** A put is a bulk one from so many groups on, where these are small. */
export const BULK_FROM_GROUPS = 4;
/** From so much on it is one in any case, if that makes a group: all of it is in memory until then. */
export const BULK_FROM_BYTES_MAX = 48 * MIB;
/** Bytes of such a group at the least, where a store has groups as large: it is in memory until it is written. */
export const BULK_GROUP_BYTES_MIN = 36 * MIB;
/** Of its longest records a column of such a group takes so many at the least: fewer, and columns are not level. */
export const BULK_RECORDS_PER_COLUMN = 2.5;
/** Batches of such a group at the least: what fills a volume is chosen among them. */
export const BULK_BATCHES_PER_GROUP = 3;

// A get.

/** Bytes that one get reads ahead. */
export const GET_AHEAD_BYTES_MAX = 16 * MIB;
/** Blocks that one get reads ahead: many small ones are as many requests. */
export const GET_AHEAD_BLOCKS_MAX = 32;
/** Bytes read ahead by all gets of a process, beyond the block each is reading. */
export const READ_AHEAD_BYTES_MAX = 32 * MIB;
/** Objects that are put in the order of where they lie before they are read: their rows take about 1 KiB each. */
export const OBJECTS_TOGETHER_MAX = 4096;
/** Fewer than these are read one by one: threads that open them would take longer to start. */
export const OBJECTS_TOGETHER_MIN = 64;
/** Block rows read together: two read-aheads. */
export const BLOCK_ROWS_AT_ONCE = 64;

// A delete.

/** Objects of one round of deletes, whose rows are read in one getMany. */
export const DELETES_AT_ONCE = 90;
/** Rounds of a delete whose object changed meanwhile. */
export const DELETE_ATTEMPTS_MAX = 5;

// Giving references back.

/** References that one step of GC has in memory: the more, the more slots of one bucket die in one transaction. */
export const HELD_REFERENCES_AT_ONCE = 16_384;
/** Rows of removed objects that GC works off side by side. */
export const HELD_ROWS_AT_ONCE = 4;
/** Buckets whose dead bits GC writes side by side. */
export const BURIED_BUCKETS_AT_ONCE = 8;

/**
 * How long a listing leaves out what was given up, and may land late: a function sent it, which ends within minutes,
 * and DynamoDB refuses what was signed some minutes ago.
 */
export const VOID_KEPT_MS = DAY_MS;

// Rewrapping keys.

/** Rewrapping transactions at once. */
export const REWRAP_TRANSACTIONS_AT_ONCE = 8;
