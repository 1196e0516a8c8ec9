// The stacks of a stage in CloudFormation, and the data they leave, by the caller's own rights.
import {
  CloudFormationClient,
  paginateDescribeStacks,
  paginateListStackResources,
  UpdateTerminationProtectionCommand,
} from '@aws-sdk/client-cloudformation';
import {
  DeleteTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
  ScanCommand,
  UpdateTableCommand,
} from '@aws-sdk/client-dynamodb';
import { KMSClient, ScheduleKeyDeletionCommand } from '@aws-sdk/client-kms';
import { DeleteBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { awsError } from './aws-errors.ts';
import type { DataResource, StackFound, StageData, StageStacks } from './stage-stacks.ts';

const KINDS: Readonly<Record<string, DataResource['kind']>> = {
  'AWS::S3::Bucket': 'bucket',
  'AWS::DynamoDB::Table': 'table',
  'AWS::KMS::Key': 'key',
};
/** KMS's longest. */
const KEY_PENDING_DAYS = 30;

export class AwsStacks implements StageStacks {
  readonly #client = new CloudFormationClient({});

  find(prefix: string): Promise<readonly StackFound[]> {
    return called('cloudformation:DescribeStacks', async () => {
      const found: StackFound[] = [];
      // Emulators list what is deleted, too.
      for await (const { Stacks = [] } of paginateDescribeStacks({ client: this.#client }, {}))
        for (const { StackName: name = '', StackStatus: status = '', EnableTerminationProtection } of Stacks)
          if (name.startsWith(prefix) && status !== 'DELETE_COMPLETE')
            found.push({ name, status, isProtected: EnableTerminationProtection === true });
      return found;
    });
  }

  async protect(stack: string, isProtected: boolean): Promise<void> {
    const command = new UpdateTerminationProtectionCommand({
      StackName: stack,
      EnableTerminationProtection: isProtected,
    });
    await called('cloudformation:UpdateTerminationProtection', () => this.#client.send(command));
  }

  dataOf(stack: string): Promise<readonly DataResource[]> {
    return called('cloudformation:ListStackResources', async () => {
      const held: DataResource[] = [];
      const pages = paginateListStackResources({ client: this.#client }, { StackName: stack });
      for await (const { StackResourceSummaries = [] } of pages)
        for (const { ResourceType = '', PhysicalResourceId: id = '', ResourceStatus } of StackResourceSummaries) {
          const kind = KINDS[ResourceType];
          if (kind !== undefined && id !== '' && ResourceStatus !== 'DELETE_COMPLETE') held.push({ kind, id });
        }
      return held;
    });
  }

  close(): void {
    this.#client.destroy();
  }
}

export class AwsStageData implements StageData {
  readonly #dynamo = new DynamoDBClient({});
  readonly #s3 = new S3Client({});
  readonly #kms = new KMSClient({});

  async protectTable(table: string): Promise<void> {
    await this.#setProtection(table, true);
  }

  async isTableEmpty(table: string): Promise<boolean> {
    const command = new ScanCommand({ TableName: table, Limit: 1, ConsistentRead: true });
    const answer = await called('dynamodb:Scan', () => this.#dynamo.send(command), ['ResourceNotFoundException']);
    return (answer?.Items ?? []).length === 0;
  }

  async deleteTable(table: string): Promise<void> {
    if (!(await this.#setProtection(table, false))) return;
    await called('dynamodb:DeleteTable', () => this.#dynamo.send(new DeleteTableCommand({ TableName: table })));
  }

  async deleteBucket(bucket: string): Promise<boolean> {
    try {
      const command = new DeleteBucketCommand({ Bucket: bucket });
      await called('s3:DeleteBucket', () => this.#s3.send(command), ['NoSuchBucket']);
      return true;
    } catch (error) {
      if (error instanceof Error && (error.cause as Error | undefined)?.name === 'BucketNotEmpty') return false;
      throw error;
    }
  }

  async deleteKey(key: string): Promise<void> {
    const command = new ScheduleKeyDeletionCommand({ KeyId: key, PendingWindowInDays: KEY_PENDING_DAYS });
    const gone = ['KMSInvalidStateException', 'NotFoundException'];
    await called('kms:ScheduleKeyDeletion', () => this.#kms.send(command), gone);
  }

  close(): void {
    for (const client of [this.#dynamo, this.#s3, this.#kms]) client.destroy();
  }

  /** False: there is no such table. */
  async #setProtection(table: string, isProtected: boolean): Promise<boolean> {
    const describe = new DescribeTableCommand({ TableName: table });
    const gone = ['ResourceNotFoundException'];
    const answer = await called('dynamodb:DescribeTable', () => this.#dynamo.send(describe), gone);
    if (answer === undefined) return false;
    if ((answer.Table?.DeletionProtectionEnabled ?? false) !== isProtected) {
      const command = new UpdateTableCommand({ TableName: table, DeletionProtectionEnabled: isProtected });
      await called('dynamodb:UpdateTable', () => this.#dynamo.send(command));
    }
    return true;
  }
}

/** Undefined if it ends with one of these errors: what it asks for is so already. Other errors are typed. */
async function called<T>(call: string, work: () => Promise<T>, passing: string[]): Promise<T | undefined>;
async function called<T>(call: string, work: () => Promise<T>): Promise<T>;
async function called<T>(call: string, work: () => Promise<T>, passing: string[] = []): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Error && passing.includes(error.name)) return undefined;
    throw awsError(call, error);
  }
}
