// What CloudFormation knows of a stage before a deployment: its settings, and whether it is meant to last.
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { GetAccountSettingsCommand, LambdaClient } from '@aws-sdk/client-lambda';
import * as z from 'zod';
import { isKind, missing } from '../../foundation/errors.ts';
import { parseSettings, type Settings } from '../../settings/settings.ts';
import { stackNameOf } from '../../settings/stage-names.ts';
import { awsError } from './aws-errors.ts';
import { findStage } from './aws-stage.ts';

const BOOTSTRAP_STACK = 'CDKToolkit';
const optionsSchema = z.record(z.string(), z.string());

export interface KnownStage {
  readonly settings: Settings;
  readonly drives: number;
  /** It takes its data with it. Of an earlier release: its stacks are not protected. */
  readonly isEphemeral: boolean;
  /** What else it was deployed with; empty if an earlier release did. */
  readonly options: Readonly<Record<string, string>>;
}

/** Undefined if there is no such stage here. Throws `denied` AWS_DENIED without credentials or region. */
export async function findDeployed(stage: string): Promise<KnownStage | undefined> {
  return withClient(async (client) => {
    try {
      const { settings, drives, options: said = '{}' } = await findStage(client, stage);
      const { Stacks: stacks = [] } = await client.send(new DescribeStacksCommand({ StackName: stackNameOf(stage) }));
      const [stack] = stacks;
      const options = optionsSchema.parse(JSON.parse(said));
      const { ephemeral } = options;
      return {
        settings: parseSettings(JSON.parse(settings)),
        drives: drives.split(',').length,
        isEphemeral: ephemeral === undefined ? stack?.EnableTerminationProtection !== true : ephemeral === 'true',
        options,
      };
    } catch (error) {
      if (isKind(error, 'missing')) return undefined;
      throw error;
    }
  });
}

/** Functions that may run at once in this account and region; undefined if that may not be asked. */
export async function measuredConcurrency(): Promise<number | undefined> {
  const lambda = new LambdaClient({});
  try {
    const { AccountLimit: limit } = await lambda.send(new GetAccountSettingsCommand({}));
    return limit?.ConcurrentExecutions;
  } catch {
    return undefined;
  } finally {
    lambda.destroy();
  }
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

async function withClient<T>(work: (client: CloudFormationClient) => Promise<T>): Promise<T> {
  const client = new CloudFormationClient({});
  try {
    return await work(client);
  } finally {
    client.destroy();
  }
}
