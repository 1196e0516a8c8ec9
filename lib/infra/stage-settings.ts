// What a deployment is asked to be: the stage's name, the store's settings (preset and changes), how many drives, and
// whether its data outlives the stack. Parsed from CDK context (`-c stage=dev -c preset=demo`), where every value may
// be a string.
import * as z from 'zod';
import { type Budgets, budgetsOf } from '../compaction/plan/budget.ts';
import type { StorageClass } from '../cost/price-book.ts';
import { invalid, notMet } from '../foundation/errors.ts';
import { FRONTEND_SECONDS, FUNCTION_SECONDS_MAX, STAGE_DRIVES_MAX, WORKER_SECONDS } from '../limits/stage.ts';
import { drivesMin, PRESETS, type PresetName, type Settings, settingsOf } from '../settings/settings.ts';

/** What the stacks with data end with. */
const DATA = 'data';
/** Those that answer at once. */
const WARM_CLASSES = ['standard', 'standard-ia', 'glacier-ir'] as const satisfies readonly StorageClass[];
const LOG_RETENTION_DAYS = [1, 3, 5, 7, 14, 30, 60, 90, 180, 365] as const;

const flag = z.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')]);
const memoryMiB = z.coerce.number().int().min(256).max(10_240);
const timeoutSeconds = z.coerce.number().int().min(5).max(FUNCTION_SECONDS_MAX);
const json = z.preprocess(fromJson, z.record(z.string(), z.unknown(), 'must be a JSON object'));

const schema = z.strictObject({
  stage: z
    .string()
    // No dashes: `a-data` and `a-c0` would be stacks of stage `a`, and deploying one would replace the other.
    .regex(/^[a-z][a-z0-9]{0,19}$/, 'a stage is 1 to 20 lower-case letters and digits, a letter first')
    .default('dev'),
  preset: z.enum(Object.keys(PRESETS) as [PresetName, ...PresetName[]]).default('personal'),
  /** Settings that differ from the preset, as JSON: `-c settings='{"openVolumes":2}'`. */
  settings: json.default({}),
  /** Default: one more than the codecs need, so that the loss of one drive does not stall writes. */
  drives: z.coerce.number().int().max(STAGE_DRIVES_MAX).optional(),
  /** True: destroying the stacks destroys the data. False: data, table and key stay. */
  ephemeral: flag.default(false),
  /**
   * Whether stacks and table of a durable stage are protected against deletion. False for its first deployment, which
   * CloudFormation could otherwise not take back if it fails: `pocketful deploy` protects it once it is whole.
   */
  protection: flag.default(true),
  /** Storage class of warm volumes, for what is written from now on; hot ones are always in S3 Standard. */
  warmClass: z.enum(WARM_CLASSES).default('standard'),
  /** Of the frontend. */
  functionMemoryMiB: memoryMiB.default(1024),
  functionTimeoutSeconds: timeoutSeconds.default(FRONTEND_SECONDS),
  /** Of the functions that move bytes: 1,769 MiB is one processor. */
  workerMemoryMiB: memoryMiB.default(1769),
  /** Of everything behind the frontend; long work goes on in the next call. */
  workerTimeoutSeconds: timeoutSeconds.default(WORKER_SECONDS),
  /** Of what the schedules do from one plan to the next, as JSON: `-c budgets='{"metadataWrites":100000}'`. */
  budgets: json.optional(),
  /** What repair on its schedule writes in a day at the most; absent: as much as there is. */
  repairBytesPerDay: z.coerce.number().int().positive().optional(),
  /**
   * Whether what changes in the table is shipped into the buckets. Default: unless it is ephemeral, which keeps no
   * other way back either.
   */
  journal: flag.optional(),
  /** Functions that may run at once in the account, as measured; absent: ten, as in a new one. */
  concurrency: z.coerce.number().int().min(1).optional(),
  /** False: nothing runs by itself; encode, gc and compaction wait to be started. */
  schedules: flag.default(true),
  /** Where alarms are sent; without it they only show in the console. */
  alarmEmail: z.email().optional(),
  /** Dollars a month, of which 80 % spent, or all of it forecast, are mailed to `alarmEmail`. */
  budgetUsd: z.coerce.number().positive().optional(),
  /** Whether EventBridge hears of every put and delete. */
  events: flag.default(false),
  /** Whether X-Ray keeps traces of functions and compaction. */
  tracing: flag.default(false),
  logRetentionDays: z.coerce
    .number()
    .refine((days) => LOG_RETENTION_DAYS.some((one) => one === days), `one of ${LOG_RETENTION_DAYS.join(', ')}`)
    .default(14),
  /** Counters of the functions as CloudWatch custom metrics: about $0.30 a month each. */
  functionMetrics: flag.default(false),
});

/** The names of the context keys that make up a stage. */
export const STAGE_CONTEXT_KEYS = Object.keys(schema.shape);

export interface StageSettings
  extends Readonly<
    Omit<z.infer<typeof schema>, 'drives' | 'preset' | 'settings' | 'budgets' | 'journal' | 'protection'>
  > {
  readonly store: Settings;
  readonly drives: number;
  readonly budgets?: Budgets;
  readonly journal: boolean;
  readonly isProtected: boolean;
}

/** Throws `invalid` STAGE_INVALID, naming the key, or SETTINGS_INVALID. */
export function parseStageSettings(context: Readonly<Record<string, unknown>>): StageSettings {
  const parsed = schema.safeParse(context);
  if (!parsed.success) throw notMet('STAGE_INVALID', 'stage', parsed.error);
  const { preset, settings, drives, budgets, protection, journal = !parsed.data.ephemeral, ...rest } = parsed.data;
  const store = settingsOf(preset, settings as Partial<Settings>);
  if (store.cell === DATA) throw invalid('STAGE_INVALID', `stage: settings: no cell may be called ${DATA}`);
  if (rest.warmClass !== 'standard' && store.hotCodec === store.warmCodec)
    throw invalid(
      'STAGE_INVALID',
      `stage: warmClass: ${store.warmCodec} has no hot tier: what is put would pay for ${rest.warmClass} at once, in small objects`,
    );
  const count = drives ?? drivesMin(store) + 1;
  if (count < drivesMin(store)) {
    const codecs = `${store.hotCodec} and ${store.warmCodec}`;
    throw invalid('STAGE_INVALID', `stage: drives: ${codecs} need at least ${drivesMin(store)} drives, not ${count}`);
  }
  if (rest.budgetUsd !== undefined && rest.alarmEmail === undefined)
    throw invalid('STAGE_INVALID', 'stage: budgetUsd: say alarmEmail, too: whom it is mailed to');
  const limits = budgets === undefined ? {} : { budgets: budgetsOf(budgets as Partial<Budgets>) };
  const isProtected = protection && !rest.ephemeral;
  return Object.freeze({ ...rest, ...limits, journal, isProtected, store, drives: count });
}

/** The value of a JSON text; anything else as it is, for the schema to judge. */
function fromJson(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}
