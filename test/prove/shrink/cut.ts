// A plan with parts of it left out, so that what is left of a failing seed can be named in one command.
import * as z from 'zod';
import { NO_RATES, type Rates } from '../faults/profile.ts';
import type { Plan } from '../plan/plan.ts';

const cutSchema = z.strictObject({
  /** Which operations of each worker are kept. */
  operations: z.array(z.array(z.int().nonnegative())),
  /** Kinds of faults of calls that are kept. */
  rates: z.array(z.string()),
  disasters: z.array(z.int().nonnegative()),
  /** Steps that are aimed at and still are. */
  targets: z.array(z.int().nonnegative()),
  faultsMax: z.int().nonnegative(),
});
export type Cut = z.infer<typeof cutSchema>;

export const parseCut = (text: string): Cut => cutSchema.parse(JSON.parse(text));

export const uncut = (plan: Plan): Cut => ({
  operations: plan.workers.map(({ operations }) => operations.map((_, i) => i)),
  rates: Object.entries(plan.rates).flatMap(([name, rate]) => (rate > 0 ? [name] : [])),
  disasters: plan.disasters.map((_, i) => i),
  targets: plan.targets.map((_, i) => i),
  faultsMax: plan.faultsMax,
});

export function planWith(plan: Plan, cut: Cut): Plan {
  const rates = Object.entries(plan.rates).filter(([name]) => cut.rates.includes(name));
  return {
    ...plan,
    workers: plan.workers.map((worker, i) => ({
      ...worker,
      operations: worker.operations.filter((_, at) => cut.operations[i]?.includes(at)),
    })),
    rates: { ...NO_RATES, ...(Object.fromEntries(rates) as Partial<Rates>) },
    disasters: plan.disasters.filter((_, i) => cut.disasters.includes(i)),
    targets: plan.targets.filter((_, i) => cut.targets.includes(i)),
    faultsMax: cut.faultsMax,
  };
}
