// Refuses a deployment that contradicts what the stage's store is for good: a function asks the store's row in Panda,
// and CloudFormation rolls back with its reason. Runs only when settings or the number of drives change.
import { CustomResource, Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { PandaTable } from './panda-table.ts';
import { zoneName } from './resource-names.ts';
import { ServiceFunction } from './service-function.ts';
import type { StageSettings } from './stage-settings.ts';

const TIMEOUT = Duration.seconds(60);
/** Without an answer CloudFormation would wait for an hour. */
const ANSWER_WITHIN = Duration.minutes(3);

export interface SettingsGuardProps {
  readonly stage: StageSettings;
  readonly panda: PandaTable;
}

export class SettingsGuard extends Construct {
  constructor(scope: Construct, id: string, props: SettingsGuardProps) {
    super(scope, id);
    const { stage, panda } = props;
    const guard = new ServiceFunction(this, 'Guard', {
      folder: 'settings-guard',
      name: zoneName(stage, 'settings-guard'),
      description: `Pocketful ${stage.stage}: refuses deployments that contradict the store`,
      stage,
      memoryMiB: 256,
      timeout: TIMEOUT,
      environment: { POCKETFUL_TABLE: panda.table.tableName },
    });
    panda.grantRead(guard.function);
    const check = new CustomResource(this, 'Check', {
      resourceType: 'Custom::PocketfulSettings',
      serviceToken: guard.function.functionArn,
      serviceTimeout: ANSWER_WITHIN,
      properties: { settings: JSON.stringify(stage.store), drives: String(stage.drives) },
    });
    check.node.addDependency(guard);
  }
}
