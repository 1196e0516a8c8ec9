// The deployed stage, end to end: `cdk bootstrap` and `cdk deploy` by the real CLI, 200 real files through the deployed function
// and back, the other operations, errors as typed answers, the function's URL, and `cdk destroy` that leaves nothing but the
// bootstrap and a key pending deletion.
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { DescribeKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AwsClient } from '../../lib/client/aws/aws-client.ts';
import { findStage, type StageOutputs } from '../../lib/client/aws/aws-stage.ts';
import type { DeleteOutcome, PutOutcome } from '../../lib/client/face.ts';
import { present } from '../../lib/foundation/assert.ts';
import { systemClock } from '../../lib/foundation/clock.ts';
import { systemRandomness } from '../../lib/foundation/randomness.ts';
import { inventory } from './account.ts';
import { cdk, cdkOk } from './cdk.ts';
import { pocketful } from './cli.ts';
import { compactionTests } from './compaction/compaction.ts';
import { ScheduleRules } from './compaction/schedules.ts';
import { askUrl } from './function-url.ts';
import { type RealFile, realFiles } from './real-files.ts';
import { servedTests } from './served.ts';

const STAGE = 'it';
const ADDRESS = `aws:${STAGE}`;
/** The preset with everything a quarter of its size, replica-4 and lrc-12-2-2 as it has them: forty volumes are then sixty megabytes. */
const SMALL = {
  extentBytes: 131_072,
  blockBytesMax: 16_384,
  bucketBytes: 65_536,
  groupBytesMin: 786_432,
};
const contextOf = (settings: object, drives: number): string[] => [
  ...['-c', `stage=${STAGE}`, '-c', 'preset=demo', '-c', `settings=${JSON.stringify(settings)}`],
  ...['-c', `drives=${drives}`, '-c', 'ephemeral=true', '-c', 'functionTimeoutSeconds=300'],
];
const CONTEXT = contextOf(SMALL, 17);
/** Compaction's last test adds one. */
const DRIVES_AFTER = 18;
const FILE_BYTES_MAX = 2 * 1024 * 1024;
const FILES = realFiles(200, FILE_BYTES_MAX);

const scratch = mkdtempSync(join(tmpdir(), 'pocketful-stage-'));
const rules = new ScheduleRules(STAGE);
let client: AwsClient;
let outputs: StageOutputs;

const open = (namespace = 'default'): Promise<AwsClient> =>
  AwsClient.open({ stage: STAGE, namespace, clock: systemClock, randomness: systemRandomness });
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

async function read(key: string, range?: { offset: number; length: number }): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of (await client.get(key, range)).body) pieces.push(piece);
  return Buffer.concat(pieces);
}

const bodyOf = (...pieces: Uint8Array[]) =>
  async function* () {
    yield* pieces;
  };

async function put(to: AwsClient, key: string, ...pieces: Uint8Array[]): Promise<PutOutcome> {
  for await (const outcome of to.putAll([{ key, body: bodyOf(...pieces) }])) return outcome;
  throw new Error('no outcome');
}

async function remove(keys: readonly string[]): Promise<DeleteOutcome[]> {
  const outcomes: DeleteOutcome[] = [];
  for await (const outcome of client.deleteAll(keys)) outcomes.push(outcome);
  return outcomes;
}

async function allKeys(prefix?: string): Promise<string[]> {
  const keys: string[] = [];
  let from: string | undefined;
  do {
    const page = await client.list({ prefix, from, limit: 64 });
    keys.push(...page.objects.map(({ key }) => key));
    from = page.next;
  } while (from !== undefined);
  return keys;
}

const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

beforeAll(async () => {
  await cdkOk('bootstrap', 'aws://000000000000/us-east-1', ...CONTEXT);
  await cdkOk('deploy', '--all', '--require-approval', 'never', ...CONTEXT);
  const cloudFormation = new CloudFormationClient({});
  outputs = await findStage(cloudFormation, STAGE);
  client = await open();
  // Nothing runs but what a test starts, until compaction runs by them.
  for (const [what, { State }] of await rules.found()) expect(State, what).toBe('ENABLED');
  await rules.stop();
});

