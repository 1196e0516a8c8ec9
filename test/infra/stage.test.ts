// The templates of a durable and of an ephemeral stage: what every drive, table, key, queue and function must have, what each
// function may do at the most, and what no change of settings can take away.
import { Match, type Template } from 'aws-cdk-lib/assertions';
import { beforeAll, describe, expect, it } from 'vitest';
import { entryOf } from '../../lib/infra/bundle.ts';
import { WORKERS } from '../../lib/infra/stage-parts.ts';
import { parseStageSettings } from '../../lib/infra/stage-settings.ts';
import { RECEIVES_MAX } from '../../lib/limits/bytes.ts';
import { settingsOf } from '../../lib/settings/settings.ts';
import { OPTIONS_OUTPUT, OUTPUTS } from '../../lib/settings/stage-names.ts';
import {
  actionsOf,
  type Resource,
  resourcesIn,
  resourcesOf,
  type Statement,
  type Synthesized,
  statementsIn,
  synthStage,
} from './synth.ts';

const DRIVES_MAX = 48;
let durable: Synthesized;
let ephemeral: Synthesized;
beforeAll(() => {
  durable = synthStage({ stage: 'prod', workerTimeoutSeconds: '120' });
  const context = { stage: 'test', preset: 'demo', ephemeral: 'true', drives: String(DRIVES_MAX), schedules: 'false' };
  ephemeral = synthStage({ ...context, alarmEmail: 'somebody@example.com' });
});

const functionsIn = (templates: readonly Template[]): Resource[] =>
  resourcesIn(templates, 'AWS::Lambda::Function').filter(({ Properties }) => 'Architectures' in Properties);

/** Every name that a template gives, of whatever kind, and what it exports. */
const namesIn = ({ stage, all }: Synthesized): string[] => [
  ...[stage.zoneData, stage.cellData, stage.cell, stage.zone].map(({ stackName }) => `stack ${stackName}`),
  ...all.flatMap((template) => [
    ...Object.values(template.toJSON()['Resources'] as Record<string, Resource>).flatMap(({ Type, Properties = {} }) =>
      Object.entries(Properties)
        .filter(([property, value]) => /(Name|Alias)$/.test(property) && typeof value === 'string')
        .map(([property, value]) => `${Type} ${property} ${value}`)
        .filter((name) => !NOT_OF_AN_ACCOUNT.test(name)),
    ),
    ...Object.values(template.findOutputs('*')).flatMap(({ Export }) => (Export ? [`export ${Export.Name}`] : [])),
  ]),
];
/** Of a metric, and of a role's own policy. */
const NOT_OF_AN_ACCOUNT = /^(AWS::CloudWatch::Alarm MetricName|AWS::IAM::Policy PolicyName)/;

describe('two stages in one account', () => {
  it('share no name, so that neither is in the way of the other', () => {
    const [one, other] = [namesIn(durable), namesIn(ephemeral)];
    expect(one.length).toBeGreaterThan(30);
    expect(new Set(one).size).toBe(one.length);
    expect(other.filter((name) => one.includes(name))).toEqual([]);
  });
});

