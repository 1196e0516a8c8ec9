// What a planner may be told: boundaries of the strategies, limits of a run, objective, and how money is counted. Plain
// data, validated here once; nonsense is refused before any volume is looked at.

import * as z from 'zod';
import { STORAGE_CLASSES } from '../../cost/price-book.ts';
import { DAY_MS } from '../../foundation/durations.ts';
import { invalid, notMet, wrongAt } from '../../foundation/errors.ts';
import { RUN_SOURCES_MAX, THRESHOLD_MAX, THRESHOLD_MIN } from '../../limits/compaction.ts';
import { AGE_CLASSES } from './fleet.ts';

export const STRATEGIES = ['l1', 'l2', 'l3'] as const;
export type Strategy = (typeof STRATEGIES)[number];

/**
 * `max-fill`: the fullest destinations, as published; `worth`: volumes freed against what it costs; `money`: dollars.
 */
export const OBJECTIVES = ['max-fill', 'worth', 'money'] as const;
export type Objective = (typeof OBJECTIVES)[number];

const MIB = 1024 * 1024;
const fraction = z.number().min(0).max(1);

export const planSettingsSchema = z.strictObject({
  /** L3 owns fills up to and including this … */
  l3UpTo: fraction,
  /** … L2 those above it up to this … */
  l2UpTo: fraction,
  /** … L1 those above that up to this, or to 1 - threshold if that is less. */
  l1UpTo: fraction,
  /** Strategies asked for. */
  strategies: z.array(z.enum(STRATEGIES)).min(1),
  objective: z.enum(OBJECTIVES),
  /** K: most sources of one run of L1 or L2. */
  sourcesMax: z.int().min(2).max(RUN_SOURCES_MAX),
  destinationsMax: z
    .int()
    .min(1)
    .max(RUN_SOURCES_MAX - 1),
  /** Cells per destination in L2's table. */
  granularity: z.int().min(8).max(4096),
  /** Candidates L2 looks at for one run. */
  candidatesMax: z.int().min(2).max(512),
  /** L2 seals nothing emptier than this, except to finish. */
  minFill: z.number().gt(0).max(1),
  /** Part of every destination left for directories and for columns of uneven length. */
  reserve: z.number().min(0).max(0.1),
  bucketsPerVolumeMax: z.int().min(1),
  /** Most runs of each strategy in one plan; the rest waits for the next plan. */
  runsMax: z.int().min(1).max(1_000_000),
  /**
   * So many packings of L2 come from the table; later ones from the quick packing, which frees about half a percent
   * less.
   */
  tableRunsMax: z.int().min(0).max(100_000),
  /** Most sources in one batch of L3. */
  drainBatchMax: z.int().min(1).max(10_000),
  /** Volumes written more recently are left alone. */
  minAgeMs: z.int().nonnegative(),
  /**
   * Nothing more is planned once the expected overhead (capacity / live, without the code's factor) is down to this.
   */
  targetOverhead: z.number().min(1),
  /** One last under-filled destination per age class, rather than leave its sources for a later plan. */
  finish: z.boolean(),
  /** What L2 cannot pack streams into a volume that stays open, or waits for others, as published. */
  unpacked: z.enum(['stream', 'wait']),
  /** Whether L1 keeps its range also where streaming the same volumes costs less. */
  topOffs: z.enum(['paying', 'always']),
  /**
   * Which volumes L1 tops off first: the sparsest of its range, whose rewriting frees most per byte, or the densest, as
   * published.
   */
  hostOrder: z.enum(['sparsest', 'densest']),
  /** Order of L1's donors; `densest` is the control that has the published incident. */
  donorOrder: z.enum(['sparsest', 'densest']),
  /**
   * `worth`: by their own death rates (kin.ts) L3's volumes are ordered and kept together, and those that die faster
   * than the fleet wait longer, whoever's they are (objective `worth`). `sparsest`: in one stream, none waits.
   */
  drainOrder: z.enum(['worth', 'sparsest']),
  /** Deletes per live byte and day, by age class (0 = written last). */
  deletesPerDay: z.array(z.number().nonnegative()).length(AGE_CLASSES),
  /** Over how long a run has to earn its cost at most: less where its data is not expected to live so long. */
  horizonMs: z.int().positive(),
  storageClass: z.enum(STORAGE_CLASSES),
  /** What a freed volume saves: its whole extents (SMR drives, disks) or the bytes stored in it (S3). */
  billing: z.enum(['allocated', 'stored']),
  memoryMb: z.int().positive(),
  /** Record bytes coded together: decides how many puts a move takes. */
  groupBytes: z.int().positive(),
  /** Bytes read per ranged GET. */
  readBytes: z.int().positive(),
  /** Record bytes one worker moves in a second. */
  moveBytesPerSecond: z.int().positive(),
});

