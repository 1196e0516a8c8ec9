// What a stage has beside its own parts: policies for those who call it, tags, and what is there only if it is asked for.
import { beforeAll, describe, expect, it } from 'vitest';
import { parseStageSettings } from '../../lib/infra/stage-settings.ts';
import { actionsOf, type Resource, resourcesIn, type Statement, type Synthesized, synthStage } from './synth.ts';

let stage: Synthesized;
beforeAll(() => {
  stage = synthStage({
    ...{ stage: 'prod', preset: 'thrifty', journal: 'false', events: 'true', tracing: 'true' },
    ...{ budgetUsd: '25', alarmEmail: 'somebody@example.com' },
  });
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

describe('events', () => {
  const pipe = (): Record<string, unknown> => {
    const [{ Properties }] = resourcesIn(stage.all, 'AWS::Pipes::Pipe') as [Resource];
    return Properties;
  };

  it('are told of objects only, from a stream that is there for them alone, at least once', () => {
    stage.zoneData.hasResourceProperties('AWS::DynamoDB::Table', {
      StreamSpecification: { StreamViewType: 'NEW_IMAGE' },
    });
    expect(pipe()).toMatchObject({
      Source: { 'Fn::ImportValue': expect.stringContaining('StreamArn') },
      SourceParameters: {
        FilterCriteria: { Filters: [{ Pattern: '{"dynamodb":{"Keys":{"pk":{"S":[{"prefix":"object/"}]}}}}' }] },
        DynamoDBStreamParameters: {
          StartingPosition: 'LATEST',
          MaximumRetryAttempts: -1,
          DeadLetterConfig: { Arn: { 'Fn::GetAtt': [expect.stringContaining('Failed'), 'Arn'] } },
        },
      },
    });
  });

  it('say what changed where, and nothing of its content', () => {
    const { InputTemplate, EventBridgeEventBusParameters } = pipe()['TargetParameters'] as Record<string, string>;
    expect(EventBridgeEventBusParameters).toEqual({ Source: 'pocketful', DetailType: 'Pocketful Object Changed' });
    const filled = InputTemplate?.replaceAll(/<\$\.([A-Za-z.]+)>/g, '"$1"') ?? '';
    expect(JSON.parse(filled)).toEqual({
      stage: 'prod',
      change: 'eventName',
      object: 'dynamodb.Keys.pk.S',
      key: 'dynamodb.Keys.sk.S',
      at: 'dynamodb.ApproximateCreationDateTime',
    });
  });

  it('are sent by a role that reads the stream and puts events, and nothing else', () => {
    const role = (pipe()['RoleArn'] as { 'Fn::GetAtt': [string] })['Fn::GetAtt'][0];
    const policies = resourcesIn([stage.zone], 'AWS::IAM::Policy').filter(({ Properties }) =>
      JSON.stringify(Properties['Roles']).includes(role),
    );
    const statements = policies.flatMap(
      ({ Properties }) => (Properties['PolicyDocument'] as { Statement: Statement[] }).Statement,
    );
    expect(statements.flatMap(actionsOf).sort()).toEqual([
      ...['dynamodb:DescribeStream', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator', 'dynamodb:ListStreams'],
      ...['events:PutEvents', 'sqs:SendMessage'],
    ]);
  });
});

describe('traces', () => {
  it('are kept of every function and of compaction', () => {
    const functions = resourcesIn(stage.all, 'AWS::Lambda::Function').filter(
      ({ Properties }) => 'Architectures' in Properties,
    );
    expect(functions).toHaveLength(10);
    for (const { Properties } of functions) expect(Properties['TracingConfig']).toEqual({ Mode: 'Active' });
    stage.cell.hasResourceProperties('AWS::StepFunctions::StateMachine', { TracingConfiguration: { Enabled: true } });
  });
});

describe('what it costs', () => {
  it('is told by a tag on everything that costs', () => {
    const costs =
      /^AWS::(S3::Bucket|DynamoDB::Table|KMS::Key|Lambda::Function|SQS::Queue|Logs::LogGroup|StepFunctions::StateMachine)$/;
    const found = stage.all.flatMap((template) =>
      Object.values(template.toJSON()['Resources'] as Record<string, Resource>).filter(({ Type }) => costs.test(Type)),
    );
    expect(found.length).toBeGreaterThan(25);
    for (const { Type, Properties } of found)
      expect({ Type, tags: Properties['Tags'] }).toEqual({
        Type,
        tags: expect.arrayContaining([{ Key: 'pocketful:stage', Value: 'prod' }]),
      });
  });

  it('is held against a budget that mails in time', () => {
    const [{ Properties }] = resourcesIn(stage.all, 'AWS::Budgets::Budget') as [Resource];
    expect(Properties).toMatchObject({
      Budget: {
        BudgetType: 'COST',
        TimeUnit: 'MONTHLY',
        BudgetLimit: { Amount: 25, Unit: 'USD' },
        CostFilters: { TagKeyValue: ['user:pocketful:stage$prod'] },
      },
      NotificationsWithSubscribers: [
        { Notification: { NotificationType: 'ACTUAL', Threshold: 80 } },
        { Notification: { NotificationType: 'FORECASTED', Threshold: 100 } },
      ].map((one) => ({ ...one, Subscribers: [{ SubscriptionType: 'EMAIL', Address: 'somebody@example.com' }] })),
    });
  });

  it('is held against none without somebody to mail to', () => {
    expect(() => parseStageSettings({ stage: 'prod', budgetUsd: '25' })).toThrow('alarmEmail');
    for (const budgetUsd of ['0', '-1', 'much'])
      expect(() => parseStageSettings({ budgetUsd, alarmEmail: 'a@example.com' })).toThrow('budgetUsd');
  });
});
