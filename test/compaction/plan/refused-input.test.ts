// What is no settings, budgets or plan at all is refused by the name of what it was meant to be; one field too many, too.
import { expect, it } from 'vitest';
import { mergeSettingsFor } from '../../../lib/compaction/facts/merge-settings.ts';
import { planSettingsOf } from '../../../lib/compaction/facts/plan-settings.ts';
import { budgetsOf, parseBudgets } from '../../../lib/compaction/plan/budget.ts';
import { parseOperating } from '../../../lib/compaction/plan/operating-settings.ts';
import { parsePlan } from '../../../lib/compaction/plan/plan.ts';
import { thresholdSettingsOf } from '../../../lib/compaction/threshold/law.ts';
import { SMALL } from '../acting-world.ts';

const MORE = { more: 1 } as object;
const TOO_MUCH = 'Unrecognized key: "more"';

it.each([
  ['PLAN_INVALID', 'plan: input: Invalid input: expected object, received number', () => parsePlan('3')],
  ['PLAN_INVALID', 'plan: input: Invalid input: expected object, received null', () => parsePlan('null')],
  ['PLAN_INVALID', 'plan: the file is not JSON', () => parsePlan('{')],
  ['BUDGET_INVALID', 'budget: input: Invalid input: expected object, received null', () => parseBudgets(null)],
  ['BUDGET_INVALID', `budget: input: ${TOO_MUCH}`, () => budgetsOf(MORE)],
  ['OPERATING_INVALID', 'settings: input: Invalid input: expected object, received string', () => parseOperating('x')],
  ['OPERATING_INVALID', `settings: input: ${TOO_MUCH}`, () => parseOperating(MORE)],
  ['PLAN_SETTINGS_INVALID', `plan settings: input: ${TOO_MUCH}`, () => planSettingsOf(MORE)],
  ['MERGE_SETTINGS_INVALID', `merge settings: input: ${TOO_MUCH}`, () => mergeSettingsFor(SMALL, MORE)],
  ['THRESHOLD_INVALID', `threshold: input: ${TOO_MUCH}`, () => thresholdSettingsOf(MORE)],
  [
    'BUDGET_INVALID',
    'budget: shares.l1: Invalid input: expected number, received undefined',
    () => budgetsOf({ shares: {} as never }),
  ],
])('%s: %s', (code, message, parse) => {
  expect(parse).toThrowError(expect.objectContaining({ kind: 'invalid', code, message }));
});
