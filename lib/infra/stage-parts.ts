// The sizes of a stage's parts as plain data, for the constructs and for the bill of an idle stage alike.

/** How often what runs by itself runs. */
export const SCHEDULE_MINUTES = {
  drainer: 10,
  encoder: 60,
  gc: 60,
  sampler: 60,
  tuner: 60,
  compaction: 60,
  journal: 360,
} as const;

/** Functions that look and decide, without moving bytes. */
export const LIGHT_MEMORY_MIB = 512;
/** Holds the rows of a hundred thousand volumes. */
export const PLANNER_MEMORY_MIB = 1024;

/** A batch, or four parts of segments that are merged; the first snapshot of an older stage: all rows. */
export const JOURNAL_MEMORY_MIB = 1024;

export const drainWindowSeconds = (preset: string): number => (preset === 'demo' ? 1 : 20);

/** Folders of functions/ that work on a cell. */
export const WORKERS = [
  'planner',
  'compactor',
  'drainer',
  'live-coder',
  'encoder',
  'gc',
  'threshold-tuner',
  'journal',
] as const;
export type Worker = (typeof WORKERS)[number];

/**
 * What a function does with drives: `none` never calls one, `look` reads and lists, `append` makes new objects too,
 * `erase` also deletes those of zones that Panda has moved on from (test/infra/rights.test.ts runs each with no more
 * than this).
 */
export type DriveAccess = 'none' | 'look' | 'append' | 'erase';
export const DRIVE_ACCESS: Readonly<Record<'frontend' | Worker, DriveAccess>> = {
  frontend: 'append',
  planner: 'none',
  compactor: 'erase',
  // It looks whether drives answer, and erases what was given up on one that is back.
  drainer: 'erase',
  'live-coder': 'append',
  encoder: 'erase',
  gc: 'erase',
  'threshold-tuner': 'look',
  journal: 'erase',
};

/**
 * Partitions whose rows a function never writes, whatever it recovers or ends: what objects there are and which key is
 * which is the frontend's to say, who may have them is an operator's, and blocks are only counted by what puts, shreds
 * or merges them. The functions' tests run under these rules (test/functions/stage.ts).
 */
const NAMES_AND_KEYS = ['object/*', 'kek', 'namespace'] as const;
const AND_BLOCKS = [...NAMES_AND_KEYS, 'block/*'] as const;
export const NEVER_WRITTEN: Readonly<Record<'frontend' | Worker, readonly string[]>> = {
  frontend: ['namespace'],
  planner: AND_BLOCKS,
  compactor: NAMES_AND_KEYS,
  drainer: AND_BLOCKS,
  'live-coder': AND_BLOCKS,
  encoder: AND_BLOCKS,
  gc: NAMES_AND_KEYS,
  'threshold-tuner': AND_BLOCKS,
  journal: AND_BLOCKS,
};

/** Rows that changed, together in a segment: so many, or what came within that time. */
export const JOURNAL_BATCH = { rows: 5000, seconds: 30, hoursMax: 23 } as const;
