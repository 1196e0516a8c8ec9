// The deployed stage as its compaction's tests reach it: functions, command line, state machine, alarms, and objects that are hidden.
import { CloudWatchClient, DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { DeleteObjectsCommand, GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { DescribeExecutionCommand, ListExecutionsCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { expect } from 'vitest';
import { StageEngine } from '../../../lib/client/aws/aws-admin.ts';
import type { AwsClient } from '../../../lib/client/aws/aws-client.ts';
import type { StageOutputs } from '../../../lib/client/aws/aws-stage.ts';
import type { Status } from '../../../lib/engine/status/status.ts';
import type { EngineStore } from '../../../lib/engine/wire/engine-store.ts';
import { present } from '../../../lib/foundation/assert.ts';
import { systemClock } from '../../../lib/foundation/clock.ts';
import { pocketful } from '../cli.ts';
import { SURVIVORS, sha256 } from './load.ts';
import type { ScheduleRules } from './schedules.ts';

const ALARM_WAIT_MS = 240_000;
const READS_AT_ONCE = 4;

export interface Deployed {
  readonly stage: string;
  readonly client: AwsClient;
  readonly outputs: StageOutputs;
  readonly rules: ScheduleRules;
}

type Answer = Record<string, unknown>;

/** Until `probe` answers something else than undefined. */
export async function until<T>(what: string, ms: number, probe: () => Promise<T | undefined>): Promise<T> {
  const endsAtMs = performance.now() + ms;
  for (;;) {
    const found = await probe();
    if (found !== undefined) return found;
    if (performance.now() > endsAtMs) throw new Error(`waited ${ms / 1000} s for ${what}`);
    await systemClock.sleep(1000);
  }
}

export class World {
  readonly #deployed: () => Deployed;
  readonly lambda = new LambdaClient({ requestHandler: { requestTimeout: 400_000 } });
  readonly s3 = new S3Client({ forcePathStyle: true });
  readonly sfn = new SFNClient({});
  readonly alarms = new CloudWatchClient({});
  #engine: StageEngine | undefined;

  constructor(deployed: () => Deployed) {
    this.#deployed = deployed;
  }

  get deployed(): Deployed {
    return this.#deployed();
  }

  engine(): Promise<EngineStore> {
    this.#engine ??= new StageEngine(this.deployed.outputs, systemClock);
    return this.#engine.open();
  }

  async close(): Promise<void> {
    await this.#engine?.close();
    this.#engine = undefined;
  }

  async invoke(name: keyof StageOutputs, event: object = {}): Promise<Answer> {
    const command = new InvokeCommand({
      FunctionName: this.deployed.outputs[name],
      Payload: Buffer.from(JSON.stringify(event)),
    });
    const { FunctionError, Payload } = await this.lambda.send(command);
    const answer = JSON.parse(Buffer.from(Payload ?? []).toString('utf8')) as Answer;
    return FunctionError === undefined ? answer : { ...answer, functionError: FunctionError };
  }

  async cli(...args: string[]): Promise<Answer> {
    const run = await pocketful(...args, '--store', `aws:${this.deployed.stage}`, '--json');
    expect(run, run.stderr).toMatchObject({ code: 0 });
    return JSON.parse(run.stdout.toString());
  }

  status(): Promise<Status> {
    return this.cli('status') as unknown as Promise<Status>;
  }

  /** Every survivor, or each so many. */
  async readAll(every = 1): Promise<void> {
    const { client } = this.deployed;
    const keys = [...SURVIVORS].filter((_, i) => i % every === 0);
    await Promise.all(
      Array.from({ length: READS_AT_ONCE }, async () => {
        for (let next = keys.pop(); next !== undefined; next = keys.pop()) {
          const pieces: Uint8Array[] = [];
          for await (const piece of (await client.get(next[0])).body) pieces.push(piece);
          expect(sha256(Buffer.concat(pieces)), next[0]).toBe(next[1]);
        }
      }),
    );
  }

  async alarmState(name: string): Promise<string | undefined> {
    const { MetricAlarms = [] } = await this.alarms.send(
      new DescribeAlarmsCommand({ AlarmNames: [`pocketful-${this.deployed.stage}-${name}`] }),
    );
    return present(MetricAlarms[0], `alarm ${name}`).StateValue;
  }

  untilAlarm(name: string, state: string): Promise<true> {
    return until(`alarm ${name} to be ${state}`, ALARM_WAIT_MS, async () =>
      (await this.alarmState(name)) === state ? true : undefined,
    );
  }

  /** Of the state machine, whoever started them. */
  async executions(): Promise<number> {
    const { stateMachine: stateMachineArn } = this.deployed.outputs;
    const { executions = [] } = await this.sfn.send(new ListExecutionsCommand({ stateMachineArn }));
    return executions.length;
  }

  async execute(input: object): Promise<string> {
    const { executionArn } = await this.sfn.send(
      new StartExecutionCommand({ stateMachineArn: this.deployed.outputs.stateMachine, input: JSON.stringify(input) }),
    );
    return until('the state machine', 300_000, async () => {
      const { status, error, cause } = await this.sfn.send(new DescribeExecutionCommand({ executionArn }));
      if (status === 'RUNNING') return undefined;
      return status === 'SUCCEEDED' ? status : `${status}: ${error}: ${cause}`;
    });
  }
}

interface Hidden {
  readonly Bucket: string;
  readonly Key: string;
  readonly Body: Uint8Array;
}

/** Takes the objects of these extents away; the answer brings them back. */
export async function hide(
  world: World,
  extents: readonly { readonly drive: number; readonly zone: number; readonly zoneGeneration: number }[],
): Promise<Hidden[]> {
  const drives = world.deployed.outputs.drives.split(',');
  const hidden = extents.map(({ drive, zone, zoneGeneration }) =>
    take(world, present(drives[drive], 'a drive'), `${zone}/${zoneGeneration}/`),
  );
  return (await Promise.all(hidden)).flat();
}

export async function take(world: World, Bucket: string, prefix: string): Promise<Hidden[]> {
  const taken: Hidden[] = [];
  for (;;) {
    const { Contents = [] } = await world.s3.send(new ListObjectsV2Command({ Bucket, Prefix: prefix }));
    if (Contents.length === 0) return taken;
    for (const { Key = '' } of Contents) {
      const { Body } = await world.s3.send(new GetObjectCommand({ Bucket, Key }));
      taken.push({ Bucket, Key, Body: (await Body?.transformToByteArray()) ?? new Uint8Array() });
    }
    const Objects = Contents.map(({ Key }) => ({ Key }));
    await world.s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
  }
}
