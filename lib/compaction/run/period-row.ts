// work/budget | period: the budgets in force since the last plan, and what has been done since, one count a line.
import type { Attributes, Key, Row } from '../../panda/panda.ts';
import type { Change } from '../../panda/rows/change.ts';
import { optionalCount, stringIn } from '../../panda/rows/row-reader.ts';
import { BUDGET_LINES, type BudgetLine, type Budgets, parseBudgets, type Spending } from '../plan/budget.ts';

const NANODOLLARS = 1e9;
const unitOf = (line: BudgetLine): number => (line === 'dollars' ? NANODOLLARS : 1);

export interface Period {
  readonly budgets: Budgets;
  readonly spent: Spending;
}

export const periodKey: Key = { partition: 'work/budget', sort: 'period' };

export function periodFromRow(row: Row): Period {
  const spent = BUDGET_LINES.map((line) => [line, (optionalCount(row, line) ?? 0) / unitOf(line)]);
  return { budgets: parseBudgets(JSON.parse(stringIn(row, 'j'))), spent: Object.fromEntries(spent) as Spending };
}

/** Nothing spent yet. */
export const newPeriodAttributes = (budgets: Budgets): Attributes => ({ j: JSON.stringify(budgets) });

/** Adds what was done; undefined if that is nothing. */
export function spend(spent: Spending): Change | undefined {
  const counts = BUDGET_LINES.map((line) => [line, Math.round(spent[line] * unitOf(line))] as const);
  const add = Object.fromEntries(counts.filter(([, count]) => count > 0));
  return Object.keys(add).length === 0 ? undefined : { add };
}
