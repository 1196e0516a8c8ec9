// Codes, keys, drives and the queue: memory, the size of requests, and what others' services take.
import { DAY_MS } from '../foundation/durations.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

// Codes.

/** Columns of a code: rows and headers have a place for each. */
export const CODE_COLUMNS_MAX = 16;
/** Loss patterns kept: two 16-bit masks each, with its program a few kilobytes. */
export const PATTERNS_MAX = 512;
/** Values of a program: the radix of pairs of them, far more than any has. */
export const PROGRAM_VALUES_MAX = 0x1_0000;
/** Compiled programs kept: a module is 1 to 3 KB of code, a few times that once compiled. */
export const MODULES_MAX = 256;
/** Bytes of all groups that are being coded. */
export const GROUP_MEMORY_BYTES_MAX = 1024 * MIB;
/** Bytes kept for the next group when none is using them. */
export const GROUP_MEMORY_IDLE_BYTES_MAX = 192 * MIB;
/** Bytes of each column that are gathered and coded at once: those of all columns fit a core's cache. */
export const CODED_WINDOW_BYTES = 64 * KIB;
/** Buckets of a directory pack, more than any volume holds: what a reader fetches and allocates for an index. */
export const PACK_BUCKETS_MAX = 65_536;
/** Exchanges between columns when records are placed: each evens them out more. */
export const PLACEMENT_EXCHANGES_MAX = 64;

// Memory that threads share.

/** Of one piece: for files that are read in one go, or for records of blocks that are sealed in one go. */
export const LENT_BYTES = MIB + 320 * KIB;
/** Kept for the next who asks: puts hold about as much at once. */
export const LENT_IDLE_BYTES_MAX = 96 * MIB;
/** The same of large blocks and their records: those of a group are let go while the next one comes. */
export const BLOCK_IDLE_BYTES_MAX = 16 * MIB;

// Keys.

/**
 * A compressed body is kept if it is at most this share of the block: less is not worth decompressing on every read.
 */
export const COMPRESSED_SHARE_MAX = 0.97;
/** Memory of one ciphertext that is given back at once: of less, the collector is as quick. */
export const GIVEN_BACK_BYTES_MIN = 4 * KIB;
/** Log2 of zstd's window: no block needs more than its own 4 MiB. Frames that ask for more memory are refused. */
export const WINDOW_LOG_MAX = 22;
/** Bytes of a key file: thousands of versions. */
export const KEY_FILE_BYTES_MAX = 4 * MIB;
/** Reads of a key file that each time is replaced meanwhile: a rotation takes milliseconds, so a hundred are none. */
export const KEY_FILE_READS_MAX = 100;
/** Looks at a lock file that another process holds: ten seconds in all, and a change of keys takes far less. */
export const KEY_LOCK_POLLS_MAX = 500;
export const KEY_LOCK_POLL_MS = 20;
/** Changes of the key ring that others were quicker with. Rotations are rare: ten in a row is a fault. */
export const KEY_RING_ATTEMPTS_MAX = 10;

// Drives.

/** Stat calls of one listing under way at once. */
export const STATS_AT_ONCE = 8;
/** Zones of a bucket listed side by side. */
export const LISTINGS_AT_ONCE = 16;
/** Keys of one DeleteObjects (S3). */
export const S3_DELETE_KEYS_MAX = 1000;
/** Bytes read of a drive's marker. */
export const MARKER_BYTES_MAX = KIB;
/** A range up to this long is allocated on the word of the caller; beyond it the file is asked first. */
export const TRUSTED_RANGE_BYTES_MAX = MIB;
/**
 * Bytes of one write: the kernel takes cache for it in pieces as large, and large ones only out of memory that nobody
 * used yet, which the host of a virtual machine has to give it first: 16 MiB at once take up to seven times as long.
 */
export const WRITE_BYTES_MAX = 128 * KIB;
/** A temporary file of another host or container is taken for dead at this age; whoever still writes it fails. */
export const FOREIGN_TEMPORARY_MS = DAY_MS;

// The queue.

/** Bytes of a message: a bucket's name and its volumes' take a few hundred. */
export const MESSAGE_BYTES_MAX = 64 * KIB;
/**
 * Deliveries of a message before it is a dead letter. A queue counts those, too, whose function was turned away or died
 * of another message: so many are not all of that kind.
 */
export const RECEIVES_MAX = 15;
/** Messages of one batch call (SQS). */
export const SQS_ENTRIES_MAX = 10;
/** Bytes of one batch call (SQS). */
export const SQS_BATCH_BYTES_MAX = 256 * KIB;
/** How long SQS may hide a message. */
export const SQS_VISIBILITY_SECONDS_MAX = 43_200;
/** A long poll: all servers of the queue are asked only when a receive may wait. */
export const SQS_WAIT_SECONDS = 1;
/** Dead letters that are looked at are hidden this long, and shown again at once afterwards. */
export const SQS_LOOK_SECONDS = 30;
