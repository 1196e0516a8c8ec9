// Finds a deployed stage in the account and region of the caller's own AWS configuration, by the outputs of its stack.
import { type CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { missing } from '../../foundation/errors.ts';
import { given } from '../../foundation/given.ts';
import { OPTIONS_OUTPUT, OUTPUTS, stackNameOf } from '../../settings/stage-names.ts';
import { awsError } from './aws-errors.ts';

export type StageOutputs = Readonly<Record<keyof typeof OUTPUTS, string>> & {
  /** What it was deployed with, as JSON; an earlier release did not say. */
  readonly options?: string | undefined;
};

/**
 * Throws `missing` STAGE_MISSING if there is no such stack, or it has not all outputs (still being created, or of
 * another version).
 */
export async function findStage(client: CloudFormationClient, stage: string): Promise<StageOutputs> {
  const stackName = stackNameOf(stage);
  const found = new Map<string, string>();
  try {
    const { Stacks: stacks = [] } = await client.send(new DescribeStacksCommand({ StackName: stackName }));
    for (const { OutputKey = '', OutputValue = '' } of stacks[0]?.Outputs ?? []) found.set(OutputKey, OutputValue);
  } catch (error) {
    if (error instanceof Error && error.name === 'ValidationError')
      throw missing('STAGE_MISSING', `no stage ${stage} here: there is no stack ${stackName} in this region`, error);
    throw awsError('cloudformation:DescribeStacks', error);
  }
  const outputOf = (name: string): string => {
    const value = found.get(name);
    if (value === undefined)
      throw missing('STAGE_MISSING', `stack ${stackName} has no output ${name}: deploy it again`);
    return value;
  };
  const entries = Object.entries(OUTPUTS).map(([field, name]) => [field, outputOf(name)]);
  return { ...Object.fromEntries(entries), ...given({ options: found.get(OPTIONS_OUTPUT) }) } as StageOutputs;
}
