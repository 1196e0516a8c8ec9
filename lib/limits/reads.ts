// Reading records and directories: requests at once, memory of what was read, and when it is not tried again.
const KIB = 1024;
const MIB = 1024 * KIB;

// Trying again.

/** A bucket that moves faster than it can be read this often is not going to be caught. */
export const RESOLVES_MAX = 6;
/** Reads of one block by a get: each after its row was read anew and had changed. */
export const READ_ATTEMPTS_MAX = 4;

// Requests at once.

/** Spans of records read ahead of whoever opens them: 8 MiB of memory, and as many drives at work. */
export const SPANS_AT_ONCE = 4;
/** Columns read side by side: every column of the widest code. */
export const COLUMNS_AT_ONCE = 16;
/** Columns of one bucket that are collected side by side: a mover reads several buckets. */
export const COLLECTED_COLUMNS_AT_ONCE = 8;
/** Chunks looked into side by side, to tell which records can be read. */
export const CHECKED_CHUNKS_AT_ONCE = 16;

// Bytes of one request.

/**
 * A record up to this size is read and checked whole: no more requests, and hardly more time, than for a byte of it.
 */
export const WHOLE_RECORD_BYTES_MAX = 64 * KIB;
/** Of ranges that many columns are read for: the bytes between them cost as often. */
export const REBUILD_GAP_BYTES_MAX = 64 * KIB;
/** Of records that are read together: a second request takes as long as these bytes. */
export const TOGETHER_GAP_BYTES_MAX = 64 * KIB;
/** Of one read of records together: far more than a request costs, and little enough for several in memory. */
export const TOGETHER_SPAN_BYTES_MAX = 2 * MIB;
/** An object up to this size is checked in one request. */
export const CHECKED_OBJECT_BYTES_MAX = 8 * MIB;
/**
 * What is read of a pack for one bucket: about 8,000 slots, the whole pack of most volumes. More would cost every
 * reader time, less would cost many a second request; a directory beyond it is one more request of exactly its bytes.
 */
export const PACK_HEAD_BYTES = 128 * KIB;
/**
 * Whoever copies buckets reads far more than this, so a pack up to this size is read whole: no further request for the
 * next bucket.
 */
export const WHOLE_PACK_BYTES_MAX = 8 * MIB;

// Memory of what was read.

/** Bytes of directories of open volumes. */
export const GROUP_DIRECTORIES_BYTES_MAX = 32 * MIB;
/** Bytes of directories of sealed volumes: two packs of the largest size that is read whole. */
export const SEALED_DIRECTORIES_BYTES_MAX = 2 * WHOLE_PACK_BYTES_MAX;
/** Bytes of the tables of contents of packs. */
export const PACK_TABLES_BYTES_MAX = 4 * MIB;
/** Volumes whose directories may be in memory: the key sets that find them again. */
export const CACHED_VOLUMES_MAX = 4096;
/** Chunks whose column lengths are known. */
export const CACHED_LENGTHS_MAX = 16_384;
/** Bucket rows: where buckets are now. */
export const CACHED_BUCKET_ROWS_MAX = 16_384;
/** Bytes of volume rows. */
export const CACHED_VOLUME_ROWS_BYTES_MAX = 8 * MIB;
/** Lost columns that are not noted twice. */
export const NOTED_LOSSES_MAX = 4096;
/** Chunks that a repair makes again at once, and what they and the windows they are made of may take in memory. */
export const REPAIRED_CHUNKS_AT_ONCE = 4;
export const REPAIR_READ_BYTES_MAX = 256 * MIB;
/** Of each column, read at once to make a chunk again: whole cells. */
export const REPAIR_WINDOW_BYTES = 4 * MIB;
