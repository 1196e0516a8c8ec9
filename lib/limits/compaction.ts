// Compaction and the Live Coder: how much is planned, taken and sent at once, and how far a search goes.
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../foundation/durations.ts';

const MIB = 1024 * 1024;

// The planner.

/** Sources of one run of L2: choices are bits of a 32-bit word. */
export const RUN_SOURCES_MAX = 32;
/** Codecs a fleet may mix: their wire names are one byte. */
export const FLEET_CODECS_MAX = 256;
/** Least and most dead fraction worth a run, as the controller may set it. */
export const THRESHOLD_MIN = 0.02;
export const THRESHOLD_MAX = 0.9;
/** Stability found by the study: steps of at most 0.01 a day, and step times the measurement's delay at most 0.07. */
export const THRESHOLD_STEP_PER_DAY_MAX = 0.01;
export const THRESHOLD_STEP_TIMES_DELAY_MAX = 0.07;
/** How often a group's window moves on past candidates that nothing can be made of. */
export const PACK_WINDOWS_MAX = 8;
/** Rounds of exchanging pairs for one choice: each is dear. */
export const PAIR_ROUNDS_MAX = 3;
/** Logarithm of the share that died, of a volume with nothing left: no rate describes it. */
export const DEATHS_MAX = 40;
/** Volumes of a store, open ones among them, of which one more or less is a fifth: a run has to gain one. */
export const FEW_VOLUMES_MAX = 5;
/** So many times the fleet's rate of dying a volume is waited for: an estimate from its own deaths is no better. */
export const HASTE_MAX = 4;
/** Headers of the shortest records take no more than the rest: where less than that is data, some of it has died. */
export const DATA_SHARE_MIN = 0.85;
/** Volumes that delete rates are measured on: enough for a few per cent. */
export const RATE_SAMPLE_MAX = 512;
/** Looks at delete rates nearer together than this are left out: a snapshot is never quite of one moment. */
export const RATE_LOOK_EVERY_MS = 0.8 * DAY_MS;

// What an operator sets.

/** Compactors of one execution: more than a state machine maps over at once does nothing. */
export const RUNS_AT_ONCE_MAX = 40;
/** Tries of a change of the operating settings that others were quicker with. */
export const OPERATING_ATTEMPTS_MAX = 20;

// Doing it.

/** Plans of one `compact`: each must have freed something, so that many only show a fault. */
export const COMPACT_ROUNDS_MAX = 64;
/** Runs of L3 at once. Buckets wait in leased volumes; more of those than the queue takes only keep L1 and L2 off. */
export const DRAIN_RUNS_MAX = 4;
/** Rounds in which what got lost in the queue is sent again; what is still there then waits for the next plan. */
export const DRAIN_ROUNDS_MAX = 3;
/** Messages sent side by side. */
export const DRAIN_SENDS_AT_ONCE = 64;
/** Messages taken between two looks at the time: one batch call of SQS. */
export const DRAIN_RECEIVE_MAX = 10;
/** How long a taken bucket is hidden from other workers. Twice the same bucket is moved once: this only saves work. */
export const DRAIN_VISIBILITY_MS = MINUTE_MS;
/** Partitions of blocks that a merge reads side by side. */
export const MERGE_PARTITIONS_AT_ONCE = 8;

// The flow into the queue of L3.

/** Buckets that wait in the queue or are under way. */
export const QUEUE_DEPTH_MAX = 256;
/** With an older message than this nothing is sent: the workers do not get on. */
export const QUEUE_AGE_MS_MAX = 15 * MINUTE_MS;
/** Dead letters from which on nothing is sent: fewer are passed over, so many have a cause that is not theirs. */
export const DEAD_LETTERS_MAX = 20;
/** Dead letters from which on bulk writers wait too. */
export const DEAD_LETTERS_HOLD_MAX = 100;
/** Bytes that wait in the Live Coder: a worker holds them in memory. */
export const CODER_WAITING_BYTES_MAX = 512 * MIB;
/** Letters that are looked at at once. */
export const LETTERS_MAX = 1000;

// What counts as late.

/** Begun work of L1, L2 or a merge. */
export const RUN_MS_MAX = 6 * HOUR_MS;
/** Begun work of L3, which waits for its queue. */
export const DRAIN_MS_MAX = DAY_MS;
/** After its grace a block may wait this long for the next pass of GC. */
export const SHRED_MS_MAX = 6 * HOUR_MS;
/** With fewer sealed volumes, overhead is noise, and so is what is measured against it. */
export const SEALED_VOLUMES_MIN = 10;
/** With more sealed volumes than this, compaction finds others to pack a wasteful one with. */
export const WASTEFUL_SEALED_MAX = 10;

// The Live Coder's choice.

/** Hot data counts as aged after this long at the least, also where sealed volumes are encoded at once. */
export const AGED_MS_MIN = HOUR_MS;
/** A rest that makes no group may wait while it adds less than this to what the store takes. */
export const REST_COST_PERMILLE_MIN = 30;
/** Bytes kept back for a better group, whatever the settings. */
export const KEPT_BACK_BYTES_MAX = 16 * MIB;
/** Group sizes that are tried: the next ones are hardly different. */
export const GROUP_SIZES_TRIED_MAX = 12;
/** Sizes tried for the last group of a volume, each a little smaller. */
export const CLOSINGS_TRIED_MAX = 12;
/** Of those, the first are chosen by proportion. */
export const PROPORTIONAL_TRIES_MAX = 4;
/** Single exchanges of one choice: each fills more, and few are left after this many. */
export const EXCHANGES_MAX = 64;

/** Namespaces kept apart. Each has an open volume of its own or two, half full on average, which compaction leaves. */
export const NAMESPACES_APART_MAX = 8;
