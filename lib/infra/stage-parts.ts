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
 * What a function does with drives: `look` reads and lists, `append` makes new objects too, `erase` also deletes those
 * of zones that Panda has moved on from (test/infra/rights.test.ts runs each with no more than this).
 */
export type DriveAccess = 'look' | 'append' | 'erase';
export const DRIVE_ACCESS: Readonly<Record<'frontend' | Worker, DriveAccess>> = {
  frontend: 'append',
  planner: 'look',
  compactor: 'erase',
  drainer: 'look',
  'live-coder': 'erase',
  encoder: 'erase',
  gc: 'erase',
  'threshold-tuner': 'look',
  journal: 'erase',
};

/** Rows that changed, together in a segment: so many, or what came within that time. */
export const JOURNAL_BATCH = { rows: 5000, seconds: 30, hoursMax: 23 } as const;
