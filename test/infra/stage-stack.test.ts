// The template of a durable and of an ephemeral stage: what every drive, table, key and function must have, and what the
// frontend may do at the most.
import { Match, type Template } from 'aws-cdk-lib/assertions';
import { beforeAll, describe, expect, it } from 'vitest';
import { settingsOf } from '../../lib/settings/settings.ts';
import { OUTPUTS } from '../../lib/settings/stage-names.ts';
import { actionsOf, resourcesOf, type Statement, synthStage } from './synth.ts';

let durable: Template;
let ephemeral: Template;
beforeAll(() => {
  durable = synthStage({ stage: 'prod' });
  ephemeral = synthStage({ stage: 'test', preset: 'demo', ephemeral: 'true', drives: '20' });
});

interface Resource {
  readonly Properties: Record<string, unknown>;
  readonly DeletionPolicy?: string;
}
const resources = (template: Template, type: string): Resource[] =>
  Object.values(template.findResources(type)) as Resource[];

/**
 * Our own statements: what does not fit a role goes to a managed policy of its own. CDK's provider of autoDeleteObjects brings
 * a role without either.
 */
const statements = (template: Template): Statement[] =>
  ['AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy']
    .flatMap((type) => resources(template, type))
    .flatMap((policy) => (policy.Properties['PolicyDocument'] as { Statement: Statement[] }).Statement);

describe('drives', () => {
  it('are one more than the codecs need, or as many as asked for', () => {
    durable.resourceCountIs('AWS::S3::Bucket', 10);
    ephemeral.resourceCountIs('AWS::S3::Bucket', 20);
  });

  it('are private, encrypted, unversioned, and forget abandoned uploads', () => {
    durable.allResourcesProperties('AWS::S3::Bucket', {
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
      },
      OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
      LifecycleConfiguration: {
        Rules: [Match.objectLike({ Status: 'Enabled', AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } })],
      },
      VersioningConfiguration: Match.absent(),
    });
  });

  it('refuse requests without TLS', () => {
    durable.resourceCountIs('AWS::S3::BucketPolicy', 10);
    durable.allResourcesProperties('AWS::S3::BucketPolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Effect: 'Deny',
            Action: 's3:*',
            Condition: { Bool: { 'aws:SecureTransport': 'false' } },
          }),
        ]),
      },
    });
  });
});

describe('removal', () => {
  const kept = ['AWS::S3::Bucket', 'AWS::DynamoDB::Table', 'AWS::KMS::Key'];

  it('of a durable stage keeps data, table and key', () => {
    for (const type of kept) {
      expect(resources(durable, type).map((one) => one.DeletionPolicy)).toContain('Retain');
      durable.allResources(type, { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
    }
    durable.hasResourceProperties('AWS::DynamoDB::Table', { DeletionProtectionEnabled: true });
    durable.resourceCountIs('Custom::S3AutoDeleteObjects', 0);
  });

  it('of an ephemeral stage keeps nothing', () => {
    for (const type of [...kept, 'AWS::Logs::LogGroup']) ephemeral.allResources(type, { DeletionPolicy: 'Delete' });
    ephemeral.resourceCountIs('Custom::S3AutoDeleteObjects', 20);
    ephemeral.hasResourceProperties('AWS::KMS::Key', { PendingWindowInDays: 7 });
  });
});

describe('Panda', () => {
  it('is keyed by two strings and paid per request', () => {
    durable.hasResourceProperties('AWS::DynamoDB::Table', {
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      AttributeDefinitions: [
        { AttributeName: 'pk', AttributeType: 'S' },
        { AttributeName: 'sk', AttributeType: 'S' },
      ],
      BillingMode: 'PAY_PER_REQUEST',
    });
  });

  it('can be restored to a point in time if durable', () => {
    for (const [template, enabled] of [[durable, true] as const, [ephemeral, false] as const]) {
      template.hasResourceProperties('AWS::DynamoDB::Table', {
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: enabled },
      });
    }
  });
});

describe('the key', () => {
  it('is rotated', () => {
    durable.allResourcesProperties('AWS::KMS::Key', { EnableKeyRotation: true });
  });
});

describe('functions', () => {
  it('run Node 24 on arm64 with their own log group, source maps and a timeout', () => {
    durable.resourceCountIs('AWS::Lambda::Function', 1);
    durable.allResourcesProperties('AWS::Lambda::Function', {
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      Timeout: 60,
      MemorySize: 1024,
      LoggingConfig: { LogFormat: 'JSON', LogGroup: { Ref: Match.stringLikeRegexp('FrontendLogs') } },
      Environment: { Variables: Match.objectLike({ NODE_OPTIONS: '--enable-source-maps', POCKETFUL_STAGE: 'prod' }) },
      ReservedConcurrentExecutions: Match.absent(),
    });
    durable.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 14 });
  });

  it('get the settings of the store', () => {
    const variables = resources(durable, 'AWS::Lambda::Function').map(
      (one) => one.Properties['Environment'] as { Variables: Record<string, string> },
    );
    expect(variables.map((one) => JSON.parse(one.Variables['POCKETFUL_SETTINGS'] ?? ''))).toEqual([
      settingsOf('personal'),
    ]);
  });

  it('have a URL for signed requests only', () => {
    durable.allResourcesProperties('AWS::Lambda::Url', { AuthType: 'AWS_IAM' });
    durable.resourceCountIs('AWS::Lambda::Url', 1);
    durable.resourceCountIs('AWS::Lambda::Permission', 0);
  });
});