afterAll(async () => {
  rmSync(scratch, { recursive: true, force: true });
  await client?.close();
});

describe('a deployed stage', () => {
  it('is found by its outputs, and a stage that is not there is named', async () => {
    expect(outputs.drives.split(',')).toHaveLength(17);
    const other = AwsClient.open({
      stage: 'nowhere',
      namespace: 'default',
      clock: systemClock,
      randomness: systemRandomness,
    });
    await expect(other).rejects.toMatchObject({ kind: 'missing', code: 'STAGE_MISSING' });
  });

  it('takes 200 real files from the command line', async () => {
    expect(FILES).toHaveLength(200);
    expect(FILES.every(({ bytes }) => bytes.byteLength <= FILE_BYTES_MAX)).toBe(true);
    for (const { key, bytes } of FILES) {
      mkdirSync(dirname(join(scratch, 'in', key)), { recursive: true });
      writeFileSync(join(scratch, 'in', key), bytes);
    }
    const put = await pocketful('put', join(scratch, 'in'), '--store', ADDRESS, '--json');
    expect(put, put.stderr).toMatchObject({ code: 0 });
    const bytes = FILES.reduce((sum, file) => sum + file.bytes.byteLength, 0);
    expect(JSON.parse(put.stdout.toString())).toMatchObject({ stored: 200, bytes });
  });

  it('gives all of them back byte for byte', async () => {
    const got = await pocketful('get', '', '--to', join(scratch, 'out'), '--store', ADDRESS, '--json');
    expect(got, got.stderr).toMatchObject({ code: 0 });
    for (const { key, bytes } of FILES)
      expect(sha256(readFileSync(join(scratch, 'out', key))), key).toBe(sha256(bytes));
  });

  it('answers the other commands, and says which ones are for file: stores only', async () => {
    const [one] = FILES as [RealFile];
    const stat = await pocketful('stat', one.key, '--store', ADDRESS, '--json');
    expect(JSON.parse(stat.stdout.toString())).toMatchObject({ key: one.key, sizeBytes: one.bytes.byteLength });
    const part = await pocketful('cat', one.key, '--offset', '3', '--length', '20', '--store', ADDRESS);
    expect(part.stdout).toEqual(Buffer.from(one.bytes.subarray(3, 23)));
    expect(await pocketful('cat', 'nobody', '--store', ADDRESS)).toMatchObject({ code: 4 });
    expect(await pocketful('ls', '--store', 'aws:nowhere')).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('no stage nowhere'),
    });
    expect(await pocketful('doctor', '--store', ADDRESS)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('file: stores only'),
    });
  });

  it('lists them in the order of their bytes, by prefix and by delimiter', async () => {
    const keys = FILES.map(({ key }) => key).sort(byBytes);
    expect(await allKeys()).toEqual(keys);
    const folder = `${keys[100]?.split('/')[0]}/`;
    expect(await allKeys(folder)).toEqual(keys.filter((key) => key.startsWith(folder)));
    const { commonPrefixes } = await client.list({ delimiter: '/' });
    const folders = new Set(keys.filter((key) => key.includes('/')).map((key) => `${key.split('/')[0]}/`));
    expect(commonPrefixes).toEqual([...folders].sort(byBytes));
  });

  it('answers ranges and heads', async () => {
    const { key, bytes } = present(
      FILES.find((file) => file.bytes.byteLength > 200_000),
      'a file is longer than the ranges',
    );
    for (const range of [
      { offset: 0, length: 1 },
      { offset: 65_530, length: 20 },
      { offset: 100_000, length: 100_000 },
      { offset: bytes.byteLength - 5, length: 500 },
    ])
      expect(await read(key, range)).toEqual(Buffer.from(bytes.subarray(range.offset, range.offset + range.length)));
    expect(await client.head(key)).toMatchObject({ key, sizeBytes: bytes.byteLength });
  });

  it('stores an object larger than a request in parts', async () => {
    const pieces = Array.from({ length: 9 }, () => Buffer.from(systemRandomness.bytes(1024 * 1024)));
    const whole = Buffer.concat([...pieces, Buffer.from('the end')]);
    const outcome = await put(client, 'large', ...pieces, Buffer.from('the end'));
    expect(outcome).toMatchObject({ ok: true, sizeBytes: whole.byteLength });
    expect(sha256(await read('large'))).toBe(sha256(whole));
    expect(await read('large', { offset: 9 * 1024 * 1024 - 2, length: 9 })).toEqual(whole.subarray(-9));
  });

  it('keeps namespaces apart', async () => {
    const other = await open('other');
    await put(other, 'large', Buffer.from('mine'));
    expect((await client.head('large')).sizeBytes).toBeGreaterThan(4);
    expect((await other.list({})).objects.map(({ key }) => key)).toEqual(['large']);
    await other.close();
  });

  it('deletes', async () => {
    const gone = FILES.filter((_, i) => i % 4 === 0).map(({ key }) => key);
    expect(await remove(gone)).toEqual(gone.map((key) => ({ key, ok: true })));
    for (const key of gone.slice(0, 5))
      await expect(read(key)).rejects.toMatchObject({ kind: 'missing', code: 'OBJECT_MISSING' });
    const [again] = await remove(gone.slice(0, 1));
    expect(again).toMatchObject({ ok: false, error: { kind: 'missing', code: 'OBJECT_MISSING' } });
    const kept = FILES.filter((_, i) => i % 4 !== 0);
    for (const { key, bytes } of kept.slice(0, 20)) expect(sha256(await read(key)), key).toBe(sha256(bytes));
  });
});

