// The journal of the metadata on the drives: how much is held at once, and what is merged and kept.
import { DAY_MS, MINUTE_MS, SECOND_MS } from '../foundation/durations.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

/** Stat calls of one listing under way at once. */
export const JOURNAL_STATS_AT_ONCE = 16;
/** Plain bytes of a frame, after which it ends: what is compressed and encrypted at once. */
export const FRAME_BYTES_MIN = 256 * KIB;
/** Plain bytes of a frame that a reader believes: one more row at most. */
export const FRAME_BYTES_MAX = 2 * MIB;
/** Bytes of a row's image that a reader believes: the longest row, and room for what this release does not know. */
export const ROW_IMAGE_BYTES_MAX = MIB;
/** Bytes of an object of a segment, after which the next one begins: in memory as a whole, once a segment merged. */
export const SEGMENT_PART_BYTES_MIN = 2 * MIB;
/** Bytes of such an object that a reader takes into memory. */
export const SEGMENT_PART_BYTES_MAX = 16 * MIB;
/** Rows that are handed on together: one by one, waiting for them takes longer than all else. */
export const MERGED_ROWS = 256;
/** Objects of one segment. */
export const SEGMENT_PARTS_MAX = 0xffff;

/** While something is written, what changed goes to the drives as often as this. */
export const SHIP_EVERY_MS = SECOND_MS;
/** Shippings that another process was quicker with. */
export const SHIP_ATTEMPTS_MAX = 20;
/** Rows of a damaged file that are noted as not shipped; more of them are as bad, and are not named. */
export const PASSED_OVER_MAX = 1000;
/** Looks at a SQLite file whose write lock another holds, a short wait each. */
export const JOURNAL_LOCK_ATTEMPTS_MAX = 50;

/** Segments of a level in a row that become one of the next. */
export const LADDER_FAN_MAX = 4;
/** From this level on two neighbours are merged by weight. */
export const LADDER_TOP_LEVEL_MAX = 4;
/** Segments after the snapshot on the way to the newest point: with it, a dozen and a half. */
export const WAY_SEGMENTS_MAX = 17;
/** Segments since the last snapshot that weigh less than this are no reason for another. */
export const SNAPSHOT_LADDER_BYTES_MIN = 256 * KIB;
/**
 * Snapshots that are due by weight are so far apart, for each reads all rows: in a burst of new ones the second would
 * be due when the first is written. Sooner, if what came since weighs so many times as much.
 */
export const SNAPSHOTS_APART_MS = 30 * SECOND_MS;
export const SNAPSHOT_BURST_WEIGHT = 4;
/** A snapshot this old is followed by another once something was written. */
export const SNAPSHOT_AGE_MS = 7 * DAY_MS;
/** Points in time older than this go. */
export const POINTS_KEPT_MS = 7 * DAY_MS;
/**
 * After this long what was shredded is in no segment, if something was written in between: the snapshot without it, and
 * then the end of all points before that.
 */
export const SHREDDED_KEPT_MS = SNAPSHOT_AGE_MS + POINTS_KEPT_MS;
/** More restores than anybody does: so far above what was seen is an epoch that is on no drive which was not. */
export const EPOCH_LEAP = 2 ** 20;
/** Point-in-time recovery of a stage's table goes back so far. */
export const TABLE_RECOVERY_MS = 35 * DAY_MS;
/** A segment that is not whole is left by a process that died: no other takes this long to write one. */
export const SEGMENT_UNFINISHED_MS = DAY_MS;
/** An invocation that ships is left alone for so long, twice as long each time it was not enough, … */
export const STAGE_CLAIM_MS_MIN = 5 * SECOND_MS;
/** … but no longer than it lives; */
export const STAGE_CLAIM_MS_MAX = 10 * MINUTE_MS;
/** whoever waits looks again after this long at the latest. */
export const STAGE_CLAIM_LOOK_MS_MAX = SECOND_MS;
/** What was shipped of a stage is tended no more often, as a look lists every bucket … */
export const STAGE_TEND_MS_MIN = 5 * MINUTE_MS;
/** … nor before so many shippings, … */
export const STAGE_TEND_SHIPPINGS = 8;
/** … but after this long with the next one. */
export const STAGE_TEND_MS_MAX = DAY_MS;