describe('permissions', () => {
  it('name every action and every resource', () => {
    const all = [...statements(durable), ...statements(ephemeral)];
    expect(all.length).toBeGreaterThan(6);
    for (const statement of all) {
      expect(statement.Effect).toBe('Allow');
      for (const action of actionsOf(statement)) expect(action).toMatch(/^[a-z0-9]+:[A-Za-z]+$/);
      for (const resource of resourcesOf(statement)) expect(resource).not.toBe('*');
    }
  });

  it('of the frontend are exactly what its drives, Panda, key and log need', () => {
    expect([...new Set(statements(durable).flatMap(actionsOf))].sort()).toEqual([
      'dynamodb:BatchGetItem',
      'dynamodb:ConditionCheckItem',
      'dynamodb:DeleteItem',
      'dynamodb:GetItem',
      'dynamodb:PutItem',
      'dynamodb:Query',
      'dynamodb:UpdateItem',
      'kms:Decrypt',
      'kms:GenerateDataKey',
      'logs:CreateLogStream',
      'logs:PutLogEvents',
      's3:DeleteObject',
      's3:GetObject',
      's3:ListBucket',
      's3:PutObject',
    ]);
  });

  it('reach the drives of the stage and no other bucket, however many', () => {
    for (const template of [durable, synthStage({ stage: 'wide', preset: 'cell', drives: 60 })]) {
      const reached = statements(template)
        .filter((statement) => actionsOf(statement).some((action) => action.startsWith('s3:')))
        .flatMap(resourcesOf)
        .map((resource) => /"Fn::GetAtt":\["(\w+)","Arn"\]/.exec(JSON.stringify(resource))?.[1]);
      expect(new Set(reached)).toEqual(new Set(Object.keys(template.findResources('AWS::S3::Bucket'))));
    }
  });

  it("do not come from AWS's managed policies", () => {
    for (const role of resources(durable, 'AWS::IAM::Role'))
      expect(role.Properties['ManagedPolicyArns']).toBeUndefined();
  });
});

describe('outputs', () => {
  it('hold every name a client needs', () => {
    for (const name of Object.values(OUTPUTS)) durable.hasOutput(name, { Value: Match.anyValue() });
    expect(Object.keys(durable.findOutputs('*')).sort()).toEqual(Object.values(OUTPUTS).sort());
  });
});
