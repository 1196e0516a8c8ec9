// What the merging of bucket remnants may be told: when there are too many rows, which buckets are remnants, what a
// merge has to save to be worth its block rows, and how much of it one plan may hold.
import * as z from 'zod';
import { invalid, notMet } from '../../foundation/errors.ts';
import { GROUP_SLOTS_MAX } from '../../limits/panda.ts';
import type { Settings } from '../../settings/settings.ts';

const GIB = 1024 ** 3;

const schema = z.strictObject({
  /** Live bytes of a full merged bucket. */
  bucketBytes: z.int().positive(),
  slotsPerBucketMax: z.int().positive(),
  /** Nothing is merged while there are at most so many bucket rows per live GiB … */
  rowsPerGibMax: z.number().positive(),
  /** … and then no more than it takes to come down to this part of it. */
  relief: z.number().gt(0).max(1),
  /** A bucket with at most this part of a full one's live bytes is a remnant. */
  remnantFraction: z.number().gt(0).max(0.5),
  /** Remnants of one tier differ in size by less than this factor. */
  tierFactor: z.int().min(2).max(16),
  /** Fewest remnants that are merged into one. Not below tierFactor: what is merged leaves its tier for good. */
  sourcesMin: z.int().min(2),
  /** Most block rows (those read to find them counted in part) for a bucket row saved. */
  blockRowsPerRowMax: z.number().positive(),
  /** So many block rows read cost as much as one written. */
  scanRowsPerWrite: z.number().positive(),
  /**
   * Fewest blocks of one plan for each data column: of fewer no level group can be made, and parity is as long as the
   * longest column.
   */
  blocksPerColumnMin: z.int().nonnegative(),
  /** Most block rows of one plan: its memory, and the rate of a store that merges once a day. */
  blockRowsMax: z.int().positive(),
  /** Most volumes leased at once. */
  volumesMax: z.int().positive(),
});

export type MergeSettings = Readonly<z.infer<typeof schema>>;

/** The settings for a store, some changed. Throws `invalid` MERGE_SETTINGS_INVALID. */
export function mergeSettingsFor(settings: Settings, changes: Partial<MergeSettings> = {}): MergeSettings {
  return parseMergeSettings({
    // A bucket lies in one group, whose row lists its slots.
    bucketBytes: Math.min(settings.bucketBytes, settings.groupBytesMin),
    slotsPerBucketMax: Math.min(settings.slotsPerBucketMax, GROUP_SLOTS_MAX),
    // Four times the rows of a store whose buckets are all full.
    rowsPerGibMax: (4 * GIB) / settings.bucketBytes,
    relief: 0.75,
    remnantFraction: 0.25,
    tierFactor: 4,
    sourcesMin: 4,
    blockRowsPerRowMax: 1024,
    scanRowsPerWrite: 100,
    blocksPerColumnMin: 4,
    blockRowsMax: 262_144,
    volumesMax: 256,
    ...changes,
  });
}

function parseMergeSettings(input: unknown): MergeSettings {
  const parsed = schema.safeParse(input);
  if (!parsed.success) throw notMet('MERGE_SETTINGS_INVALID', 'merge settings', parsed.error);
  const { sourcesMin, tierFactor } = parsed.data;
  if (sourcesMin < tierFactor)
    throw invalid(
      'MERGE_SETTINGS_INVALID',
      `merge settings: sourcesMin ${sourcesMin} is below tierFactor ${tierFactor}`,
    );
  return Object.freeze(parsed.data);
}
