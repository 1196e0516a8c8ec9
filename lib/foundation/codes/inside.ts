// Codes of what happens inside: bytes on drives, and writers that get in each other's way.
import type { CodeTable } from './code-table.ts';

/** Bytes on drives. A read tries the other columns first: a caller sees these only when they do not suffice. */
export const BYTES_CODES = {
  RECORD_LOST: ['corrupt', 'a record cannot be rebuilt: too many columns are gone or damaged'],
  RECORD_WAITS: ['retry', 'a record cannot be rebuilt until drives that are away come back'],
  RECORD_MOVING: ['retry', 'a record was moved whenever it was looked for'],
  RECORD_GONE: ['missing', 'a record is not where its row says'],
  RECORD_CHECKSUM: ['corrupt', 'the checksum of a record does not match'],
  RECORD_FOREIGN: ['corrupt', 'another record is where this one should be'],
  RECORD_MALFORMED: ['corrupt', 'a record is not built as one must be'],
  RECORD_VERSION: ['corrupt', 'a record has a format that this release does not know'],
  BLOCK_CORRUPT: ['corrupt', 'a block does not decrypt or unpack to what it was'],
  BLOCK_LIST_SHORT: ['corrupt', 'an object has lost a part of its list of blocks: run `doctor`'],
  BLOCK_MISSING: ['missing', 'there is no block of that hash (any more)'],
  BLOCK_ROW_MISSING: ['corrupt', 'a block that is referred to has no row: run `doctor`'],
  REFERENCES_WRONG: ['corrupt', 'a block has fewer references than it must: run `doctor`'],
  CHUNK_MISSING: ['missing', 'an object of a drive is not there'],
  CHUNK_EXISTS: ['conflict', 'an object of a drive is there already'],
  CHUNK_TAKEN: ['conflict', 'another append wrote the same object'],
  CHUNK_FOREIGN: ['corrupt', 'an object of a drive belongs to something else'],
  CHUNK_MALFORMED: ['corrupt', 'an object of a drive is not built as one must be'],
  CHUNK_TRUNCATED: ['corrupt', 'an object of a drive is shorter than it was'],
  CHUNK_VERSION: ['corrupt', 'an object of a drive has a format that this release does not know'],
  DIRECTORY_MISSING: ['missing', 'a volume’s directories do not hold a bucket'],
  DIRECTORY_FOREIGN: ['corrupt', 'a directory belongs to something else'],
  DIRECTORY_MALFORMED: ['corrupt', 'a directory is not built as one must be'],
  DIRECTORY_VERSION: ['corrupt', 'a directory has a format that this release does not know'],
  GROUP_ROW_MISSING: ['corrupt', 'a group that was begun has no row: run `doctor`'],
  CODE_UNDECODABLE: ['corrupt', 'more columns are lost than the code rebuilds'],
} as const satisfies CodeTable;

/** Writers. */
export const WRITER_CODES = {
  CONTENDED: ['conflict', 'too many writers of the same objects: try again'],
  GUARD_FAILED: ['conflict', 'another worker took over: the write is tried again elsewhere'],
  KEK_RETIRING: ['conflict', 'the key is about to be destroyed: the current one is taken'],
  LEASE_LOST: ['conflict', 'another worker took the volume over'],
  INDEX_TOO_LONG: ['conflict', 'a transaction would need too many rows'],
  VOLUMES_BUSY: ['retry', 'every open volume is in use by other processes'],
  APPEND_FAILED: ['retry', 'records could not be stored'],
  MOVE_FAILED: ['retry', 'buckets could not be moved'],
  MERGE_FAILED: ['retry', 'buckets could not be merged'],
  GROUP_NOT_STORED: ['retry', 'columns of a group could not be stored'],
  DIRECTORY_NOT_STORED: ['retry', 'the directories of a volume could not be stored yet'],
  CODEC_MEMORY_FULL: ['retry', 'all memory for coding is in use'],
  OUTCOME_MISSING: ['missing', 'a put ended without an outcome'],
} as const satisfies CodeTable;