describe('the function URL', () => {
  it('takes signed requests', async () => {
    const body = Buffer.from(systemRandomness.bytes(100_000));
    const path = '/objects/by%20url/%C3%A9';
    const stored = await askUrl(outputs.url, { method: 'PUT', path, body });
    expect(stored.status).toBe(200);
    const part = await askUrl(outputs.url, { method: 'GET', path, headers: { range: 'bytes=10-19' } });
    expect(part.status).toBe(206);
    expect(part.body).toEqual(body.subarray(10, 20));
    expect(part.headers.etag).toBe(stored.headers.etag);
    expect(sha256(await read('by url/é'))).toBe(sha256(body));
    expect((await askUrl(outputs.url, { method: 'DELETE', path })).status).toBe(204);
    expect((await askUrl(outputs.url, { method: 'GET', path })).status).toBe(404);
  });

  // The image lets everybody in: there the template tests are what says that the URL wants AWS_IAM.
  it.runIf(process.env['POCKETFUL_EMULATOR'] === 'kit')('refuses unsigned ones', async () => {
    const answer = await askUrl(outputs.url, { method: 'GET', path: '/objects', isSigned: false });
    expect(answer.status).toBe(403);
  });
});

describe('bad input', () => {
  const lambda = new LambdaClient({});
  const invoke = async (payload: string): Promise<unknown> => {
    const answer = await lambda.send(
      new InvokeCommand({ FunctionName: outputs.frontend, Payload: Buffer.from(payload) }),
    );
    expect(answer.FunctionError).toBeUndefined();
    return JSON.parse(Buffer.from(answer.Payload ?? []).toString('utf8'));
  };

  it('is a typed answer, never a failed function', async () => {
    for (const payload of ['null', '[]', '{"op":"steal"}', '{"op":"put","namespace":"default","key":"a","body":"*"}'])
      expect(await invoke(payload)).toMatchObject({ error: { kind: 'invalid', code: 'REQUEST_INVALID' } });
  });

  it.each([
    ['that is empty', '', 'NAME_EMPTY'],
    ['that climbs', 'a/../b', 'NAME_INVALID'],
    ['with NUL', 'a\0b', 'NAME_INVALID'],
    ['of 1,025 bytes', `${'é'.repeat(512)}x`, 'NAME_TOO_LONG'],
  ])('refuses a name %s', async (_, key, code) => {
    expect(await put(client, key, Buffer.from('x'))).toMatchObject({ ok: false, error: { kind: 'invalid', code } });
  });

  it('names what is missing', async () => {
    for (const ask of [() => client.head('nobody'), () => read('nobody')])
      await expect(ask()).rejects.toMatchObject({ kind: 'missing', code: 'OBJECT_MISSING' });
  });

  it('refuses a request of more than 6 MB', async () => {
    const body = Buffer.alloc(5 * 1024 * 1024).toString('base64');
    const payload = JSON.stringify({ op: 'put', namespace: 'default', objects: [{ key: 'six', body }] });
    expect(payload.length).toBeGreaterThan(6 * 1024 * 1024);
    const sent = lambda.send(new InvokeCommand({ FunctionName: outputs.frontend, Payload: Buffer.from(payload) }));
    const outcome = await sent.then(
      (answer) => answer.FunctionError ?? 'answered',
      (error: Error) => error.name,
    );
    expect(outcome).not.toBe('answered');
    await expect(client.head('six')).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
  });
});

