// A bucket of a deployed stage is emptied: the operator gives it up, the state machine makes again what lay there, and redundancy is whole
// as the scrubber sees it. Everything by the command line and the schedules' own machine, on a stage of its own.
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { DeleteBucketCommand, DeleteObjectsCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { DescribeExecutionCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findStage, type StageOutputs } from '../../lib/client/aws/aws-stage.ts';
import { cdkOk } from './cdk.ts';
import { pocketful } from './cli.ts';
import { journalTests } from './journal.ts';
import { realPieces } from './pieces.ts';

const STAGE = 'keep';
const ADDRESS = ['--store', `aws:${STAGE}`, '--json'];
const DRIVES = 6;
const LOST = 1;
const DAMAGED = 2;
const GONE = 3;
const SETTINGS = {
  extentBytes: 393_216,
  blockBytesMax: 8192,
  bucketBytes: 32_768,
  groupBytesMin: 131_072,
  hotCodec: 'xor-3-1',
  warmCodec: 'xor-2-1',
};
const CONTEXT = [
  ...['-c', `stage=${STAGE}`, '-c', 'preset=demo', '-c', `settings=${JSON.stringify(SETTINGS)}`],
  ...['-c', `drives=${DRIVES}`, '-c', 'ephemeral=true', '-c', 'schedules=false', '-c', 'journal=true'],
  // A first call on the emulator takes a minute where others work on the machine.
  ...['-c', 'functionTimeoutSeconds=85'],
];
const EXECUTION_LOOK_MS = 2000;
/** Of an answer, where a command did not end as it should: the findings are in it. */
const SHOWN_CHARS = 8000;
const FILES = realPieces(3_300_000, 65_536);

const scratch = mkdtempSync(join(tmpdir(), 'pocketful-keeping-'));
const s3 = new S3Client({});
let outputs: StageOutputs;
const bucketOf = (drive: number): string => outputs.drives.split(',')[drive] ?? '';

/** What a command answers, and that it ends as it should. */
async function asked<T = Record<string, unknown>>(args: readonly string[], code = 0): Promise<T> {
  const run = await pocketful(...args, ...ADDRESS);
  const answer = run.stdout.toString();
  expect(run.code, `${args.join(' ')}: ${run.stderr}\n${answer.slice(0, SHOWN_CHARS)}`).toBe(code);
  return JSON.parse(answer || '{}') as T;
}

/** Deletes so many of its objects, all unless told. */
async function empty(bucket: string, most = Number.POSITIVE_INFINITY): Promise<number> {
  let deleted = 0;
  while (deleted < most) {
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: bucket }));
    const Objects = Contents.slice(0, most - deleted).map(({ Key }) => ({ Key }));
    if (Objects.length === 0) break;
    await s3.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects } }));
    deleted += Objects.length;
  }
  return deleted;
}

async function execute(): Promise<void> {
  const sfn = new SFNClient({});
  const { executionArn } = await sfn.send(
    new StartExecutionCommand({ stateMachineArn: outputs.stateMachine, input: '{}' }),
  );
  for (;;) {
    const { status, cause } = await sfn.send(new DescribeExecutionCommand({ executionArn }));
    if (status === 'SUCCEEDED') return;
    if (status !== 'RUNNING') throw new Error(`the state machine ${status}: ${cause}`);
    await new Promise((resolve) => setTimeout(resolve, EXECUTION_LOOK_MS));
  }
}

interface Drives {
  readonly drives: readonly { readonly state: string; readonly columns: number; readonly damaged: number }[];
  readonly columnsToMove: number;
}

async function expectWhole(): Promise<void> {
  expect(await asked(['plan', '--strategy', 'repair'])).toMatchObject({ repairs: [] });
  expect(await asked(['verify', 'scrub', '--all'])).toMatchObject({ level: 'healthy', findings: [], done: true });
  const { redundancy } = await asked<{ redundancy: { volumes: number; full: number } }>(['status']);
  expect(redundancy.volumes).toBeGreaterThanOrEqual(3);
  expect(redundancy.full).toBe(redundancy.volumes);
}

async function expectFiles(): Promise<void> {
  const to = mkdtempSync(join(scratch, 'out-'));
  await asked(['get', '', '--to', to]);
  const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
  for (const { key, bytes } of FILES) expect(sha256(readFileSync(join(to, key))), key).toBe(sha256(bytes));
}