describe('drives', () => {
  it('are one more than the codecs need, or as many as asked for', () => {
    // And one bucket that is no drive.
    durable.cellData.resourceCountIs('AWS::S3::Bucket', 10 + 1);
    ephemeral.cellData.resourceCountIs('AWS::S3::Bucket', DRIVES_MAX + 1);
    for (const { zoneData, cell, zone } of [durable, ephemeral])
      for (const template of [zoneData, cell, zone]) template.resourceCountIs('AWS::S3::Bucket', 0);
  });

  it('are private, encrypted, unversioned, and forget abandoned uploads', () => {
    durable.cellData.allResourcesProperties('AWS::S3::Bucket', {
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
        Rules: Match.arrayWith([
          Match.objectLike({ Status: 'Enabled', AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } }),
        ]),
      },
      VersioningConfiguration: Match.absent(),
    });
  });

  it('never forget what they hold, but parts that nobody gathers are gone after a day', () => {
    const buckets = durable.cellData.findResources('AWS::S3::Bucket');
    const expires = Object.entries(buckets).flatMap(([id, { Properties }]) =>
      (Properties['LifecycleConfiguration'] as { Rules: { ExpirationInDays?: number }[] }).Rules.flatMap(
        ({ ExpirationInDays: days }) => (days === undefined ? [] : [[id, days]]),
      ),
    );
    expect(expires).toEqual([['Staging', 1]]);
  });

  it('refuse requests without TLS', () => {
    durable.cellData.resourceCountIs('AWS::S3::BucketPolicy', 10 + 1);
    durable.cellData.allResourcesProperties('AWS::S3::BucketPolicy', {
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
  const passing = ['AWS::Logs::LogGroup', 'AWS::SQS::Queue'];

  it('of a durable stage keeps data, table and key, and protects the stacks', () => {
    for (const type of kept) {
      const found = resourcesIn(durable.all, type);
      expect(found.length).toBeGreaterThan(0);
      // What a creation made that failed goes again.
      const policies = { DeletionPolicy: 'RetainExceptOnCreate', UpdateReplacePolicy: 'Retain' };
      for (const one of found) expect(one).toMatchObject(policies);
    }
    durable.zoneData.hasResourceProperties('AWS::DynamoDB::Table', { DeletionProtectionEnabled: true });
    expect(resourcesIn(durable.all, 'Custom::S3AutoDeleteObjects')).toEqual([]);
    for (const stack of Object.values(durable.stage)) expect(stack.terminationProtection).toBe(true);
  });

  it('of an ephemeral stage keeps nothing', () => {
    for (const type of [...kept, ...passing])
      for (const one of resourcesIn(ephemeral.all, type)) expect(one).toMatchObject({ DeletionPolicy: 'Delete' });
    expect(resourcesIn(ephemeral.all, 'Custom::S3AutoDeleteObjects')).toHaveLength(DRIVES_MAX + 1);
    ephemeral.zoneData.hasResourceProperties('AWS::KMS::Key', { PendingWindowInDays: 7 });
    for (const stack of Object.values(ephemeral.stage)) expect(stack.terminationProtection).toBe(false);
  });

  it('of an ephemeral stage leaves no log of the function that empties its drives', () => {
    const [deleter] = resourcesIn([ephemeral.cellData], 'AWS::Lambda::Function') as [Resource];
    const [id] = Object.keys(ephemeral.cellData.findResources('AWS::Logs::LogGroup'));
    expect(deleter.Properties['LoggingConfig']).toEqual({ LogGroup: { Ref: id } });
  });

  it('of what holds no data leaves no trace', () => {
    for (const type of passing)
      for (const one of resourcesIn(durable.all, type)) expect(one).toMatchObject({ DeletionPolicy: 'Delete' });
  });
});

describe('what nobody asked for', () => {
  it('is not there: events, traces, a budget', () => {
    for (const type of ['AWS::Pipes::Pipe', 'AWS::Budgets::Budget']) expect(resourcesIn(durable.all, type)).toEqual([]);
    for (const { Properties } of functionsIn(durable.all)) expect(Properties['TracingConfig']).toBeUndefined();
  });
});

describe('settings', () => {
  it('cannot drop a drive, the table or the key: other stacks import every one of them', () => {
    const exported = [durable.zoneData, durable.cellData].flatMap((template) =>
      Object.values(template.findOutputs('*')).map((output) => output['Export']?.Name as string),
    );
    const imported = JSON.stringify([durable.cell.toJSON(), durable.zone.toJSON()]);
    const data = [durable.zoneData, durable.cellData].flatMap((template) =>
      Object.entries(template.toJSON()['Resources'] as Record<string, Resource>)
        .filter(([, { Type }]) => ['AWS::S3::Bucket', 'AWS::DynamoDB::Table', 'AWS::KMS::Key'].includes(Type))
        .map(([id]) => id),
    );
    expect(data).toHaveLength(13);
    for (const id of data) {
      const names = exported.filter((name) => name.split(':')[1]?.includes(id));
      expect(names.length, id).toBeGreaterThan(0);
      expect(
        names.some((name) => imported.includes(`{"Fn::ImportValue":"${name}"}`)),
        id,
      ).toBe(true);
    }
    expect(imported).not.toContain('GetStackOutput');
  });

  it('are checked against the store before anything else changes', () => {
    durable.zoneData.hasResourceProperties('Custom::PocketfulSettings', {
      ServiceToken: { 'Fn::GetAtt': [Match.stringLikeRegexp('Guard'), 'Arn'] },
      settings: JSON.stringify(settingsOf('personal')),
      drives: '10',
      ServiceTimeout: '180',
    });
    const { zoneData, cellData, cell, zone } = durable.stage;
    expect(cellData.dependencies).toContain(zoneData);
    expect(cell.dependencies).toEqual(expect.arrayContaining([zoneData, cellData]));
    expect(zone.dependencies).toContain(cell);
  });
});

describe('Panda', () => {
  it('is keyed by two strings and paid per request', () => {
    durable.zoneData.hasResourceProperties('AWS::DynamoDB::Table', {
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

  it('streams what changes to the journal: in order, again until it is shipped, but not what shipping writes', () => {
    for (const { zoneData, cell } of [durable]) {
      zoneData.hasResourceProperties('AWS::DynamoDB::Table', {
        StreamSpecification: { StreamViewType: 'NEW_IMAGE' },
      });
      const pattern = JSON.stringify({
        dynamodb: { Keys: { pk: { S: [{ 'anything-but': ['journal', 'work/threshold', 'verifier/c0'] }] } } },
      });
      cell.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
        FunctionName: { Ref: Match.stringLikeRegexp('^Journal') },
        EventSourceArn: { 'Fn::ImportValue': Match.stringLikeRegexp('StreamArn') },
        StartingPosition: 'TRIM_HORIZON',
        BatchSize: 5000,
        MaximumBatchingWindowInSeconds: 30,
        FilterCriteria: { Filters: [{ Pattern: pattern }] },
        // A batch that is split or worked beside the next one of its shard would break the order. One is given up, and
        // that is told, before the stream forgets it.
        MaximumRetryAttempts: Match.absent(),
        MaximumRecordAgeInSeconds: 23 * 3600,
        DestinationConfig: {
          OnFailure: { Destination: { 'Fn::GetAtt': [Match.stringLikeRegexp('^FailedEvents'), 'Arn'] } },
        },
        BisectBatchOnFunctionError: Match.absent(),
        ParallelizationFactor: Match.absent(),
      });
    }
  });

  it('streams nothing where the stage is thrown away, unless that is asked for', () => {
    ephemeral.zoneData.hasResourceProperties('AWS::DynamoDB::Table', { StreamSpecification: Match.absent() });
    ephemeral.cell.resourceCountIs('AWS::Lambda::EventSourceMapping', 1);
    expect(parseStageSettings({ ephemeral: true }).journal).toBe(false);
    expect(parseStageSettings({ ephemeral: true, journal: 'true' }).journal).toBe(true);
    expect(parseStageSettings({}).journal).toBe(true);
  });

  it('can be restored to a point in time if durable', () => {
    for (const [{ zoneData }, enabled] of [[durable, true] as const, [ephemeral, false] as const]) {
      zoneData.hasResourceProperties('AWS::DynamoDB::Table', {
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: enabled },
      });
    }
  });
});

describe('the key', () => {
  it('is rotated', () => {
    durable.zoneData.allResourcesProperties('AWS::KMS::Key', { EnableKeyRotation: true });
  });
});

describe('queues', () => {
  it('keep messages for two weeks, hide them for six timeouts, and give up after fifteen receives', () => {
    durable.cellData.hasResourceProperties('AWS::SQS::Queue', {
      QueueName: 'pocketful-prod-c0-drain',
      MessageRetentionPeriod: 14 * 86_400,
      VisibilityTimeout: 6 * 120,
      RedrivePolicy: {
        deadLetterTargetArn: { 'Fn::GetAtt': [Match.stringLikeRegexp('DeadLetters'), 'Arn'] },
        maxReceiveCount: RECEIVES_MAX,
      },
    });
    durable.cellData.hasResourceProperties('AWS::SQS::Queue', {
      QueueName: 'pocketful-prod-c0-drain-dead',
      MessageRetentionPeriod: 14 * 86_400,
    });
  });

  it('feed the Live Coder in batches that may fail in part, at most two at once', () => {
    durable.cell.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
      FunctionName: { Ref: Match.stringLikeRegexp('LiveCoder') },
      BatchSize: 100,
      MaximumBatchingWindowInSeconds: 20,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      ScalingConfig: { MaximumConcurrency: 2 },
    });
    ephemeral.cell.hasResourceProperties('AWS::Lambda::EventSourceMapping', { MaximumBatchingWindowInSeconds: 1 });
    // Whoever polls an idle queue pays for it: no other is polled. Reading a table's stream is free for a function.
    const sources = resourcesIn(durable.all, 'AWS::Lambda::EventSourceMapping');
    expect(sources.filter(({ Properties }) => Properties['ScalingConfig'] !== undefined)).toHaveLength(1);
    expect(sources).toHaveLength(2);
  });

  it('take what scheduled functions failed at, for a day', () => {
    durable.cell.hasResourceProperties('AWS::SQS::Queue', {
      QueueName: 'pocketful-prod-c0-failed-events',
      MessageRetentionPeriod: 86_400,
    });
    durable.cell.resourceCountIs('AWS::Lambda::EventInvokeConfig', 5);
    durable.cell.allResourcesProperties('AWS::Lambda::EventInvokeConfig', {
      DestinationConfig: { OnFailure: { Destination: Match.anyValue() } },
      MaximumRetryAttempts: 1,
    });
  });
});

describe('schedules', () => {
  it('start everything that runs by itself, or nothing', () => {
    durable.cell.resourceCountIs('AWS::Events::Rule', 6);
    ephemeral.cell.resourceCountIs('AWS::Events::Rule', 5); // it ships no journal
    durable.cell.allResourcesProperties('AWS::Events::Rule', {
      State: 'ENABLED',
      ScheduleExpression: Match.stringLikeRegexp('^rate'),
      Targets: [Match.objectLike({ Input: Match.stringLikeRegexp('^{') })],
    });
    const inputs = resourcesIn([durable.cell], 'AWS::Events::Rule').map(
      ({ Properties }) => Properties['Targets'] as { Input: string }[],
    );
    const verifies = '{"verify":{"everyMs":3600000}}'; // gc, after its sweep
    const watches = '{"watch":true}'; // the drainer, before it drains
    expect(inputs.map(([target]) => target?.Input).sort()).toEqual(
      ['{"periodMs":3600000}', verifies, watches, '{"verify":{}}', '{}', '{}'].sort(),
    );
    const [sampler] = resourcesIn([durable.zone], 'AWS::Events::Rule');
    expect(sampler?.Properties).toMatchObject({
      State: 'ENABLED',
      ScheduleExpression: 'rate(1 hour)',
      Targets: [{ Input: '{"op":"sample","msMax":30000}' }],
    });
    for (const { cell, zone } of [ephemeral])
      for (const template of [cell, zone]) template.allResourcesProperties('AWS::Events::Rule', { State: 'DISABLED' });
  });
});

describe('functions', () => {
  it('are those of functions/, one each', () => {
    const names = functionsIn(durable.all).map(({ Properties }) => Properties['FunctionName']);
    const zone = ['frontend', 'settings-guard'].map((folder) => `pocketful-prod-${folder}`);
    expect(names.sort()).toEqual([...zone, ...WORKERS.map((folder) => `pocketful-prod-c0-${folder}`)].sort());
  });

  it('run Node 24 on arm64 with their own log group, source maps and a timeout, without reserved concurrency', () => {
    for (const template of [durable.zoneData, durable.cell, durable.zone])
      template.allResourcesProperties('AWS::Lambda::Function', {
        Runtime: 'nodejs24.x',
        Architectures: ['arm64'],
        MemorySize: Match.anyValue(),
        Timeout: Match.anyValue(),
        LoggingConfig: { LogFormat: 'JSON', LogGroup: { Ref: Match.stringLikeRegexp('Logs') } },
        Environment: { Variables: Match.objectLike({ NODE_OPTIONS: '--enable-source-maps' }) },
        ReservedConcurrentExecutions: Match.absent(),
      });
    for (const { Properties } of resourcesIn(durable.all, 'AWS::Logs::LogGroup'))
      expect(Properties['RetentionInDays']).toBe(14);
  });

  it('get the settings of the store, and the queues if they work behind the frontend', () => {
    for (const { Properties } of functionsIn([durable.cell, durable.zone])) {
      const { Variables } = Properties['Environment'] as { Variables: Record<string, string> };
      expect(JSON.parse(Variables['POCKETFUL_SETTINGS'] ?? '')).toEqual(settingsOf('personal'));
      expect(Variables).toMatchObject({
        POCKETFUL_STAGE: 'prod',
        POCKETFUL_TABLE: {},
        POCKETFUL_KEY: {},
        POCKETFUL_ACCOUNT: expect.anything(),
      });
      const isWorker = Properties['FunctionName'] !== 'pocketful-prod-frontend';
      expect('POCKETFUL_DRAIN_QUEUE_URL' in Variables && 'POCKETFUL_DRAIN_DLQ_URL' in Variables).toBe(isWorker);
    }
  });

  it('have room for the names of all drives in their 4 KB of variables', () => {
    // CloudFormation makes a name of the stack's, the resource's, and twelve characters of its own; 63 at the most.
    const stack = 'Pocketful-a-stage-of-20-letters-c0-data';
    const drives = Array.from({ length: DRIVES_MAX }, (_, i) => `${stack}-drive${i + 10}-abcdefghijkl`.length + 1);
    const bytes = functionsIn([ephemeral.cell]).map(({ Properties }) => {
      const { Variables } = Properties['Environment'] as { Variables: Record<string, unknown> };
      const { POCKETFUL_DRIVES: _, ...others } = Variables;
      return Object.entries(others).reduce((sum, [name, value]) => sum + name.length + JSON.stringify(value).length, 0);
    });
    expect(bytes).toHaveLength(WORKERS.length);
    expect(Math.max(...bytes) + drives.reduce((sum, length) => sum + length, 0)).toBeLessThan(4096);
  });

  it('are refused before anything is deployed if their variables cannot fit', () => {
    const most = { stage: 'a'.repeat(20), preset: 'cell', drives: String(DRIVES_MAX) };
    expect(() => synthStage(most)).not.toThrow();
    const budgets = JSON.stringify({ metadataWrites: 100_000, shares: { l1: 0.25, l2: 0.5, l3: 0.25 } });
    expect(() => synthStage({ ...most, settings: '{"cell":"c123456789012345"}', budgets })).toThrow(
      expect.objectContaining({
        code: 'STAGE_INVALID',
        message: expect.stringMatching(/variables of \w+ take up to \d+/),
      }),
    );
  });

  it('are not deployed without code', () => {
    expect(() => entryOf('nothing-there')).toThrow(expect.objectContaining({ code: 'HANDLER_MISSING' }));
  });

  it('have a URL for signed requests only', () => {
    durable.zone.allResourcesProperties('AWS::Lambda::Url', { AuthType: 'AWS_IAM' });
    expect(resourcesIn(durable.all, 'AWS::Lambda::Url')).toHaveLength(1);
    // Nobody else's: the rule of the storage watcher may invoke the function, not its URL.
    durable.zone.resourceCountIs('AWS::Lambda::Permission', 1);
    durable.zone.hasResourceProperties('AWS::Lambda::Permission', {
      Action: 'lambda:InvokeFunction',
      Principal: 'events.amazonaws.com',
      SourceArn: { 'Fn::GetAtt': [Match.stringLikeRegexp('sampler'), 'Arn'] },
    });
  });
});

describe('permissions', () => {
  const rows = [
    'dynamodb:BatchGetItem',
    'dynamodb:ConditionCheckItem',
    'dynamodb:DeleteItem',
    'dynamodb:GetItem',
    'dynamodb:PutItem',
    'dynamodb:Query',
    'dynamodb:UpdateItem',
    'logs:CreateLogStream',
    'logs:PutLogEvents',
  ];
  const looks = [...rows, 's3:GetObject', 's3:ListBucket'];
  const unwraps = ['kms:GenerateDataKeyWithoutPlaintext', 'kms:Decrypt'];
  const erases = [...looks, 's3:DeleteObject', 's3:PutObject'];
  /** `*` as a resource, and why it cannot be less. */
  const wildcards: Readonly<Record<string, string>> = {
    'cloudwatch:PutMetricData': 'knows no resources; its condition names the namespace',
    'dynamodb:ListStreams': 'knows no resources; Lambda asks for it before it reads a stream',
  };

  it('name every action and every resource but the reasoned ones', () => {
    const all = [...statementsIn(durable.all), ...statementsIn(ephemeral.all)];
    expect(all.length).toBeGreaterThan(60);
    for (const statement of all) {
      expect(statement.Effect).toBe('Allow');
      for (const action of actionsOf(statement)) expect(action).toMatch(/^[a-z0-9]+:[A-Za-z]+$/);
      for (const resource of resourcesOf(statement)) {
        if (resource !== '*') continue;
        for (const action of actionsOf(statement)) expect(Object.keys(wildcards)).toContain(action);
        if (actionsOf(statement).every((action) => action === 'dynamodb:ListStreams')) continue;
        expect(statement.Condition).toEqual({ StringEquals: { 'cloudwatch:namespace': 'Pocketful' } });
      }
    }
  });

  const actionsOfRole = (templates: readonly Template[], role: string): string[] => {
    const policies = ['AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy'].flatMap((type) => resourcesIn(templates, type));
    const own = policies.filter(({ Properties }) => JSON.stringify(Properties['Roles'] ?? []).includes(`"${role}`));
    expect(own.length, role).toBeGreaterThan(0);
    const found = own.flatMap(
      ({ Properties }) => (Properties['PolicyDocument'] as { Statement: Statement[] }).Statement,
    );
    return [...new Set(found.flatMap(actionsOf))].sort();
  };
  const consumes = ['sqs:ChangeMessageVisibility', 'sqs:DeleteMessage', 'sqs:ReceiveMessage'];
  const queueFigures = ['sqs:GetQueueAttributes', 'sqs:GetQueueUrl'];
  const streams = ['DescribeStream', 'GetRecords', 'GetShardIterator', 'ListStreams'].map((name) => `dynamodb:${name}`);
  const sends = [...queueFigures, 'sqs:SendMessage'];

  it.each([
    // It deletes parts of bulk puts, and nothing on a drive.
    ['Frontend', [...erases, ...unwraps, 'lambda:InvokeFunction']],
    ['Planner', rows],
    ['Compactor', erases],
    ['Encoder', [...erases, ...sends, 'cloudwatch:PutMetricData']],
    ['Gc', [...erases, ...sends]],
    ['Drainer', [...erases, ...sends, 'sqs:ChangeMessageVisibility', 'sqs:ReceiveMessage']],
    ['ThresholdTuner', [...looks, ...sends, 'cloudwatch:PutMetricData']],
    ['Journal', [...erases, ...unwraps, ...streams, ...sends]],
    ['LiveCoder', [...looks, 's3:PutObject', ...queueFigures, ...consumes]],
    ['SettingsGuardRole', ['dynamodb:GetItem', 'logs:CreateLogStream', 'logs:PutLogEvents']],
    ['CompactionMachineRole', ['lambda:InvokeFunction']],
  ])('of %s are exactly what it calls', (role, actions) => {
    expect(actionsOfRole(durable.all, role)).toEqual([...actions].sort());
  });

  it.each([
    ['Frontend', ['namespace']],
    ['Gc', ['object/*', 'kek', 'namespace']],
    ['Compactor', ['object/*', 'kek', 'namespace']],
    ['Encoder', ['object/*', 'kek', 'namespace', 'block/*']],
    ['Planner', ['object/*', 'kek', 'namespace', 'block/*']],
  ])('of %s write no rows that are not its business', (role, never) => {
    const policies = ['AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy'].flatMap((type) => resourcesIn(durable.all, type));
    const writing = policies
      .filter(({ Properties }) => JSON.stringify(Properties['Roles'] ?? []).includes(`"${role}`))
      .flatMap(({ Properties }) => (Properties['PolicyDocument'] as { Statement: Statement[] }).Statement)
      .filter((statement) => actionsOf(statement).some((action) => /^dynamodb:(Put|Update|Delete)Item$/.test(action)));
    expect(writing.length).toBeGreaterThan(0);
    for (const { Condition } of writing)
      expect(Condition).toEqual({ 'ForAllValues:StringNotLike': { 'dynamodb:LeadingKeys': never } });
  });

  it('reach the drives of the stage and no other bucket, however many, but for the frontend, whose parts have one', () => {
    for (const { cellData, cell, zone } of [durable, ephemeral]) {
      const drives = Object.keys(cellData.findResources('AWS::S3::Bucket')).filter((id) => id !== 'Staging');
      for (const [template, others] of [
        [cell, []],
        [zone, ['Staging']],
      ] as const) {
        const reached = statementsIn([template])
          .filter((statement) => actionsOf(statement).some((action) => action.startsWith('s3:')))
          .flatMap(resourcesOf)
          .map((resource) => /ImportValue":"[\w-]+:(Drive\d\d|Staging)"/.exec(JSON.stringify(resource)));
        expect(new Set(reached.map((match) => match?.[1]))).toEqual(new Set([...drives, ...others]));
      }
      const erased = statementsIn([zone]).filter((one) => actionsOf(one).includes('s3:DeleteObject'));
      expect(erased.flatMap(resourcesOf).filter((one) => !JSON.stringify(one).includes(':Staging"'))).toEqual([]);
    }
  });

  it("do not come from AWS's managed policies", () => {
    for (const role of resourcesIn(durable.all, 'AWS::IAM::Role'))
      expect(role.Properties['ManagedPolicyArns']).toBeUndefined();
  });
});

describe('outputs', () => {
  it('hold every name a client needs', () => {
    for (const name of Object.values(OUTPUTS)) durable.zone.hasOutput(name, { Value: Match.anyValue() });
    expect(Object.keys(durable.zone.findOutputs('*')).sort()).toEqual(
      [...Object.values(OUTPUTS), OPTIONS_OUTPUT].sort(),
    );
  });
});
