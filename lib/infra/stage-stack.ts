// One stage of Pocketful as one stack: drives, Panda, key, and the frontend function with its URL. What a client must
// know is in the outputs, which lib/client reads by name.
import { CfnOutput, Stack, type StackProps, Tags } from 'aws-cdk-lib';
import { FunctionUrlAuthType } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { OUTPUTS, stackNameOf } from '../settings/stage-names.ts';
import { Drives } from './drives.ts';
import { KekKey } from './kek-key.ts';
import { PandaTable } from './panda-table.ts';
import { ServiceFunction } from './service-function.ts';
import type { StageSettings } from './stage-settings.ts';

export interface StageStackProps extends StackProps {
  readonly stage: StageSettings;
}

export class StageStack extends Stack {
  constructor(scope: Construct, id: string, props: StageStackProps) {
    const { stage, ...rest } = props;
    super(scope, id, {
      stackName: stackNameOf(stage.stage),
      description: `Pocketful stage ${stage.stage}: a blob store on ${stage.drives} S3 buckets`,
      terminationProtection: !stage.ephemeral,
      ...rest,
    });
    Tags.of(this).add('project', 'pocketful');
    Tags.of(this).add('stage', stage.stage);

    const drives = new Drives(this, 'Drives', { count: stage.drives, ephemeral: stage.ephemeral });
    const panda = new PandaTable(this, 'Panda', { ephemeral: stage.ephemeral });
    const kek = new KekKey(this, 'Kek', { stage: stage.stage, ephemeral: stage.ephemeral });

    const frontend = new ServiceFunction(this, 'Frontend', {
      folder: 'frontend',
      description: `Pocketful ${stage.stage}: put, get, head, delete, list`,
      stage,
      environment: {
        POCKETFUL_STAGE: stage.stage,
        POCKETFUL_TABLE: panda.table.tableName,
        POCKETFUL_DRIVES: drives.names,
        POCKETFUL_KEY: kek.key.keyArn,
        POCKETFUL_SETTINGS: JSON.stringify(stage.store),
      },
    });
    drives.grantUse(frontend.function);
    panda.grantUse(frontend.function);
    kek.grantUse(frontend.function);
    const url = frontend.function.addFunctionUrl({ authType: FunctionUrlAuthType.AWS_IAM });

    this.#output(OUTPUTS.stage, stage.stage, 'The stage');
    this.#output(OUTPUTS.table, panda.table.tableName, "Panda's table");
    this.#output(OUTPUTS.drives, drives.names, 'The buckets, in the order of their drive numbers');
    this.#output(OUTPUTS.key, kek.key.keyArn, 'The KMS key that wraps key-encryption keys');
    this.#output(OUTPUTS.frontend, frontend.function.functionName, 'The frontend function');
    this.#output(OUTPUTS.url, url.url, 'HTTP address of the frontend (signed requests only)');
    this.#output(OUTPUTS.settings, JSON.stringify(stage.store), 'The settings of the store');
  }

  #output(name: string, value: string, description: string): void {
    new CfnOutput(this, name, { value, description });
  }
}
