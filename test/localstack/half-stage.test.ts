// What there is of a stage that never became whole, on CloudFormation, DynamoDB, S3 and KMS: found, protected, and taken down unless it holds
// anything. The emulator takes nothing back when a creation fails, and protects no stack: those rules are in test/infra/memory-account.ts.
import {
  CloudFormationClient,
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStacksCommand,
} from '@aws-sdk/client-cloudformation';
import { DescribeTableCommand, DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { DescribeKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { DeleteObjectCommand, HeadBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { AwsStacks, AwsStageData } from '../../lib/client/aws/aws-stacks.ts';
import { protectStage, stacksOf, takeDown } from '../../lib/client/aws/stage-stacks.ts';
import { systemClock } from '../../lib/foundation/clock.ts';

const STAGE = 'half';
const STACK = `Pocketful-${STAGE}-data`;
const MADE_WITHIN_MS = 120_000;
const TEMPLATE = {
  Resources: {
    Drive00: { Type: 'AWS::S3::Bucket', DeletionPolicy: 'Retain' },
    Panda: {
      Type: 'AWS::DynamoDB::Table',
      DeletionPolicy: 'Retain',
      Properties: {
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      },
    },
    Kek: {
      Type: 'AWS::KMS::Key',
      DeletionPolicy: 'Retain',
      Properties: {
        KeyPolicy: {
          Version: '2012-10-17',
          Statement: [{ Effect: 'Allow', Principal: { AWS: '*' }, Action: 'kms:*', Resource: '*' }],
        },
      },
    },
  },
};

const cloudFormation = new CloudFormationClient({});
const dynamo = new DynamoDBClient({});
const s3 = new S3Client({ forcePathStyle: true });
const kms = new KMSClient({});
const stacks = new AwsStacks();
const data = new AwsStageData();
const ids = new Map<string, string>();
const idOf = (kind: string): string => ids.get(kind) ?? '';

const statusOf = async (): Promise<string> => {
  const { Stacks = [] } = await cloudFormation.send(new DescribeStacksCommand({ StackName: STACK }));
  return Stacks[0]?.StackStatus ?? '';
};

beforeAll(async () => {
  await cloudFormation.send(new CreateStackCommand({ StackName: STACK, TemplateBody: JSON.stringify(TEMPLATE) }));
  const untilMs = systemClock.nowMs() + MADE_WITHIN_MS;
  while ((await statusOf()) !== 'CREATE_COMPLETE' && systemClock.nowMs() < untilMs) await systemClock.sleep(500);
  for (const { kind, id } of await stacks.dataOf(STACK)) ids.set(kind, id);
});

afterAll(() => {
  stacks.close();
  data.close();
});

const protection = async (): Promise<boolean | undefined> =>
  (await dynamo.send(new DescribeTableCommand({ TableName: idOf('table') }))).Table?.DeletionProtectionEnabled;

const isThere = (asked: Promise<unknown>): Promise<boolean> =>
  asked.then(
    () => true,
    () => false,
  );

it('is found with what holds its data, and protected, stacks and table', async () => {
  expect([...ids.keys()].sort()).toEqual(['bucket', 'key', 'table']);
  expect(await stacksOf(stacks, STAGE)).toEqual([{ name: STACK, status: 'CREATE_COMPLETE', isProtected: false }]);
  expect(await stacksOf(stacks, 'hal')).toEqual([]);
  for (let twice = 0; twice < 2; twice++) await protectStage(stacks, data, STAGE);
  expect(await stacksOf(stacks, STAGE)).toMatchObject([{ isProtected: true }]);
  expect(await protection()).toBe(true);
});

it('says what is empty, and deletes no bucket that is not', async () => {
  expect(await data.isTableEmpty(idOf('table'))).toBe(true);
  await dynamo.send(new PutItemCommand({ TableName: idOf('table'), Item: { pk: { S: 'store' } } }));
  expect(await data.isTableEmpty(idOf('table'))).toBe(false);
  const object = { Bucket: idOf('bucket'), Key: 'a' };
  await s3.send(new PutObjectCommand({ ...object, Body: 'x' }));
  expect(await data.deleteBucket(idOf('bucket'))).toBe(false);
  await s3.send(new DeleteObjectCommand(object));
});

it('is taken down: the stack goes, and for what is in its table all data stays', async () => {
  const deleteStacks = async (): Promise<void> => {
    await cloudFormation.send(new DeleteStackCommand({ StackName: STACK }));
    const untilMs = systemClock.nowMs() + MADE_WITHIN_MS;
    while ((await stacksOf(stacks, STAGE)).length > 0 && systemClock.nowMs() < untilMs) await systemClock.sleep(500);
  };
  expect(await takeDown(STAGE, { stacks, data, isWhole: false, deleteStacks })).toEqual({ isDataKept: true });
  expect(await stacksOf(stacks, STAGE)).toEqual([]);
  expect(await isThere(s3.send(new HeadBucketCommand({ Bucket: idOf('bucket') })))).toBe(true);
  expect(await protection()).toBe(true);
});

it('leaves nothing once it is empty, and may be asked again', async () => {
  for (let twice = 0; twice < 2; twice++) {
    expect(await data.deleteBucket(idOf('bucket'))).toBe(true);
    await data.deleteTable(idOf('table'));
    await data.deleteKey(idOf('key'));
  }
  expect(await isThere(s3.send(new HeadBucketCommand({ Bucket: idOf('bucket') })))).toBe(false);
  expect(await isThere(protection())).toBe(false);
  expect(await data.isTableEmpty(idOf('table'))).toBe(true);
  const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: idOf('key') }));
  expect(KeyMetadata?.KeyState).toBe('PendingDeletion');
});
