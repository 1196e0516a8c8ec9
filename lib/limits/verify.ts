// The verifiers: how often everything is looked at, what they may take, and how much of it at once.
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../foundation/durations.ts';

/** What is to be made again is meant to be so within this. */
export const REPAIR_WITHIN_MS = 48 * HOUR_MS;
/** How fast a repair writes, where none was measured of late: a slow disk that is read and written. */
export const REPAIR_BYTES_PER_SECOND_ASSUMED = 10_000_000;
/** Every byte on the drives is read within this. */
export const SCRUB_SWEEP_MS = 14 * DAY_MS;
/** The same in storage classes that ask for money at each read: else reading would cost more than they save. */
export const SCRUB_SWEEP_IA_MS = 90 * DAY_MS;
export const SCRUB_SWEEP_GLACIER_IR_MS = 180 * DAY_MS;
/** What was written since is read within this, and so is what could not be reached. */
export const SCRUB_FRESH_MS = DAY_MS;
/** A pass that is not told how long it may take ends a look that long after it began, so that little is read twice. */
export const SCRUB_KEEP_EVERY_MS = MINUTE_MS;
/** A volume that changes while it is looked at is looked at again, so often: changes are rare, and each has an end. */
export const SCRUB_LOOKS_MAX = 3;
/** Columns of a group read side by side: a checksum is reckoned while the next one is read. */
export const SCRUBBED_COLUMNS_AT_ONCE = 4;
/** Part of the time that verification may take where nobody says otherwise, in thousandths. */
export const VERIFY_SHARE_PERMILLE = 100;
/** Every block's row is held against the directories within this. */
export const INDEX_SCAN_MS = 7 * DAY_MS;
/** Rows of one chunk of the index scanner: 26 bytes each. */
export const INDEX_CHUNK_BLOCKS_MAX = 4_000_000;
/** Rows of the arrays they lie in. */
export const BLOCK_TABLE_PAGE = 65_536;
/** Ids that the index scanner numbers before its tables grow; a power of two. */
export const ID_NUMBERS_MIN = 1024;
/** Looks at one suspected row: each after it, its bucket or its volume had changed. */
export const BLOCK_CHECKS_MAX = 4;
/** Of all blocks, how many in 65,536 are sampled: those whose hash goes on so after its first byte. */
export const SAMPLED_IN_65536 = 656;
/** Emptied volumes are inspected this often while their grace goes on. */
export const TRASH_INSPECTION_MS = DAY_MS;
/** The journal on the drives is small, and what decides over all else: read as often. */
export const JOURNAL_SCRUB_MS = DAY_MS;
