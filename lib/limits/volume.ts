// The protocols: how often a step is tried, how long one waits, and how much happens at once.
import { DAY_MS, MINUTE_MS, SECOND_MS } from '../foundation/durations.ts';

/** Clocks of machines that share a store may differ by this much. Nothing but waiting hangs on it. */
export const CLOCK_SKEW_MS_MAX = 10 * MINUTE_MS;

// Trying again. A conflict is settled by reading the rows and deciding anew; each of these says what is tried.

/**
 * A transaction whose condition failed, decided anew from rows read again: shredding, releasing, renewing, rewrapping,
 * recovering, noting damage, raising tokens. Each failure means that somebody else got on; twenty in a row is a fault.
 */
export const CONFLICT_ATTEMPTS_MAX = 20;
/** Waits after a conflict stop growing after so many, at 0.64 seconds: whoever was first is soon done. */
export const CONFLICT_BACK_OFF_STEPS_MAX = 6;
/** Claims of new zones: after each the free zones are looked up anew, and one of many is picked at random. */
export const ZONE_CLAIM_ATTEMPTS_MAX = 8;
/** Groups written for one append, move or merge: each under a new lease, and a failed one leaves its bytes as waste. */
export const GROUP_ATTEMPTS_MAX = 6;
/** Stores of one chunk while its drive only says that it is busy; any other answer fails the column at once. */
export const CHUNK_PUT_ATTEMPTS_MAX = 4;
/** Sends of a transaction that was refused as busy, or whose outcome was settled as "not done": up to nine seconds. */
export const TRANSACT_ATTEMPTS_MAX = 10;
/** The first wait is up to twice this, each further one up to twice the one before. */
export const TRANSACT_BACK_OFF_MS = 10;
export const TRANSACT_BACK_OFF_MS_MAX = 2 * SECOND_MS;
/** Claims of a key's name in Panda: a second process that claims the same one makes the row, and it is read then. */
export const KEK_CLAIM_ATTEMPTS_MAX = 3;

// Open volumes.

/** Lease of an open volume. Expiry only decides who waits; every commit is decided by the token. */
export const LEASE_MS = MINUTE_MS;
/** How long a server keeps the lease that its last append took for the next one: clients come again in a part of it. */
export const KEPT_LEASE_MS = 200;
/** Looks for a volume that is not leased, before VOLUMES_BUSY: together ten seconds and more. */
export const LEASE_WAITS_MAX = 40;
/** The first wait; each is twice the one before. */
export const LEASE_WAIT_MS = 20;
export const LEASE_WAIT_MS_MAX = 320;
/** What others opened is looked up this often. */
export const OPEN_LIST_EVERY_MS = 5 * SECOND_MS;
/** Which namespaces have open volumes of their own is looked up this often. */
export const LANES_KNOWN_MS = 30 * SECOND_MS;
/** What names of namespaces are numbered with. */
export const LANE_NUMBERS = 2 ** 24;
/** How many times the configured open volumes there may be while many writers get in each other's way. */
export const OPEN_GROWTH_MAX = 4;

/** A drive that has not answered for this long, as far as anybody looked, is lost: when repair begins, never safety. */
export const LOST_AFTER_MS = 15 * MINUTE_MS;
/** Drives are even enough when none holds more than this part above what each has on average. */
export const BALANCE_TOLERANCE = 0.05;
/** Which drives take extents, and which were added, is looked up this often. */
export const DRIVE_STATES_READ_EVERY_MS = 5 * SECOND_MS;
/**
 * And this often by whoever appends to open volumes. What comes meanwhile to one on a drive that is being emptied is
 * moved by the next repair; where puts come seldom, a read more for each would be a third of what a look costs.
 */
export const DRIVE_STATES_READ_BY_APPENDS_EVERY_MS = MINUTE_MS;

// How much at once: enough to hide a drive's latency, few enough for memory and for what a drive takes.

/** Partitions read side by side. */
export const PARTITIONS_AT_ONCE = 4;
/** Bucket directories made side by side at seal; each is a few hundred KiB of rows. */
export const SEALED_BUCKETS_AT_ONCE = 8;
/** Volumes freed side by side: each lists and deletes on every of its drives. */
export const FREED_VOLUMES_AT_ONCE = 4;
/** Drives listed side by side when a process begins to write: it waits for them all. */
export const LOOKED_AT_DRIVES_AT_ONCE = 8;
/** Drives swept side by side, behind everything else. */
export const SWEPT_DRIVES_AT_ONCE = 4;

// What is in no one's way.

/** A zone that belongs to nothing is erased after this: longer than any put of a dead process can be under way. */
export const QUARANTINE_MS = 7 * DAY_MS;
/** Volumes may store this many times what their live records need. docs/compaction.md states the bound that follows. */
export const WASTE_FACTOR_MAX = 2;
/** Before foreign files on a drive are taken for what they are: zones of it, and objects of a zone, looked into. */
export const ZONES_LOOKED_INTO_MAX = 64;
export const CHUNKS_LOOKED_INTO_MAX = 4;

// Drives that failed are asked for new chunks again after this. A wrong belief costs time, never data.

export const BUSY_DRIVE_REST_MS = 500;
export const UNAVAILABLE_DRIVE_REST_MS = 5 * SECOND_MS;
/** Full, read-only or refused: somebody has to do something about it. */
export const REFUSING_DRIVE_REST_MS = 30 * SECOND_MS;
