// Codes of what a caller asked for: names, files, options, settings and plans.
import type { CodeTable } from './code-table.ts';

/** Names and bodies of objects, and access to them. */
export const NAME_CODES = {
  NAME_EMPTY: ['invalid', 'a name is empty'],
  NAME_INVALID: ['invalid', 'a name holds what no name may hold: NUL, `.` or `..`, empty parts, broken Unicode'],
  NAME_TOO_LONG: ['invalid', 'a name has more than 1,024 bytes of UTF-8'],
  NAME_FOR_ONE: ['invalid', '`--as` gives one name, and more than one file was given'],
  NAME_NEEDED: ['invalid', 'standard input has no name: say `--as NAME`'],
  NAME_TWICE: ['invalid', 'two files would get the same name'],
  NAME_IS_FOLDER: ['invalid', 'a directory has the name that a file should get'],
  NAME_OUTSIDE: ['invalid', 'a name leads out of the directory it should be written below'],
  NAME_UNFIT: ['invalid', 'the file system takes no such name'],
  NAMESPACE_INVALID: ['invalid', 'a namespace is 1 to 63 of a-z, 0-9, `-` and `.`, beginning with a letter or digit'],
  METADATA_TOO_LONG: ['invalid', "an object's metadata has more than 2,048 bytes"],
  METADATA_INVALID: ['invalid', 'the header with the metadata is not percent-encoded UTF-8'],
  RANGE_INVALID: ['invalid', 'a range lies outside of the object'],
  BODY_TOO_LONG: ['invalid', 'more bytes were asked for than one answer holds: ask for ranges'],
  LIMIT_INVALID: ['invalid', 'a page has 1 to 1,000 entries'],
  PART_INVALID: ['invalid', 'a part of an upload is empty, or begins where none may begin'],
  PARTS_TOO_MANY: ['invalid', 'an object is put together from parts of too many different lengths'],
  BLOCKS_UNFIT: ['invalid', 'an object was cut into blocks of another size: it cannot be referred to, only put anew'],
  SYSTEM_TOO_LONG: ['invalid', "an object's headers, metadata and tags together have more than 6 KiB"],
  RULE_INVALID: ['invalid', 'a rule of an access key is not `RIGHTS:BUCKET/PREFIX`, or there are too many'],
  KEY_NAME_INVALID: ['invalid', 'an access key has a name that is none'],
  ACCESS_KEY_MISSING: ['missing', 'there is no such access key'],
  UPLOAD_MISMATCH: ['invalid', 'the upload was begun for another object'],
  UPLOAD_INCOMPLETE: ['invalid', 'parts of the upload are missing'],
  UPLOAD_MISSING: ['missing', 'there is no such upload: it was finished, or given up after a day'],
  UPLOAD_ABANDONED: ['conflict', 'another worker took the upload for dead and gave it up: put it again'],
  PART_CHANGED: ['conflict', 'other bytes were stored as this part: begin the upload again'],
  OBJECT_MISSING: ['missing', 'there is no such object'],
  NOT_IN_TRASH: ['missing', 'nothing of that name (and version) was deleted or overwritten within the grace'],
  BLOCKS_SHREDDED: ['missing', 'some blocks of a deleted object were shredded by now: it cannot be restored'],
  NAME_TAKEN: ['conflict', 'there is an object of the name that the restored one would get'],
  OBJECT_CHANGED: ['conflict', 'the object was overwritten or deleted while it was read'],
  VERSION_MISMATCH: ['conflict', 'the object is at another version than the one asked for'],
} as const satisfies CodeTable;

/** Files and folders of the caller. */
export const FILE_CODES = {
  FILE_MISSING: ['missing', 'there is no such file or folder'],
  FOLDER_MISSING: ['missing', 'the folder of the file is not there'],
  FILE_EXISTS: ['conflict', 'a file is there already, with other content: say `--overwrite` to replace it'],
  FILE_CHANGED: ['conflict', 'the file changed while it was read'],
  FILE_IS_FOLDER: ['invalid', 'a directory was given where a file is needed'],
  FILE_DENIED: ['denied', 'no permission to read or write the file'],
  FILE_UNREADABLE: ['denied', 'a file or folder below the directory that is put cannot be read'],
  KEY_FILE: ['invalid', 'the file holds the keys of a store, which are never kept in one'],
  TREE_EMPTY: ['invalid', 'there are no files to store'],
} as const satisfies CodeTable;

