// Budgets of a plan: how much of each scarce thing all its runs may use, and what part of it each strategy is sure of.
// What a strategy leaves of its share spills over to the others, so that none starves and nothing lies idle.
import * as z from 'zod';
import type { Work } from '../../cost/cost-of.ts';
import { invalid, notMet } from '../../foundation/errors.ts';
import { STRATEGIES, type Strategy } from '../facts/plan-settings.ts';

export const BUDGET_LINES = [
  'bytesRead',
  'bytesWritten',
  'metadataWrites',
  'requests',
  'computeMs',
  'dollars',
] as const;
export type BudgetLine = (typeof BUDGET_LINES)[number];

/** null = not limited. */
const limit = z.number().positive().nullable();
const share = z.number().gt(0).max(1);

export const budgetsSchema = z.strictObject({
  bytesRead: limit,
  bytesWritten: limit,
  metadataWrites: limit,
  requests: limit,
  computeMs: limit,
  dollars: limit,
  shares: z.strictObject({ l1: share, l2: share, l3: share }),
});

export type Budgets = Readonly<z.infer<typeof budgetsSchema>>;
export type Spending = Readonly<Record<BudgetLine, number>>;

export const UNLIMITED: Budgets = Object.freeze({
  bytesRead: null,
  bytesWritten: null,
  metadataWrites: null,
  requests: null,
  computeMs: null,
  dollars: null,
  shares: Object.freeze({ l1: 0.4, l2: 0.4, l3: 0.2 }),
});

/**
 * Budgets with some changed. Throws `invalid` BUDGET_INVALID: zero, negative, not a number, shares that are no whole.
 */
export function budgetsOf(changes: Partial<Budgets> = {}): Budgets {
  return parseBudgets({ ...UNLIMITED, ...changes });
}

export function parseBudgets(input: unknown): Budgets {
  const parsed = budgetsSchema.safeParse(input);
  if (!parsed.success) throw notMet('BUDGET_INVALID', 'budget', parsed.error);
  const { l1, l2, l3 } = parsed.data.shares;
  if (Math.abs(l1 + l2 + l3 - 1) > 1e-9)
    throw invalid('BUDGET_INVALID', `budget: the shares of l1, l2 and l3 add up to ${l1 + l2 + l3}, not 1`);
  return Object.freeze(parsed.data);
}

export const spendingOf = (work: Work, dollars: number): Spending => ({
  bytesRead: work.bytesRead,
  bytesWritten: work.bytesWritten,
  metadataWrites: work.metadataWrites,
  requests: work.getRequests + work.putRequests,
  computeMs: work.computeMs,
  dollars,
});

const nothing = (): Record<BudgetLine, number> => ({
  bytesRead: 0,
  bytesWritten: 0,
  metadataWrites: 0,
  requests: 0,
  computeMs: 0,
  dollars: 0,
});

/** Keeps count of one plan's spending. */
export class Ledger {
  readonly #budgets: Budgets;
  /** Shares among the strategies asked for: the others' are spread over them. */
  readonly #shares: Readonly<Record<Strategy, number>>;
  readonly #spent = { l1: nothing(), l2: nothing(), l3: nothing() };
  readonly #total = nothing();

  constructor(budgets: Budgets, strategies: readonly Strategy[]) {
    this.#budgets = budgets;
    const sum = STRATEGIES.reduce((all, s) => all + (strategies.includes(s) ? budgets.shares[s] : 0), 0);
    const of = (s: Strategy): number => (strategies.includes(s) ? budgets.shares[s] / sum : 0);
    this.#shares = { l1: of('l1'), l2: of('l2'), l3: of('l3') };
  }

  /**
   * Whether `strategy` may spend this much more: of its own share, or (`spilling`) of whatever is left of the whole.
   */
  affords(strategy: Strategy, spending: Spending, spilling: boolean): boolean {
    return BUDGET_LINES.every((line) => {
      const whole = this.#budgets[line];
      if (whole === null) return true;
      if (this.#total[line] + spending[line] > whole) return false;
      return spilling || this.#spent[strategy][line] + spending[line] <= whole * this.#shares[strategy];
    });
  }

  charge(strategy: Strategy, spending: Spending): void {
    for (const line of BUDGET_LINES) {
      this.#spent[strategy][line] += spending[line];
      this.#total[line] += spending[line];
    }
  }

  spent(strategy: Strategy): Spending {
    return { ...this.#spent[strategy] };
  }

  get total(): Spending {
    return { ...this.#total };
  }

  /** What the threshold controller listens to. */
  get used(): number {
    return budgetUsed(this.#budgets, this.#total);
  }
}

export const isLimited = (budgets: Budgets): boolean => BUDGET_LINES.some((line) => budgets[line] !== null);

/** Use of the scarcest budget, 0..1; 0 if nothing is limited. */
export const budgetUsed = (budgets: Budgets, spent: Spending): number =>
  BUDGET_LINES.reduce((most, line) => {
    const whole = budgets[line];
    return whole === null ? most : Math.max(most, spent[line] / whole);
  }, 0);

/** What is left for the next plan; undefined when something is used up. */
export function budgetsLeft(budgets: Budgets, spent: Spending): Budgets | undefined {
  const left = { ...budgets };
  for (const line of BUDGET_LINES) {
    const whole = budgets[line];
    if (whole === null) continue;
    if (spent[line] >= whole) return undefined;
    left[line] = whole - spent[line];
  }
  return left;
}

export function addSpending(a: Spending, b: Spending): Spending {
  const sum = nothing();
  for (const line of BUDGET_LINES) sum[line] = a[line] + b[line];
  return sum;
}

export function subtractSpending(a: Spending, b: Spending): Spending {
  const rest = nothing();
  for (const line of BUDGET_LINES) rest[line] = a[line] - b[line];
  return rest;
}

export const NOTHING_SPENT: Spending = Object.freeze(nothing());