beforeAll(async () => {
  await cdkOk('bootstrap', 'aws://000000000000/us-east-1', ...CONTEXT);
  await cdkOk('deploy', '--all', '--require-approval', 'never', ...CONTEXT);
  outputs = await findStage(new CloudFormationClient({}), STAGE);
  for (const { key, bytes } of FILES) {
    mkdirSync(dirname(join(scratch, 'in', key)), { recursive: true });
    writeFileSync(join(scratch, 'in', key), bytes);
  }
  expect(await asked(['put', join(scratch, 'in')])).toMatchObject({ stored: FILES.length });
  await asked(['encode', '--all']);
  // Nothing but what must exist is there now.
  await asked(['gc', '--now']);
});

afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe('the journal of a stage', () => {
  journalTests(`aws:${STAGE}`, scratch, FILES, () => outputs);
});

describe('a stage that loses a bucket', () => {
  it('is whole before, and needs no repair', async () => {
    await expectWhole();
    expect(await asked(['drives', 'list'])).toMatchObject({ columnsToMove: 0 });
  });

  it('makes whole by itself what lay there, once it is told', async () => {
    expect(await empty(bucketOf(LOST))).toBeGreaterThan(3);
    await asked(['drives', 'lost', String(LOST)]);
    expect((await asked<Drives>(['drives', 'list'])).columnsToMove).toBeGreaterThan(0);
    await asked(['drives', 'forget', String(LOST)], 2);
    await execute();
    const { drives, columnsToMove } = await asked<Drives>(['drives', 'list']);
    expect(columnsToMove).toBe(0);
    expect(drives[LOST]).toMatchObject({ state: 'lost', columns: 0 });
    await expectWhole();
    await expectFiles();
  });

  it('finds objects that were deleted from another, and has them made again by command', async () => {
    expect(await empty(bucketOf(DAMAGED), 5)).toBe(5);
    const found = await asked<{ level: string }>(['verify', 'scrub', '--all'], 8);
    expect(found.level).toBe('degraded');
    expect((await asked<Drives>(['drives', 'list'])).drives[DAMAGED]?.damaged).toBeGreaterThan(0);
    const report = await asked<{ writtenBytes: number }>(['repair', '--now']);
    expect(report).toMatchObject({ lost: [], left: [] });
    expect(report.writtenBytes).toBeGreaterThan(0);
    await expectWhole();
    await expectFiles();
  });

  it('forgets the bucket, and refuses to be deployed without one', async () => {
    await asked(['drives', 'forget', String(LOST)]);
    expect((await asked<Drives>(['drives', 'list'])).drives[LOST]).toMatchObject({ state: 'retired' });
    const fewer = await pocketful('deploy', STAGE, '--drives', String(DRIVES - 1), '--yes');
    expect(fewer).toMatchObject({ code: 2, stderr: expect.stringContaining('STAGE_CONTRADICTS') });
    await expectFiles();
  });

  it('sees by its schedule that a bucket is gone, and waits for it before it gives it up', async () => {
    await empty(bucketOf(GONE));
    await s3.send(new DeleteBucketCommand({ Bucket: bucketOf(GONE) }));
    const { Payload } = await new LambdaClient({}).send(
      new InvokeCommand({ FunctionName: outputs.drainer, Payload: JSON.stringify({ watch: true, begin: false }) }),
    );
    const answer = JSON.parse(Buffer.from(Payload ?? []).toString());
    expect(answer.drives, JSON.stringify(answer)).toEqual({ away: [GONE], lost: [], returned: [], asks: [] });
    const { drives } = await asked<Drives>(['drives', 'list']);
    expect(drives[GONE]).toMatchObject({
      state: 'active',
      fault: 'DRIVE_UNAVAILABLE',
      awaySinceMs: expect.any(Number),
    });
    await expectFiles();
  });

  it('is restored on a machine without that bucket', { timeout: 600_000 }, async () => {
    const dir = join(scratch, 'restored-without');
    const restored = await pocketful('restore', `file:${dir}`, '--from', `aws:${STAGE}`, '--json');
    expect(restored, restored.stderr).toMatchObject({ code: 0 });
    expect(JSON.parse(restored.stdout.toString())).toMatchObject({
      bucketsAway: [{ label: bucketOf(GONE), code: 'DRIVE_UNAVAILABLE' }],
      rebuild: { lostObjects: 0 },
    });
    const out = join(scratch, 'without');
    const got = await pocketful('get', '', '--to', out, '--store', `file:${dir}`, '--json');
    expect(got, got.stderr).toMatchObject({ code: 0 });
    for (const { key, bytes } of FILES) expect(Buffer.compare(readFileSync(join(out, key)), bytes), key).toBe(0);
  });
});