export type PlanSettings = Readonly<z.infer<typeof planSettingsSchema>>;

export const PLAN_SETTINGS: PlanSettings = Object.freeze({
  l3UpTo: 0.1,
  // Where packing ends: ten sources denser than 0.9 (1 - reserve) do not leave one destination less
  // (docs/decisions/0010).
  l2UpTo: 0.85,
  l1UpTo: 1,
  strategies: [...STRATEGIES],
  objective: 'worth',
  sourcesMax: 10,
  destinationsMax: 9,
  granularity: 256,
  candidatesMax: 120,
  minFill: 0.9,
  reserve: 0.005,
  bucketsPerVolumeMax: 256,
  runsMax: 1024,
  tableRunsMax: 64,
  drainBatchMax: 64,
  minAgeMs: 0,
  targetOverhead: 1,
  finish: false,
  unpacked: 'stream',
  topOffs: 'paying',
  hostOrder: 'sparsest',
  donorOrder: 'sparsest',
  drainOrder: 'worth',
  deletesPerDay: [0.005, 0.005, 0.005, 0.005],
  horizonMs: 3650 * DAY_MS,
  storageClass: 'standard',
  billing: 'allocated',
  memoryMb: 1769,
  groupBytes: 192 * MIB,
  readBytes: 8 * MIB,
  moveBytesPerSecond: 80_000_000,
});

/**
 * Settings with some changed. Throws `invalid` PLAN_SETTINGS_INVALID, or BOUNDARIES_INVALID for the strategies' ranges.
 */
export function planSettingsOf(changes: Partial<PlanSettings> = {}): PlanSettings {
  return parsePlanSettings({ ...PLAN_SETTINGS, ...changes });
}

export function parsePlanSettings(input: unknown): PlanSettings {
  const parsed = planSettingsSchema.safeParse(input);
  if (!parsed.success) {
    const isBoundary = /^l[123]UpTo$/.test(wrongAt(parsed.error));
    throw notMet(isBoundary ? 'BOUNDARIES_INVALID' : 'PLAN_SETTINGS_INVALID', 'plan settings', parsed.error);
  }
  const settings = parsed.data;
  const wrong = wrongBoundary(settings);
  if (wrong !== undefined) throw invalid('BOUNDARIES_INVALID', `boundaries: ${wrong}`);
  return Object.freeze(settings);
}

/** The threshold as a plan may use it. */
export function checkThreshold(threshold: number): number {
  if (threshold >= THRESHOLD_MIN && threshold <= THRESHOLD_MAX) return threshold;
  throw invalid('THRESHOLD_INVALID', `threshold ${threshold} is not between ${THRESHOLD_MIN} and ${THRESHOLD_MAX}`);
}

/** Thinnest volume that K of them still fill a destination with: whatever is thinner must be L3's. */
export const thinnestForPacking = (settings: Pick<PlanSettings, 'minFill' | 'sourcesMax'>): number =>
  settings.minFill / settings.sourcesMax;

/** As full as a volume that was just written: the rest is for directories and columns of uneven length. */
export const fullestFill = ({ reserve }: Pick<PlanSettings, 'reserve'>): number => 1 - reserve;

/**
 * Over how long a run has to earn its cost: the mean life of its data. A volume that the closed form of worth.ts calls
 * worth rewriting earns its cost within that, whatever the prices; a fixed term would let data that lasts rot, and data
 * that does not be moved in vain.
 */
export const earningMs = (settings: PlanSettings, deletesPerDay: number): number =>
  Math.min(settings.horizonMs, Math.ceil(DAY_MS / Math.max(deletesPerDay, 1e-9)));

function wrongBoundary(s: PlanSettings): string | undefined {
  if (s.l3UpTo >= s.l2UpTo) return `l3 (up to ${s.l3UpTo}) overlaps or swallows l2 (up to ${s.l2UpTo})`;
  if (s.l2UpTo > s.l1UpTo) return `l2 (up to ${s.l2UpTo}) overlaps l1 (up to ${s.l1UpTo})`;
  const thinnest = thinnestForPacking(s);
  if (s.l3UpTo < thinnest - 1e-9)
    return `volumes filled between ${s.l3UpTo} and ${thinnest} (minFill / sourcesMax) would be nobody's: l3 must reach them`;
  return undefined;
}
