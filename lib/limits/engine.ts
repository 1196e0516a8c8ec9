// One process and its directory: backup, rebuild, doctor, files, and whose turn it is to write.
import { DAY_MS, SECOND_MS } from '../foundation/durations.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

// Whose turn it is.

/** How long "I may write" is believed. Nothing hangs on it but how early a process that must not write stops. */
export const TURN_BELIEVED_MS = SECOND_MS;
/** Entries into the row of writers that others were quicker with: every process that opens a store writes it once. */
export const TURN_ATTEMPTS_MAX = 50;
/** Clocks of two functions differ by less: after its end and this much, an invocation counts as over. */
export const INVOCATION_SKEW_MS = 5 * SECOND_MS;
/** A file of another host or container is left behind at this age; whoever still writes it fails and says so. */
export const FOREIGN_FILE_MS = DAY_MS;

// Disk kept back in a file of its own, so that a full disk still takes deletes, GC, and the journal of both: two
// buckets, within these.

export const RESERVE_BYTES_MIN = 4 * MIB;
export const RESERVE_BYTES_MAX = 32 * MIB;
/** SQLite's log, and what it has of rows that change before they are shipped, while the disk is short of room. */
export const FREEING_LOG_BYTES = 768 * KIB;

// Deletes and GC on a disk with little room, in portions that are shipped one by one.

/** What a portion takes of the room at the most: so often it is shipped. */
export const PORTION_ROOM_BYTES_MAX = 8 * MIB;
/** With less there is no other portion. */
export const PORTION_ROOM_BYTES_MIN = 64 * KIB;
/** Of a deleted object besides its row and its key: what names it in two tables, and a share of the row it goes to. */
export const DELETED_FRAME_BYTES = 128;
/** What is shipped, once, of the GC of a deleted block: 90 bytes as it was measured. */
export const SHREDDED_SHIP_BYTES = 100;
/** Of everything that is shipped there are so many at the most: one more than any code survives. */
export const SHIPPED_COPIES_MAX = 5;

// Lists that a report holds; what is beyond is counted.

/** Findings of doctor. */
export const FINDINGS_MAX = 1000;
/** Damaged places that doctor lists. */
export const DOCTOR_DAMAGE_LISTED_MAX = 1000;
/** Things that one finding names. */
export const FINDING_NAMES_MAX = 20;
/** Parts of a volume that one finding names. */
export const FINDING_PARTS_MAX = 4;
/** Damaged places that a rebuild lists. */
export const REBUILD_DAMAGE_LISTED_MAX = 10_000;
/** Lost objects that a rebuild lists. */
export const LOST_OBJECTS_LISTED_MAX = 10_000;
/** Rows that cannot be understood and are told of. */
export const BAD_ROWS_MAX = 1000;

// Backup, restore and rebuild.

/** Bytes of a line of a backup: the longest row, as text, several times. */
export const BACKUP_LINE_BYTES_MAX = 64 * MIB;
/** Transactions of a restore at once. */
export const RESTORE_TRANSACTIONS_AT_ONCE = 16;
/** Zones that a rebuild scans side by side. */
export const SCANNED_ZONES_AT_ONCE = 16;
/** KiB of pages that the sorter of a rebuild keeps in memory. */
export const SORTER_CACHE_KIB = 24 * KIB;
/** Drives made or opened side by side. */
export const OPENED_DRIVES_AT_ONCE = 8;
/** Buckets of wasteful volumes read side by side. */
export const REWRITTEN_BUCKETS_AT_ONCE = 16;

// Files.

/** Files hashed side by side. */
export const HASHES_AT_ONCE = 8;
/** Objects of the demonstration read side by side. */
export const DEMO_READS_AT_ONCE = 8;
/** Folders synchronized side by side. */
export const SYNCS_AT_ONCE = 8;
/** Buffers kept for the next file: as many as bodies are read side by side. */
export const IDLE_PIECES_MAX = 8;
/** File systems stamp changes by a coarse clock: two within this time may bear one stamp. */
export const FILE_STAMP_MS = 10;
/** A file that had not changed for so long when it was looked at tells a later change by its times: FAT counts 2 s. */
export const STAMP_TRUSTED_MS = 2_500;
/** Bytes of a file that is read whole by a thread, with others. */
export const READ_WHOLE_BYTES_MAX = 256 * KIB;
/** Bytes of files, and files, that a thread reads in one go. */
export const READ_AHEAD_BATCH_BYTES = MIB;
export const READ_AHEAD_BATCH_FILES = 128;
/** Batches that are read before they are wanted. */
export const READ_AHEAD_BATCHES = 4;
/** Threads that read files: one reads and hashes several times as fast as the others take, and each is 10 MiB. */
export const FILE_READERS = 1;
/** Blocks of a batch from which on threads seal them, and bytes of what one thread seals in one go. */
export const SEAL_JOBS_FROM_BLOCKS = 32;
export const SEAL_JOB_BYTES = MIB;
/**
 * Jobs that wait for a thread: copies that wait are memory, but whoever asks has other things to do for some tens of
 * milliseconds, and a job takes three.
 */
export const SEAL_JOBS_AHEAD = 4;
/** Threads that seal, at the most: one core is for the rest. */
export const SEALERS_MAX = 4;
/** Remembered objects that are confirmed together. */
export const CONFIRMED_AT_ONCE = 2_000;
/** Files of a folder that are looked at before others have their turn. */
export const LOOKED_AT_ONCE = 128;

// Room in the hot tier of a store in a directory.

/** How often its fill is looked at. */
export const RELIEF_LOOK_EVERY_MS = SECOND_MS;
/** Passes of the encoder one put waits for. */
export const RELIEF_PASSES_MAX = 3;

/** Objects of a drive that are copied at once, of a few drives. */
export const COPIES_AT_ONCE = 8;
export const DRIVES_COPIED_AT_ONCE = 4;

// Trees of files that are written.

/** Threads that open records and write files: one for each processor, and beyond these the disk has enough to do. */
export const WRITE_THREADS_MAX = 4;
/** Orders of a few MiB that a thread has: one it works on, and the next. */
export const ORDERS_A_THREAD = 2;
/** Folders that are known to be plain ones. */
export const FOLDERS_KNOWN_MAX = 16_384;
/** Files that one order has compared with their objects: a hundredth of a second's work. */
export const COMPARED_TOGETHER_MAX = 64;
/** Files that get their names after one sync: a get that is killed has lost as many at the most. */
export const NAMED_TOGETHER_MAX = 4096;
export const NAMED_TOGETHER_BYTES_MAX = 512 * MIB;
