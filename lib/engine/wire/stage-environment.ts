// The environment of a stage's functions, parsed by one schema: what the stack was told, under the names of
// functions/README.md.
import * as z from 'zod';
import { type Budgets, budgetsOf } from '../../compaction/plan/budget.ts';
import { STORAGE_CLASSES, type StorageClass } from '../../cost/price-book.ts';
import { assert } from '../../foundation/assert.ts';
import { given } from '../../foundation/given.ts';
import { parseSettings, type Settings } from '../../settings/settings.ts';

const text = z.string().min(1);
const environmentSchema = z.object({
  POCKETFUL_STAGE: text,
  POCKETFUL_TABLE: text,
  POCKETFUL_DRIVES: text,
  POCKETFUL_KEY: text,
  POCKETFUL_ACCOUNT: text.optional(),
  POCKETFUL_SETTINGS: text,
  POCKETFUL_DRAIN_QUEUE_URL: text.optional(),
  POCKETFUL_DRAIN_DLQ_URL: text.optional(),
  POCKETFUL_WARM_CLASS: z.enum(STORAGE_CLASSES).optional(),
  POCKETFUL_ENCODER: text.optional(),
  POCKETFUL_STAGING: text.optional(),
  POCKETFUL_EXECUTIONS: z.coerce.number().int().positive().optional(),
  POCKETFUL_BUDGETS: text.optional(),
  POCKETFUL_REPAIR_BYTES_PER_DAY: z.coerce.number().positive().optional(),
});

export interface DeployedStage {
  readonly stage: string;
  readonly table: string;
  readonly drives: readonly string[];
  readonly key: string;
  /** That its drives must belong to. */
  readonly account?: string | undefined;
  readonly settings: Settings;
  /** Storage class of warm volumes; absent: S3 Standard. */
  readonly warmClass?: StorageClass | undefined;
  /** Of what its schedules do from one plan to the next; absent: not limited. */
  readonly budgets?: Budgets;
  /** What its passes of repair may write in a day; absent: not limited. */
  readonly repairBytesPerDay?: number | undefined;
  /** Functions that may run at once in the account; absent: as in a new one. */
  readonly executions?: number | undefined;
  /** Function that the frontend calls for room; absent: nothing runs by itself. */
  readonly encoder?: string | undefined;
  /** Bucket where the frontend keeps parts of bulk puts until they are gathered; others have none. */
  readonly staging?: string | undefined;
  /** The frontend has none. */
  readonly drain?: { readonly queueUrl: string; readonly dlqUrl: string };
}

/** Throws an assertion naming the variable: the stack that made the function is wrong. */
export function stageOf(environment: Readonly<Record<string, string | undefined>>): DeployedStage {
  const parsed = environmentSchema.safeParse(environment);
  assert(parsed.success, `environment: ${parsed.error?.issues[0]?.path.join('.')} is missing`);
  const { data } = parsed;
  const { POCKETFUL_DRAIN_QUEUE_URL: queueUrl, POCKETFUL_DRAIN_DLQ_URL: dlqUrl } = data;
  return {
    stage: data.POCKETFUL_STAGE,
    table: data.POCKETFUL_TABLE,
    drives: data.POCKETFUL_DRIVES.split(','),
    key: data.POCKETFUL_KEY,
    ...given({ account: data.POCKETFUL_ACCOUNT }),
    settings: parseSettings(JSON.parse(data.POCKETFUL_SETTINGS)),
    ...(data.POCKETFUL_BUDGETS === undefined ? {} : { budgets: budgetsOf(JSON.parse(data.POCKETFUL_BUDGETS)) }),
    ...given({ executions: data.POCKETFUL_EXECUTIONS }),
    ...given({ warmClass: data.POCKETFUL_WARM_CLASS }),
    ...given({ encoder: data.POCKETFUL_ENCODER }),
    ...given({ staging: data.POCKETFUL_STAGING }),
    ...given({ repairBytesPerDay: data.POCKETFUL_REPAIR_BYTES_PER_DAY }),
    ...(queueUrl === undefined || dlqUrl === undefined ? {} : { drain: { queueUrl, dlqUrl } }),
  };
}
