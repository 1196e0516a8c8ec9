// What there is in the account, by name: to see that a destroyed stage left nothing behind. Services without a client among
// the project's packages are asked over plain HTTP; the emulator takes any signature.
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { LambdaClient, ListFunctionsCommand } from '@aws-sdk/client-lambda';
import { ListBucketsCommand, S3Client } from '@aws-sdk/client-s3';

const endpoint = (): string => process.env['AWS_ENDPOINT_URL'] ?? '';
const authorization = (service: string): string =>
  `AWS4-HMAC-SHA256 Credential=test/20200101/us-east-1/${service}/aws4_request, SignedHeaders=host, Signature=0`;

async function roleNames(): Promise<string[]> {
  const answer = await fetch(endpoint(), {
    method: 'POST',
    headers: { authorization: authorization('iam'), 'content-type': 'application/x-www-form-urlencoded' },
    body: 'Action=ListRoles&Version=2010-05-08&MaxItems=1000',
  });
  if (!answer.ok) throw new Error(`iam:ListRoles: ${answer.status}`);
  return [...(await answer.text()).matchAll(/<RoleName>([^<]+)<\/RoleName>/g)].map(([, name]) => name as string);
}

async function logGroupNames(): Promise<string[]> {
  const answer = await fetch(endpoint(), {
    method: 'POST',
    headers: {
      authorization: authorization('logs'),
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': 'Logs_20140328.DescribeLogGroups',
    },
    body: '{}',
  });
  if (!answer.ok) throw new Error(`logs:DescribeLogGroups: ${answer.status}`);
  const { logGroups = [] } = (await answer.json()) as { logGroups?: { logGroupName: string }[] };
  return logGroups.map(({ logGroupName }) => logGroupName);
}

export interface Inventory {
  readonly stacks: readonly string[];
  readonly buckets: readonly string[];
  readonly tables: readonly string[];
  readonly functions: readonly string[];
  readonly roles: readonly string[];
  readonly logGroups: readonly string[];
}

/** Everything whose name holds `pocketful-STAGE`, upper case or lower. */
export async function inventory(stage: string): Promise<Inventory> {
  const ours = (names: readonly (string | undefined)[]): string[] =>
    names.filter((name) => name?.toLowerCase().includes(`pocketful-${stage}`)).map(String);
  const [stacks, buckets, tables, functions, roles, logGroups] = await Promise.all([
    new CloudFormationClient({}).send(new DescribeStacksCommand({})),
    new S3Client({}).send(new ListBucketsCommand({})),
    new DynamoDBClient({}).send(new ListTablesCommand({})),
    new LambdaClient({}).send(new ListFunctionsCommand({})),
    roleNames(),
    logGroupNames(),
  ]);
  // The emulator lists deleted stacks too.
  const standing = (stacks.Stacks ?? []).filter(({ StackStatus }) => StackStatus !== 'DELETE_COMPLETE');
  return {
    stacks: ours(standing.map(({ StackName }) => StackName)),
    buckets: ours((buckets.Buckets ?? []).map(({ Name }) => Name)),
    tables: ours(tables.TableNames ?? []),
    functions: ours((functions.Functions ?? []).map(({ FunctionName }) => FunctionName)),
    roles: ours(roles),
    logGroups: ours(logGroups),
  };
}
