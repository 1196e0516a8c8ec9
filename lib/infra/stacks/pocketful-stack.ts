// What all stacks of a stage have in common: tags, protection of a durable stage against deletion, and strong
// references. CloudFormation refuses to drop what another stack imports, so no change of settings can take a drive, the
// table or the key away.
import { CrossStackReferences, ReferenceStrength, Stack, type StackProps, Tags } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { COST_TAG } from '../resource-names.ts';
import type { StageSettings } from '../stage-settings.ts';

export interface PocketfulStackProps extends StackProps {
  readonly stage: StageSettings;
}

export class PocketfulStack extends Stack {
  readonly stage: StageSettings;

  constructor(scope: Construct, id: string, props: PocketfulStackProps) {
    const { stage, ...rest } = props;
    super(scope, id, { stackName: id, terminationProtection: stage.isProtected, ...rest });
    this.stage = stage;
    CrossStackReferences.of(this).consume(ReferenceStrength.STRONG);
    Tags.of(this).add('project', 'pocketful');
    Tags.of(this).add('stage', stage.stage);
    // Bills can be split by it, once it is activated: a name that nobody else gives.
    Tags.of(this).add(COST_TAG, stage.stage);
  }
}
