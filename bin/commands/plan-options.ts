// The options that `plan`, `compact` and `explain` share, as a planner understands them. What makes no sense is refused
// there or here, before anything is opened.
import type { Command } from 'commander';
import { OBJECTIVES, type Objective, planSettingsOf, STRATEGIES } from '../../lib/compaction/facts/plan-settings.ts';
import { BUDGET_LINES, type BudgetLine, budgetsOf } from '../../lib/compaction/plan/budget.ts';
import type { PlanRequest } from '../../lib/engine/upkeep/compaction.ts';
import { invalid } from '../../lib/foundation/errors.ts';
import { collect, numberArgument } from './command.ts';

export interface PlanOptions {
  readonly strategy?: string;
  readonly objective?: string;
  readonly budget?: readonly string[];
  readonly boundaries?: string;
  readonly threshold?: number;
  readonly targetOverhead?: number;
  readonly finish?: boolean;
  readonly acceptClock?: boolean;
}

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  K: 1e3,
  KB: 1e3,
  M: 1e6,
  MB: 1e6,
  G: 1e9,
  GB: 1e9,
  T: 1e12,
  TB: 1e12,
};

/** `more`: strategies that only one command knows. */
export const withPlanOptions = (command: Command, more = ''): Command =>
  command
    .option(`--strategy <l1|l2|l3|merge${more}|all>`, 'only this strategy (default: all)')
    .option('--objective <name>', `what a run is chosen by: ${OBJECTIVES.join(', ')} (default: worth)`)
    .option('--budget <line=amount>', `at most so much, such as bytesWritten=2GB: ${BUDGET_LINES.join(', ')}`, collect)
    .option('--boundaries <l3,l2,l1>', 'fills up to which each strategy owns volumes (default: 0.1,0.85,1)')
    .option('--threshold <fraction>', 'least dead fraction worth a run (default: the tuned one)', numberArgument)
    .option('--target-overhead <ratio>', 'stop at this capacity / live bytes of sealed volumes', numberArgument)
    .option('--finish', 'pack what is left too, although it fills no volume')
    .option('--accept-clock', 'plan although most of the store was written later than the clock says');

/**
 * Throws `invalid` STRATEGY_UNKNOWN, OBJECTIVE_UNKNOWN, BUDGET_INVALID, BOUNDARIES_INVALID or PLAN_SETTINGS_INVALID.
 */
export function planRequestOf(options: PlanOptions): PlanRequest {
  const { threshold, targetOverhead, finish, acceptClock } = options;
  const request: PlanRequest = {
    ...strategiesOf(options.strategy),
    objective: objectiveOf(options.objective),
    budgets: options.budget === undefined ? undefined : budgetsFrom(options.budget),
    boundaries: boundariesOf(options.boundaries),
    threshold,
    targetOverhead,
    finish,
    acceptClock,
  };
  planSettingsOf({ ...request.boundaries, ...(targetOverhead === undefined ? {} : { targetOverhead }) });
  return request;
}

function strategiesOf(text = 'all'): Pick<PlanRequest, 'strategies' | 'merge'> {
  if (text === 'all') return { strategies: STRATEGIES };
  if (text === 'merge') return { strategies: STRATEGIES, merge: 'only' };
  const known = STRATEGIES.find((strategy) => strategy === text);
  if (known === undefined)
    throw invalid('STRATEGY_UNKNOWN', `there is no strategy "${text}": ${STRATEGIES.join(', ')}, merge or all`);
  return { strategies: [known] };
}

function objectiveOf(text: string | undefined): Objective | undefined {
  const known = OBJECTIVES.find((objective) => objective === text);
  if (text !== undefined && known === undefined)
    throw invalid('OBJECTIVE_UNKNOWN', `there is no objective "${text}": ${OBJECTIVES.join(', ')}`);
  return known;
}

/** `LINE=AMOUNT`, several with commas between or the option given again. */
function budgetsFrom(texts: readonly string[]) {
  const budgets: Partial<Record<BudgetLine, number>> = {};
  for (const text of texts.flatMap((given) => given.split(','))) {
    const [name = '', amount = ''] = text.split('=');
    const line = BUDGET_LINES.find((known) => known === name.trim());
    if (line === undefined)
      throw invalid(
        'BUDGET_INVALID',
        `budget "${text}": it is LINE=AMOUNT, a line is one of ${BUDGET_LINES.join(', ')}`,
      );
    if (budgets[line] !== undefined) throw invalid('BUDGET_INVALID', `budget: ${line} is given twice`);
    budgets[line] = amountOf(text, amount.trim());
  }
  budgetsOf(budgets);
  return budgets;
}

export function amountOf(text: string, amount: string): number {
  const [, digits = '', unit = ''] = /^(\d+(?:\.\d+)?)\s*([A-Za-z]*)$/.exec(amount) ?? [];
  const factor = UNITS[unit.toUpperCase()];
  const value = Number(digits) * (factor ?? Number.NaN);
  if (digits === '' || !Number.isFinite(value))
    throw invalid('BUDGET_INVALID', `budget "${text}": an amount is a number above 0, such as 500 or 2GB`);
  return value;
}

function boundariesOf(text: string | undefined): PlanRequest['boundaries'] {
  if (text === undefined) return undefined;
  const numbers = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  const [l3UpTo, l2UpTo, l1UpTo] = numbers;
  if (numbers.length !== 3 || l3UpTo === undefined || l2UpTo === undefined || l1UpTo === undefined)
    throw invalid(
      'BOUNDARIES_INVALID',
      `boundaries "${text}": three fractions are needed, of l3, l2 and l1, such as 0.1,0.75,1`,
    );
  return { l3UpTo, l2UpTo, l1UpTo };
}
