// What CloudFormation knows of a stage before and after a deployment: its settings, whether it is meant to last, its
// protection.
import {
  CloudFormationClient,
  DescribeStacksCommand,
  UpdateTerminationProtectionCommand,
} from '@aws-sdk/client-cloudformation';
import { invalid, isKind, missing } from '../../foundation/errors.ts';
import { parseSettings, type Settings } from '../../settings/settings.ts';
import { stackNameOf } from '../../settings/stage-names.ts';
import { awsError } from './aws-errors.ts';
import { findStage } from './aws-stage.ts';

const BOOTSTRAP_STACK = 'CDKToolkit';

export interface KnownStage {
  readonly settings: Settings;
  readonly drives: number;
  /** Not protected against deletion: it takes its data with it. */
  readonly isEphemeral: boolean;
}

/** Undefined if there is no such stage here. Throws `denied` AWS_DENIED without credentials or region. */
export async function findDeployed(stage: string): Promise<KnownStage | undefined> {
  return withClient(async (client) => {
    try {
      const { settings, drives } = await findStage(client, stage);
      const { Stacks: stacks = [] } = await client.send(new DescribeStacksCommand({ StackName: stackNameOf(stage) }));
      return {
        settings: parseSettings(JSON.parse(settings)),
        drives: drives.split(',').length,
        isEphemeral: stacks[0]?.EnableTerminationProtection !== true,
      };
    } catch (error) {
      if (isKind(error, 'missing')) return undefined;
      throw error;
    }
  });
}

/** Throws `missing` BOOTSTRAP_MISSING unless CDK has been set up in this account and region. */
export async function requireBootstrap(): Promise<void> {
  await withClient(async (client) => {
    try {
      await client.send(new DescribeStacksCommand({ StackName: BOOTSTRAP_STACK }));
    } catch (error) {
      if (!(error instanceof Error && error.name === 'ValidationError'))
        throw awsError('cloudformation:DescribeStacks', error);
      throw missing('BOOTSTRAP_MISSING', 'CDK is not set up in this account and region: run npx cdk bootstrap once');
    }
  });
}

/** A durable stage is protected against deletion, stack by stack. */
export async function allowDeletion(stage: string, cell: string): Promise<void> {
  const name = stackNameOf(stage);
  await withClient(async (client) => {
    for (const stackName of [name, `${name}-${cell}`, `${name}-${cell}-data`, `${name}-data`])
      try {
        await client.send(
          new UpdateTerminationProtectionCommand({ StackName: stackName, EnableTerminationProtection: false }),
        );
      } catch (error) {
        if (error instanceof Error && error.name === 'ValidationError')
          throw invalid('STAGE_INCOMPLETE', `stack ${stackName} cannot be unprotected: ${error.message}`, error);
        throw awsError('cloudformation:UpdateTerminationProtection', error);
      }
  });
}

async function withClient<T>(work: (client: CloudFormationClient) => Promise<T>): Promise<T> {
  const client = new CloudFormationClient({});
  try {
    return await work(client);
  } finally {
    client.destroy();
  }
}
