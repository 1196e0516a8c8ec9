// The budgets in force since the last plan, and what has been done since, whoever did it (period-row.ts). The
// controller of the threshold and L3's flow control go by it. Counted after the work is done: a process that dies in
// between leaves it short, never wrong.
import { isKind, isPocketfulError } from '../../foundation/errors.ts';
import type { Write } from '../../panda/panda.ts';
import type { Components } from '../../volume/rows/components.ts';
import { transact } from '../../volume/rows/transact.ts';
import { BUDGET_LINES, type Budgets, budgetUsed, NOTHING_SPENT, type Spending, UNLIMITED } from '../plan/budget.ts';
import { newPeriodAttributes, type Period, periodFromRow, periodKey, spend } from './period-row.ts';

/** Undefined before the first plan. */
export async function readPeriod({ panda }: Pick<Components, 'panda'>): Promise<Period | undefined> {
  const row = await panda.get(periodKey);
  return row === undefined ? undefined : periodFromRow(row);
}

/**
 * Budgets for what is done from now on. How much of the scarcest one before was used, 0..1. A lost update costs
 * nothing.
 */
export async function beginPeriod(components: Components, budgets: Budgets): Promise<number> {
  const before = await readPeriod(components);
  // A store whose budgets are not limited, and that has nothing to do, is not written to.
  const isSame = JSON.stringify(before?.budgets ?? UNLIMITED) === JSON.stringify(budgets);
  if (isSame && BUDGET_LINES.every((line) => (before?.spent[line] ?? 0) === 0)) return 0;
  const put: Write = { kind: 'put', ...periodKey, attributes: newPeriodAttributes(budgets) };
  await transact(components, [put], async () => false);
  return before === undefined ? 0 : budgetUsed(before.budgets, before.spent);
}

/** Adds what was done. Figures are not worth failing the work for that they count. */
export async function charge(components: Components, spent: Spending): Promise<void> {
  const spending = spend(spent);
  if (spending === undefined) return;
  try {
    await components.panda.transact([{ kind: 'update', ...periodKey, ...spending, if: ['exists'] }]);
  } catch (error) {
    if (!isPocketfulError(error) || isKind(error, 'corrupt', 'denied')) throw error;
  }
}

/** Metadata writes that are left in this period; null = not limited. */
export async function metadataWritesLeft(components: Pick<Components, 'panda'>): Promise<number | null> {
  const { budgets, spent } = (await readPeriod(components)) ?? { budgets: undefined, spent: NOTHING_SPENT };
  const whole = budgets?.metadataWrites ?? null;
  return whole === null ? null : Math.max(0, whole - spent.metadataWrites);
}
