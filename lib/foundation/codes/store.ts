// Codes of a store's parts: its place, its metadata, drives, keys, queue and backups.
import type { CodeTable } from './code-table.ts';

/** The store itself. */
export const STORE_CODES = {
  STORE_MISSING: ['missing', 'there is no store here'],
  STORE_EXISTS: ['conflict', 'there is a store here already'],
  STORE_INCOMPLETE: [
    ['missing', 'invalid', 'corrupt'],
    'making the store was interrupted: run `init` again, with the same settings and drives',
  ],
  STORE_FOREIGN: ['invalid', 'the directory holds something else: a new store needs an empty one'],
  STORE_PATH: ['invalid', 'a file is where the directory of a store should be'],
  STORE_PLACE: ['invalid', 'the file system has no permissions, so others could read the keys'],
  STORE_DENIED: ['denied', 'no permission to read or make the directory'],
  STORE_VERSION: ['invalid', 'the store has a format that this release does not know'],
  STORE_IN_ITSELF: ['invalid', 'the directory that is put is the store, or a part of it'],
  STORE_NAMED: ['invalid', 'what was named is part of a store, or no file'],
  STORE_COPIED: ['denied', 'a copy of this store writes to the same drives'],
  STORE_REPLACED: ['conflict', 'the metadata was replaced while this process ran: start it again'],
  STORE_FULL: ['retry', 'too few drives have a free zone: add drives or compact'],
  HOT_FULL: ['retry', 'the hot tier is full: wait until it is encoded'],
  DISK_FULL: ['retry', 'no space on the disks of the store: delete, `gc`, or make room'],
} as const satisfies CodeTable;

/** Metadata. */
export const PANDA_CODES = {
  PANDA_BUSY: ['retry', 'the metadata store is throttled, or used by others'],
  PANDA_FULL: ['retry', 'no space on the disk of the metadata'],
  PANDA_UNKNOWN: ['unknown', 'the answer of the metadata store was lost: the write may have happened'],
  PANDA_DENIED: ['denied', 'no permission for the metadata'],
  PANDA_MISSING: ['missing', 'there is no metadata file or table'],
  PANDA_CORRUPT: ['corrupt', 'the metadata file is damaged: move it away and restore a backup'],
  PANDA_LOST: ['corrupt', 'the metadata is lost, and the drives are not'],
  PANDA_BEHIND: ['corrupt', 'the metadata is older than the drives: put the newest backup back'],
  PANDA_VERSION: ['invalid', 'the metadata file is of another program or format'],
  PANDA_SQLITE: ['invalid', 'SQLite answered with an error nobody expected'],
  CONDITION_FAILED: ['conflict', 'a row is not what the write was made for'],
  ROW_DAMAGED: ['corrupt', 'a row of the metadata cannot be read'],
  ROW_MALFORMED: ['corrupt', 'a row of the metadata does not hold what it must'],
} as const satisfies CodeTable;

/** Drives. */
export const DRIVE_CODES = {
  DRIVE_UNAVAILABLE: ['retry', 'a drive does not answer, or is not mounted'],
  DRIVE_BUSY: ['retry', 'a drive asks to be asked again later'],
  DRIVE_FULL: ['retry', 'a drive has no space left'],
  DRIVE_READ_ONLY: ['retry', 'a drive cannot be written now'],
  DRIVE_DENIED: ['denied', 'no permission for a drive'],
  DRIVE_NOT_EMPTY: ['invalid', 'a new drive needs an empty directory'],
  DRIVE_TAKEN: ['invalid', 'the directory is a drive already'],
  DRIVE_TWICE: ['invalid', 'a drive is given twice'],
  DRIVES_TOO_FEW: ['invalid', 'the settings need more drives'],
  DRIVE_UNKNOWN: ['invalid', 'there is no drive of this number'],
  DRIVE_STATE: ['invalid', 'a drive cannot go from the state it has to that one'],
  DRIVE_IN_USE: ['invalid', 'something of the store is still on the drive'],
  DRIVE_CHANGED: ['conflict', 'another process changed the drive'],
  DRIVES_NONE_FOUND: ['missing', 'no drive of a store was found where one was looked for'],
  DRIVES_MISSING: ['retry', 'fewer drives answer than a volume needs'],
} as const satisfies CodeTable;

/** Keys. */
export const KEK_CODES = {
  KEK_MISSING: ['denied', 'a key is not there: put your copy of the keys back'],
  KEK_WRONG: ['denied', 'the keys are of another store, or damaged'],
  KEK_DENIED: ['denied', 'no permission for the keys, or others may read them'],
  KEK_DESTROYED: ['denied', 'the key was destroyed, and with it what it alone wrapped'],
  KEYS_BEHIND: ['denied', 'the keys are an older copy: put the newest back'],
  KEK_BUSY: ['retry', 'the key store is busy, or cannot be reached'],
  KEK_CURRENT: ['invalid', 'the current key cannot be destroyed: rotate first'],
  KEK_ROTATED: ['conflict', 'the key is not the current one any more'],
  KEKS_CHANGED: ['conflict', 'another process changed the keys'],
  KEYS_EXIST: ['conflict', 'a key file is there already, and is never replaced'],
  KEYS_UNREADABLE: ['invalid', 'the file is no export of keys, or a recovery sheet was mistyped'],
  PASSPHRASE_WRONG: ['denied', 'the passphrase does not open the exported keys, or they are damaged'],
  PASSPHRASE_NEEDED: ['invalid', 'a passphrase is needed, and nobody can be asked for one'],
  KEY_UNKNOWN: ['invalid', 'there is no such key version'],
  KEY_IN_USE: ['invalid', 'blocks are wrapped by this key version: rewrap first'],
} as const satisfies CodeTable;

/** The queue of L3. */
export const STREAM_CODES = {
  STREAM_BUSY: ['retry', 'the queue cannot be used now'],
  STREAM_DENIED: ['denied', 'no permission for the queue'],
  STREAM_MISSING: ['missing', 'there is no such queue'],
  STREAM_CORRUPT: ['corrupt', 'the file of the queue is damaged: move it away, what it held is sent again'],
  STREAM_VERSION: ['invalid', 'the file of the queue has a format that this release does not know'],
  LETTER_MISSING: ['missing', 'there is no such dead letter'],
} as const satisfies CodeTable;

/** Backups. */
export const BACKUP_CODES = {
  BACKUP_CORRUPT: ['corrupt', 'the backup is cut off or damaged'],
  BACKUP_BEHIND: ['corrupt', 'the backup names places that hold something else now'],
  BACKUP_FOREIGN: ['invalid', 'the file is no backup, or of another store'],
  BACKUP_VERSION: ['invalid', 'the backup has a format that this release does not know'],
} as const satisfies CodeTable;

/** The journal of the metadata on the drives. */
export const JOURNAL_CODES = {
  ALARM_UNTOLD: ['retry', 'neither the command nor the web hook took an alarm'],
  JOURNAL_UNSHIPPED: ['retry', 'too few drives took what changed in the metadata: it is tried again'],
  JOURNAL_BUSY: ['retry', 'other processes were quicker to ship, again and again'],
  JOURNAL_MISSING: ['missing', 'no drive that was found holds a whole snapshot of the metadata'],
  JOURNAL_TOO_YOUNG: ['missing', 'the journal does not go back as far'],
  SEGMENT_CORRUPT: ['corrupt', 'an object of the journal is damaged'],
} as const satisfies CodeTable;
