// Policies for those who use a stage, to be attached to their roles. IAM sees one function: it can tell who may call,
// and by which way, but neither reading from writing nor one namespace from another. That is what namespaces say
// themselves, by the identity that IAM gives of who called the URL. A direct Invoke gives none, and could pretend to be
// such a request: so who may call the URL only may not invoke otherwise.
import { Aws } from 'aws-cdk-lib';
import { ManagedPolicy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { zoneName } from '../resource-names.ts';
import type { StageSettings } from '../stage-settings.ts';

export interface CallerPoliciesProps {
  readonly stage: StageSettings;
  readonly functionArn: string;
  /** By whose outputs a client finds the stage. */
  readonly stackId: string;
}

export class CallerPolicies extends Construct {
  constructor(scope: Construct, id: string, { stage, functionArn, stackId }: CallerPoliciesProps) {
    super(scope, id);
    const find = new PolicyStatement({ actions: ['cloudformation:DescribeStacks'], resources: [stackId] });
    const resources = [functionArn];
    // Policies are there once in an account, stages once in a region.
    const nameOf = (kind: string): string => `${zoneName(stage, kind)}-${Aws.REGION}`;
    new ManagedPolicy(this, 'Invoke', {
      managedPolicyName: nameOf('invoke'),
      description: `Pocketful ${stage.stage}: everything in namespaces that name nobody, or name invoke (the CLI's way)`,
      statements: [find, new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources })],
    });
    // Since October 2025 both are needed.
    new ManagedPolicy(this, 'Url', {
      managedPolicyName: nameOf('url'),
      description: `Pocketful ${stage.stage}: by signed requests to the URL, what namespaces let the caller do`,
      statements: [
        new PolicyStatement({
          actions: ['lambda:InvokeFunctionUrl'],
          resources,
          conditions: { StringEquals: { 'lambda:FunctionUrlAuthType': 'AWS_IAM' } },
        }),
        new PolicyStatement({
          actions: ['lambda:InvokeFunction'],
          resources,
          conditions: { Bool: { 'lambda:InvokedViaFunctionUrl': 'true' } },
        }),
      ],
    });
  }
}