/** Options and arguments of a command. */
export const OPTION_CODES = {
  ADDRESS_INVALID: ['invalid', 'an address is `file:DIRECTORY` or `aws:STAGE`'],
  NOT_CONFIRMED: ['invalid', 'this cannot be undone: say `--yes`'],
  NO_JSON: ['invalid', 'the command writes bytes of objects, so it takes no `--json`'],
  URL_INVALID: ['invalid', '`--external-url` is no http or https URL'],
  TLS_INCOMPLETE: ['invalid', 'TLS needs both `--cert` and `--key`'],
  GET_MIXED: ['invalid', '`--to` takes neither a file nor a range'],
  DOMAINS_COUNT: ['invalid', 'there is a `--domain` for each `--drive`, or for none'],
  DRIVES_TWICE: ['invalid', 'either `--drives COUNT` or `--drive PATH …`, not both'],
  RESTORE_OPTIONS: ['invalid', 'a restore is from a backup, or `--from-drives`, and takes the options of that one'],
  TIME_INVALID: ['invalid', 'a time is ISO 8601, or a duration ago such as `90m`'],
  DURATION_INVALID: ['invalid', 'a duration is a number and s, m, h or d'],
  VERIFIER_UNKNOWN: ['invalid', '`verify` was given a name that is no verifier and no volume'],
  STRATEGY_UNKNOWN: ['invalid', 'there is no such strategy'],
  OBJECTIVE_UNKNOWN: ['invalid', 'there is no such objective'],
  PRESET_UNKNOWN: ['invalid', 'there is no such preset'],
  NOT_FOR_STAGE: ['invalid', 'this command works on `file:` stores only'],
  REPOSITORY_NEEDED: ['missing', 'this command needs the repository, which an installed pocketful does not have'],
} as const satisfies CodeTable;

/** Settings of a store, of plans and of the simulator. */
export const SETTINGS_CODES = {
  SETTINGS_INVALID: ['invalid', 'settings that are none, or that contradict each other'],
  PLAN_SETTINGS_INVALID: ['invalid', 'settings of the planner that are none, or out of bounds'],
  MERGE_SETTINGS_INVALID: ['invalid', 'settings of merges that are none, or that contradict each other'],
  BOUNDARIES_INVALID: ['invalid', 'the strategies’ ranges overlap, or leave fills to nobody'],
  OPERATING_INVALID: ['invalid', '`settings set` was given a name that is none, or a value out of bounds'],
  BUDGET_INVALID: ['invalid', 'a budget is not a number above 0, or its shares do not add up'],
  THRESHOLD_INVALID: ['invalid', 'a threshold out of bounds'],
  PRICE_BOOK_INVALID: ['invalid', 'prices that are none'],
  FLEET_INVALID: ['invalid', 'facts about volumes do not go together'],
  STATUS_INVALID: ['invalid', 'the file is no document of `status --json`'],
  STATUS_UNREADABLE: ['invalid', 'the file with the status cannot be read'],
  SIM_INVALID: ['invalid', 'a scenario of the simulator is out of bounds'],
  TRACE_UNREADABLE: ['invalid', 'the file with the trace cannot be read'],
  TRACE_INVALID: ['invalid', 'a trace of deletes has a line that is wrong'],
} as const satisfies CodeTable;

/** Plans and runs of compaction. */
export const PLAN_CODES = {
  PLAN_INVALID: ['invalid', 'the file is no plan'],
  PLAN_VERSION: ['invalid', 'the plan was made by another release: make a new one'],
  PLAN_EDITED: ['invalid', 'the plan was changed after it was made'],
  PLAN_FOREIGN: ['invalid', 'the plan is of another store or cell'],
  PLAN_WRONG: ['invalid', 'the plan does not add up'],
  PLAN_OPTIONS: ['invalid', '`--plan` does exactly what the file says: no other option goes with it'],
  SETTINGS_CHANGED: ['conflict', 'others change the settings at the same time: look, and set them again'],
  PLAN_STALE: ['conflict', 'the plan names a volume that is gone, taken or changed'],
  VOLUME_UNKNOWN: ['missing', 'there is no such volume'],
  CLOCK_BEHIND: ['retry', 'the clock is behind most of what it wrote: set it, or say `--accept-clock`'],
  JOURNAL_VERSION: ['invalid', 'a run was begun by another release: let that one end it'],
  RUN_HELD: ['retry', 'another process works on the run'],
  RUN_LOST: ['retry', 'another worker took the run over'],
  STEP_TIME_UP: ['retry', 'the time of a step is used up: somebody goes on'],
  HOST_TOO_FULL: ['retry', 'a volume cannot be topped off: it does not fit itself once more'],
  NOT_MOVED: ['retry', 'a bucket of the queue was not moved yet: it is delivered again'],
  DEMO_STALLED: ['retry', 'the demonstration waits for drives or space'],
  DEMO_MISMATCH: ['corrupt', 'what the demonstration read back is not what it stored'],
  DEMO_FOREIGN: ['invalid', 'what is there was not made by the demonstration, so it is not deleted'],
} as const satisfies CodeTable;
