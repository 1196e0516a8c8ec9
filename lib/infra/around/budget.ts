// Mail before a month gets dear. What a stage costs is told by its tag, which has to be activated in the account once;
// a budget that does nothing but mail costs nothing.
import { Aws } from 'aws-cdk-lib';
import { CfnBudget } from 'aws-cdk-lib/aws-budgets';
import { Construct } from 'constructs';
import { COST_TAG, zoneName } from '../resource-names.ts';
import type { StageSettings } from '../stage-settings.ts';

export interface BudgetProps {
  readonly stage: StageSettings;
  readonly dollars: number;
  readonly email: string;
}

const NOTIFIED = [
  { notificationType: 'ACTUAL', threshold: 80 },
  { notificationType: 'FORECASTED', threshold: 100 },
] as const;

export class Budget extends Construct {
  constructor(scope: Construct, id: string, { stage, dollars, email }: BudgetProps) {
    super(scope, id);
    new CfnBudget(this, 'Month', {
      budget: {
        // Budgets are there once in an account, stages once in a region.
        budgetName: `${zoneName(stage, 'month')}-${Aws.REGION}`,
        budgetType: 'COST',
        timeUnit: 'MONTHLY',
        budgetLimit: { amount: dollars, unit: 'USD' },
        costFilters: { TagKeyValue: [`user:${COST_TAG}$${stage.stage}`] },
      },
      notificationsWithSubscribers: NOTIFIED.map((one) => ({
        notification: { ...one, thresholdType: 'PERCENTAGE', comparisonOperator: 'GREATER_THAN' },
        subscribers: [{ subscriptionType: 'EMAIL', address: email }],
      })),
    });
  }
}
