// A compaction plan: frozen plain data that says what would be done to which volume, why, and what it costs. The same
// snapshot under the same settings gives the same bytes; a plan written to a file and read back is the same plan, or is
// refused.
import { createHash } from 'node:crypto';
import * as z from 'zod';
import { CODEC_NAMES } from '../../codec/codec.ts';
import { reasonCodeFrom } from '../../foundation/error-codes.ts';
import { invalid, notMet } from '../../foundation/errors.ts';
import { planSettingsSchema, STRATEGIES } from '../facts/plan-settings.ts';
import { budgetsSchema } from './budget.ts';
import { VERDICTS } from './selector.ts';

/**
 * 2: settings say where hosts begin, snapshots how much room they have, plans which remnants are merged. 3: reasons
 * have a code. 4: settings say whether top-offs have to pay, runs of L2 may end in a volume that stays open.
 */
export const PLAN_VERSION = 4;

const count = z.int().nonnegative();
const bytes = z.number().nonnegative();
const amount = z.number();
const whySchema = z.strictObject({ code: z.string().transform(reasonCodeFrom), text: z.string() });

const sourceSchema = z.strictObject({
  volume: z.string().min(1),
  generation: count,
  liveBytes: bytes,
  buckets: count,
  /**
   * Live bytes the run takes out of it; less than liveBytes only for the last donor of an L1 run, which stays sealed.
   */
  takeBytes: bytes,
  takeBuckets: count,
});

const hostSchema = z.strictObject({ volume: z.string().min(1), generation: count, liveBytes: bytes, buckets: count });

const workSchema = z.strictObject({
  bytesRead: bytes,
  bytesWritten: bytes,
  getRequests: count,
  putRequests: count,
  metadataWrites: count,
  metadataReads: count,
  computeMs: count,
  queueRequests: count,
  stateTransitions: count,
  crossRegionBytes: bytes,
});

const runSchema = z.strictObject({
  /** `l2-0007`: unique within the plan, in planning order. */
  name: z.string().regex(/^l[123]-\d{4,7}$/),
  strategy: z.enum(STRATEGIES),
  codec: z.enum(CODEC_NAMES),
  capacityBytes: z.number().positive(),
  /** Only of what is kept apart. */
  lane: count.optional(),
  ageClass: count,
  host: hostSchema.nullable(),
  sources: z.array(sourceSchema).min(1),
  /** New volumes filled; for L3 a fraction, as the stream fills them one after the other. */
  newVolumes: bytes,
  freedVolumes: count,
  /** Live fraction of the destinations (of the host, after L1). */
  destinationFill: amount,
  /** Dead bytes this run makes available again. */
  freedBytes: amount,
  work: workSchema,
  dollars: bytes,
  savedDollars: bytes,
  reason: whySchema,
  /** Set when another strategy would do better for the same volumes. */
  better: whySchema.nullable(),
});

const fleetSchema = z.strictObject({
  volumes: count,
  liveBytes: bytes,
  capacityBytes: bytes,
  /** Capacity over live bytes of the sealed class. */
  overhead: amount,
});

/** What `compact` would merge before this plan's runs; a plan file leaves it to `compact --strategy merge`. */
const mergesSchema = z.strictObject({
  /** Why these, or why none. */
  reason: whySchema,
  rowsBefore: count,
  rowsAfter: count,
  rowsPerGibBefore: bytes,
  rowsPerGibAfter: bytes,
  blockRows: count,
  bytesRead: bytes,
  metadataWrites: count,
  dollars: bytes,
  /** One for every new bucket. */
  buckets: z.array(
    z.strictObject({
      tier: count,
      ageClass: count,
      sources: z.array(z.strictObject({ bucket: z.string(), volume: z.string(), liveBytes: bytes, blocks: count })),
      liveBytes: bytes,
      blocks: count,
      rowsSaved: count,
      reason: whySchema,
    }),
  ),
});

const spendingSchema = z.strictObject({
  bytesRead: bytes,
  bytesWritten: bytes,
  metadataWrites: bytes,
  requests: bytes,
  computeMs: bytes,
  dollars: bytes,
});