describe('compaction', () => {
  compactionTests(() => ({ stage: STAGE, client, outputs, rules }));
});

servedTests(ADDRESS);

// The image runs no custom resources.
describe.runIf(process.env['POCKETFUL_EMULATOR'] === 'kit')('the settings guard', () => {
  it.each([
    ['other settings', contextOf({ ...SMALL, slotsPerBucketMax: 2048 }, DRIVES_AFTER), 'slotsPerBucketMax is 4096'],
    ['fewer drives', contextOf(SMALL, 16), `it has ${DRIVES_AFTER} drives and cannot do with 16`],
  ])('refuses a deployment with %s, and the stage goes on', async (_, context, reason) => {
    const { code, output } = await cdk('deploy', `Pocketful-${STAGE}-data`, '--require-approval', 'never', ...context);
    expect(code).not.toBe(0);
    expect(output).toContain(reason);
    expect(output).toContain('STAGE_CONTRADICTS');
    const outcome = await put(client, `after ${reason}`, Buffer.from('still here'));
    expect(outcome).toMatchObject({ ok: true });
    expect((await read(`after ${reason}`)).toString()).toBe('still here');
  });
});

describe('pocketful destroy', () => {
  it('leaves nothing but the bootstrap and a key pending deletion', async () => {
    const before = await inventory(STAGE);
    // And the one where parts of bulk puts wait.
    expect(before.buckets).toHaveLength(DRIVES_AFTER + 1);
    for (const names of Object.values(before)) expect(names.length).toBeGreaterThan(0);
    expect(await pocketful('destroy', STAGE)).toMatchObject({ code: 2 }); // not without --yes
    const run = await pocketful('destroy', STAGE, '--yes');
    expect(run, run.stderr).toMatchObject({ code: 0 });
    // A log group that Lambda makes by itself, for CDK's own deleter of objects, survives on AWS as well.
    const { logGroups, ...rest } = await inventory(STAGE);
    expect(rest).toEqual({ stacks: [], buckets: [], tables: [], functions: [], roles: [] });
    expect(logGroups.filter((name) => !name.includes('CustomS3AutoDelete'))).toEqual([]);
    const { KeyMetadata: key } = await new KMSClient({}).send(new DescribeKeyCommand({ KeyId: outputs.key }));
    expect(key?.KeyState).toBe('PendingDeletion');
  });
});
