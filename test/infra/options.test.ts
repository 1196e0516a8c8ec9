// What a stage has beside its own parts: policies for those who call it.
import { beforeAll, describe, expect, it } from 'vitest';
import { type Resource, resourcesIn, type Statement, type Synthesized, synthStage } from './synth.ts';

let stage: Synthesized;
beforeAll(() => {
  stage = synthStage({ stage: 'prod', preset: 'thrifty' });
});

describe('policies for callers', () => {
  const policy = (kind: string): Statement[] => {
    const found = resourcesIn([stage.zone], 'AWS::IAM::ManagedPolicy').filter(({ Properties }) =>
      JSON.stringify(Properties['ManagedPolicyName']).includes(`pocketful-prod-${kind}-`),
    );
    expect(found).toHaveLength(1);
    const [{ Properties }] = found as [Resource];
    expect(JSON.stringify(Properties['ManagedPolicyName'])).toContain('AWS::Region');
    return (Properties['PolicyDocument'] as { Statement: Statement[] }).Statement;
  };
  const frontend = (): unknown => {
    const [id] = Object.keys(stage.zone.findResources('AWS::Lambda::Url'));
    const arn = stage.zone.toJSON()['Resources'][id as string].Properties.TargetFunctionArn;
    expect(arn).toMatchObject({ 'Fn::GetAtt': [expect.stringContaining('Frontend'), 'Arn'] });
    return arn;
  };

  it('of the URL allow both actions that it takes, signed requests only, and no other way to the function', () => {
    expect(policy('url')).toEqual([
      {
        Effect: 'Allow',
        Action: 'lambda:InvokeFunctionUrl',
        Resource: frontend(),
        Condition: { StringEquals: { 'lambda:FunctionUrlAuthType': 'AWS_IAM' } },
      },
      {
        Effect: 'Allow',
        Action: 'lambda:InvokeFunction',
        Resource: frontend(),
        Condition: { Bool: { 'lambda:InvokedViaFunctionUrl': 'true' } },
      },
    ]);
  });

  it('of Invoke allow to find the stage and to call its frontend, and nothing else', () => {
    expect(policy('invoke')).toEqual([
      { Effect: 'Allow', Action: 'cloudformation:DescribeStacks', Resource: { Ref: 'AWS::StackId' } },
      { Effect: 'Allow', Action: 'lambda:InvokeFunction', Resource: frontend() },
    ]);
  });
});