const bodySchema = z.strictObject({
  version: z.literal(PLAN_VERSION),
  store: z.string(),
  cell: z.string(),
  /** digestOf the snapshot planned from. */
  snapshot: z.string().regex(/^[0-9a-f]{64}$/),
  threshold: z.number().gt(0).lt(1),
  settings: planSettingsSchema,
  budgets: budgetsSchema,
  prices: z.strictObject({ name: z.string(), date: z.string() }),
  before: fleetSchema,
  after: fleetSchema,
  /** Null where merging was not asked for, or is done by the time of this plan. */
  merges: mergesSchema.nullable(),
  runs: z.array(runSchema),
  spent: z.strictObject({ l1: spendingSchema, l2: spendingSchema, l3: spendingSchema }),
  /** Use of the scarcest budget, 0..1. */
  budgetUsed: bytes,
  savedDollars: bytes,
  /** A letter per volume of the snapshot, in ascending order of id; `legend` says what it means. */
  verdicts: z.string(),
  legend: z.record(z.string(), z.string()),
});

const planSchema = bodySchema.extend({ digest: z.string().regex(/^[0-9a-f]{64}$/) });

export type PlannedSource = Readonly<z.infer<typeof sourceSchema>>;
export type PlannedHost = Readonly<z.infer<typeof hostSchema>>;
export type PlannedMerges = Readonly<z.infer<typeof mergesSchema>>;
export type PlannedRun = Readonly<Omit<z.infer<typeof runSchema>, 'sources'> & { sources: readonly PlannedSource[] }>;
export type PlanBody = Readonly<Omit<z.infer<typeof bodySchema>, 'runs'> & { runs: readonly PlannedRun[] }>;
export type CompactionPlan = PlanBody & { readonly digest: string };

export const LEGEND: Readonly<Record<string, string>> = Object.freeze(
  Object.fromEntries(Object.entries(VERDICTS).map(([name, { letter, text }]) => [letter, `${name}: ${text}`])),
);

/**
 * The canonical bytes of a body: fields in the schema's order, nothing between. The planner builds bodies in that
 * order, and parsing restores it, so a file whose fields were only shuffled or indented is still the same plan.
 */
const digestOfBody = (body: PlanBody): string => createHash('sha512-256').update(JSON.stringify(body)).digest('hex');

/** Signs and freezes a body. */
export function planOf(body: PlanBody): CompactionPlan {
  return deepFreeze({ ...body, digest: digestOfBody(body) });
}

export const planJson = (plan: CompactionPlan): string => `${JSON.stringify(plan)}\n`;

/**
 * A plan from a file. Throws `invalid`: PLAN_VERSION for another version, PLAN_INVALID for what is no plan, PLAN_EDITED
 * for one that was changed after it was made.
 */
export function parsePlan(json: string): CompactionPlan {
  let data: unknown;
  try {
    data = JSON.parse(json);
  } catch (cause) {
    throw invalid('PLAN_INVALID', 'plan: the file is not JSON', cause);
  }
  const version = (data as { version?: unknown } | null)?.version;
  if (version !== undefined && version !== PLAN_VERSION)
    throw invalid(
      'PLAN_VERSION',
      `plan: the file has version ${String(version)}, this release applies version ${PLAN_VERSION} only: make a new plan`,
    );
  const parsed = planSchema.safeParse(data);
  if (!parsed.success) throw notMet('PLAN_INVALID', 'plan', parsed.error);
  const { digest, ...body } = parsed.data;
  if (digest !== digestOfBody(body)) throw invalid('PLAN_EDITED', `plan: changed after it was made (digest ${digest})`);
  return deepFreeze(parsed.data);
}

export function deepFreeze<T extends object>(value: T): T {
  for (const inner of Object.values(value)) if (typeof inner === 'object' && inner !== null) deepFreeze(inner);
  return Object.freeze(value);
}

/**
 * Six digits after the point are enough for a ratio, nine for dollars; they keep a plan's bytes from hanging on the
 * last bit.
 */
export const roundRatio = (value: number): number => Math.round(value * 1e6) / 1e6;
export const roundDollars = (value: number): number => Math.round(value * 1e9) / 1e9;
