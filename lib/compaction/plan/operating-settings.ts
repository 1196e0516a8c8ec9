// What an operator may set of a running store, at any time: how its planners choose, and how much its schedules may use
// of each scarce thing. Only what was set is kept; the rest follows from the size of the store. Pure data and rates;
// the row is run/operating-row.ts.
import * as z from 'zod';
import { DAY_MS, SECOND_MS } from '../../foundation/durations.ts';
import { notMet } from '../../foundation/errors.ts';
import { NAMESPACES_APART_MAX, RUNS_AT_ONCE_MAX } from '../../limits/compaction.ts';
import { isNamespaceName } from '../../panda/rows/namespace-row.ts';
import { type PlanSettings, planSettingsOf, planSettingsSchema } from '../facts/plan-settings.ts';
import { type BudgetLine, type Budgets, parseBudgets, UNLIMITED } from './budget.ts';

const GIB = 1024 ** 3;

/** null = not limited. */
const rate = z.number().positive().nullable();
const share = z.number().gt(0).max(1);

const namesIn = (list: string): readonly string[] => list.split(',');
/** Namespaces, with commas between them. */
const namespaces = z
  .string()
  .refine((list) => namesIn(list).every(isNamespaceName), 'namespaces, with commas between them')
  .refine((list) => new Set(namesIn(list)).size === namesIn(list).length, 'each namespace once')
  .refine(
    (list) => namesIn(list).length <= NAMESPACES_APART_MAX,
    `at most ${NAMESPACES_APART_MAX} namespaces: each has open volumes of its own`,
  )
  .nullable();

const plannedSchema = planSettingsSchema.pick({
  objective: true,
  l3UpTo: true,
  l2UpTo: true,
  l1UpTo: true,
  sourcesMax: true,
  destinationsMax: true,
  granularity: true,
  candidatesMax: true,
  runsMax: true,
  minAgeMs: true,
  targetOverhead: true,
});

const scheduledSchema = z.strictObject({
  bytesReadPerDay: rate,
  bytesWrittenPerDay: rate,
  metadataWritesPerSecond: rate,
  requestsPerDay: rate,
  computeMsPerDay: rate,
  dollarsPerMonth: rate,
  /** What part of each budget a strategy is sure of. */
  l1Share: share,
  l2Share: share,
  l3Share: share,
  /** Runs of L1 and L2 that a stage carries out side by side. */
  runsAtOnce: z.int().min(1).max(RUNS_AT_ONCE_MAX),
  /** What repair on its schedule writes. */
  repairBytesPerDay: rate,
  /** Part of the time that verification may take, in thousandths. */
  verifySharePermille: z.int().min(1).max(1000),
  /** What is put into these from now on lies in volumes of its own. */
  namespacesApart: namespaces,
});

const schema = z.strictObject({ ...plannedSchema.shape, ...scheduledSchema.shape }).partial();

export type OperatingName = keyof typeof schema.shape;
/** Only what was set. */
export type OperatingSettings = Readonly<z.infer<typeof schema>>;

export const PLANNED_NAMES = Object.keys(plannedSchema.shape) as (keyof typeof plannedSchema.shape)[];
export const OPERATING_NAMES = Object.keys(schema.shape) as OperatingName[];

/** Which rate limits a line of a plan's budgets, and per how long. */
const RATES: Readonly<Record<BudgetLine, { readonly name: OperatingName; readonly perMs: number }>> = {
  bytesRead: { name: 'bytesReadPerDay', perMs: DAY_MS },
  bytesWritten: { name: 'bytesWrittenPerDay', perMs: DAY_MS },
  metadataWrites: { name: 'metadataWritesPerSecond', perMs: SECOND_MS },
  requests: { name: 'requestsPerDay', perMs: DAY_MS },
  computeMs: { name: 'computeMsPerDay', perMs: DAY_MS },
  dollars: { name: 'dollarsPerMonth', perMs: 30 * DAY_MS },
};

/** Those that may be `null`: not limited, or no namespace. */
export const NONE_NAMES: ReadonlySet<OperatingName> = new Set([
  ...Object.values(RATES).map(({ name }) => name),
  'repairBytesPerDay' as const,
  'namespacesApart' as const,
]);

/**
 * Throws `invalid` OPERATING_INVALID naming the setting, or BOUNDARIES_INVALID and BUDGET_INVALID where several
 * contradict each other.
 */
export function parseOperating(input: unknown): OperatingSettings {
  const parsed = schema.safeParse(input);
  if (!parsed.success) throw notMet('OPERATING_INVALID', 'settings', parsed.error);
  planSettingsOf(plannedOf(parsed.data));
  budgetsFor(parsed.data, 0, DAY_MS);
  return Object.freeze(parsed.data);
}

export const apartOf = ({ namespacesApart: list }: OperatingSettings): ReadonlySet<string> =>
  new Set(typeof list === 'string' ? namesIn(list) : []);

/** What planners are told of it. */
export function plannedOf(operating: OperatingSettings): Partial<PlanSettings> {
  const set = PLANNED_NAMES.filter((name) => operating[name] !== undefined);
  return Object.fromEntries(set.map((name) => [name, operating[name]]));
}

/**
 * Rates of a store of this size that nobody has set: a tenth of what lives may be rewritten in a day, at a cent a GiB
 * and month; a new on-demand table takes twenty times these writes beside the users'. Small stores are as good as free.
 */
export function derivedRates(liveBytes: number): Pick<OperatingSettings, 'bytesWrittenPerDay' | 'dollarsPerMonth'> & {
  readonly metadataWritesPerSecond: number;
} {
  return {
    bytesWrittenPerDay: Math.max(64 * GIB, Math.ceil(liveBytes / 10)),
    metadataWritesPerSecond: 200,
    dollarsPerMonth: Math.max(10, liveBytes / GIB / 100),
  };
}

/** What schedules may use in such a time. A line that is not set is as in `base`; without one, as the size says. */
export function budgetsFor(operating: OperatingSettings, liveBytes: number, periodMs: number, base?: Budgets): Budgets {
  const derived: OperatingSettings = base === undefined ? derivedRates(liveBytes) : {};
  const lines = Object.entries(RATES).map(([line, { name, perMs }]) => {
    const own = operating[name];
    const set = own === undefined ? derived[name] : own;
    if (set === undefined) return [line, base?.[line as BudgetLine] ?? null];
    return [line, set === null ? null : (Number(set) * periodMs) / perMs];
  });
  const shares = base?.shares ?? UNLIMITED.shares;
  const { l1Share: l1 = shares.l1, l2Share: l2 = shares.l2, l3Share: l3 = shares.l3 } = operating;
  return parseBudgets({ ...Object.fromEntries(lines), shares: { l1, l2, l3 } });
}

/** So many workers write as much as may be written, no more. */
export function runsAtOnce(
  operating: OperatingSettings,
  budgets: Budgets,
  periodMs: number,
  { moveBytesPerSecond, atMost }: { readonly moveBytesPerSecond: number; readonly atMost: number },
): number {
  if (operating.runsAtOnce !== undefined) return operating.runsAtOnce;
  if (budgets.bytesWritten === null) return atMost;
  const oneBytes = (moveBytesPerSecond * periodMs) / SECOND_MS;
  return Math.min(atMost, Math.max(1, Math.ceil(budgets.bytesWritten / oneBytes)));
}
