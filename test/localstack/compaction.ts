// Compaction of the deployed stage, through its functions, queue and state machine only: forty sealed volumes, seven tenths of the data
// deleted, everything moved together again; a compactor cut off, dead letters, alarms, a drive gone, an upgrade in place.
import { createHash } from 'node:crypto';
import { CloudWatchClient, DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import {
  GetFunctionConfigurationCommand,
  InvokeCommand,
  LambdaClient,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import {
  DeleteObjectsCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { DescribeExecutionCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { expect, it } from 'vitest';
import { StageEngine } from '../../lib/client/aws/aws-admin.ts';
import type { AwsClient } from '../../lib/client/aws/aws-client.ts';
import type { StageOutputs } from '../../lib/client/aws/aws-stage.ts';
import { listJournal } from '../../lib/compaction/run/journal.ts';
import type { Status } from '../../lib/engine/status/status.ts';
import type { EngineStore } from '../../lib/engine/wire/engine-store.ts';
import { present } from '../../lib/foundation/assert.ts';
import { systemClock } from '../../lib/foundation/clock.ts';
import type { VolumeId } from '../../lib/foundation/ids.ts';
import { listVolumes, readVolume } from '../../lib/volume/rows/read-rows.ts';
import { pocketful } from './cli.ts';
import { realPieces } from './pieces.ts';

/** Enough for forty volumes of the stage, and for ten of what is left: below that nobody speaks of overhead. Four pieces fill a bucket. */
const PIECES = realPieces(61e6, 15_200);
const PIECE_COUNT = PIECES.length;
/** Raw bytes of lrc-12-2-2 per byte. */
const CODE_OVERHEAD = 16 / 12;
const ALARM_WAIT_MS = 240_000;
const READS_AT_ONCE = 4;

export interface Deployed {
  readonly stage: string;
  readonly client: AwsClient;
  readonly outputs: StageOutputs;
}

type Answer = Record<string, unknown>;
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const sleep = (ms: number): Promise<void> => systemClock.sleep(ms);
const THIN_COUNT = Math.floor(PIECE_COUNT / 4);
const forget = (index: number): boolean => (index < THIN_COUNT ? index % 20 !== 7 : (index * 37) % 100 < 63);

const requestOf = ({ key, bytes }: (typeof PIECES)[number]) => ({
  key,
  body: async function* () {
    yield bytes;
  },
});

/** Until `probe` answers something else than undefined. */
async function until<T>(what: string, ms: number, probe: () => Promise<T | undefined>): Promise<T> {
  const endsAtMs = performance.now() + ms;
  for (;;) {
    const found = await probe();
    if (found !== undefined) return found;
    if (performance.now() > endsAtMs) throw new Error(`waited ${ms / 1000} s for ${what}`);
    await sleep(1000);
  }
}

class World {
  readonly #deployed: () => Deployed;
  readonly lambda = new LambdaClient({ requestHandler: { requestTimeout: 400_000 } });
  readonly s3 = new S3Client({ forcePathStyle: true });
  readonly sfn = new SFNClient({});
  readonly alarms = new CloudWatchClient({});
  readonly survivors = new Map(PIECES.filter((_, i) => !forget(i)).map(({ key, bytes }) => [key, sha256(bytes)]));
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
    const keys = [...this.survivors].filter((_, i) => i % every === 0);
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

  async execute(): Promise<string> {
    const { executionArn } = await this.sfn.send(
      new StartExecutionCommand({ stateMachineArn: this.deployed.outputs.stateMachine, input: '{}' }),
    );
    return until('the state machine', 300_000, async () => {
      const { status, error, cause } = await this.sfn.send(new DescribeExecutionCommand({ executionArn }));
      if (status === 'RUNNING') return undefined;
      return status === 'SUCCEEDED' ? status : `${status}: ${error}: ${cause}`;
    });
  }
}

const sealedOverhead = ({ overhead }: Status): number => overhead.sealed.allocated ?? Number.NaN;

export function compactionTests(deployed: () => Deployed): void {
  const world = new World(deployed);

  it('fills forty volumes and more', { timeout: 1_200_000 }, async () => {
    // What is to be deleted most of all first, so that it lies together.
    const parts = [PIECES.slice(0, THIN_COUNT), PIECES.slice(THIN_COUNT)];
    for (const part of parts) {
      let stored = 0;
      const failed: string[] = [];
      for await (const outcome of deployed().client.putAll(part.map(requestOf))) {
        if (outcome.ok) stored += 1;
        else failed.push(`${outcome.key}: ${outcome.error}`);
      }
      expect(failed).toEqual([]);
      expect(stored).toBe(part.length);
      expect(await world.cli('encode', '--all')).toMatchObject({ leftBytes: 0 });
    }
    const status = await world.status();
    expect(status.overhead.sealed.volumes).toBeGreaterThanOrEqual(40);
    expect(sealedOverhead(status)).toBeLessThan(1.25 * CODE_OVERHEAD);
  });

  it('shreds seven tenths of it, and the tuner tells', { timeout: 1_200_000 }, async () => {
    const gone = PIECES.filter((_, i) => forget(i)).map(({ key }) => key);
    expect(gone.length / PIECES.length).toBeGreaterThan(0.68);
    for await (const outcome of deployed().client.deleteAll(gone)) expect(outcome).toMatchObject({ ok: true });
    const report = await world.cli('gc');
    expect(report['slots']).toBeGreaterThan(0.95 * gone.length); // but for pieces that are equal
    expect(sealedOverhead(await world.status())).toBeGreaterThan(2.5 * CODE_OVERHEAD);
    expect(await world.invoke('tuner')).toMatchObject({ metrics: { SealedOverhead: expect.any(Number) } });
  });

  it('buries what cannot be read, stops, and goes on after a redrive', async () => {
    const engine = await world.engine();
    const { components } = engine.volumes;
    const plan = (await world.cli('plan', '--strategy', 'l3')) as {
      runs: { sources: { volume: string; liveBytes: number }[] }[];
    };
    const sources = plan.runs.flatMap((run) => run.sources).sort((a, b) => b.liveBytes - a.liveBytes);
    expect(sources[0]?.liveBytes).toBeGreaterThan(0);
    const source = present(sources[0], 'a volume for L3').volume as VolumeId;
    const hidden = await hide(
      world,
      present(await readVolume(components.panda, components.settings.cell, source), 'its row').extents.slice(0, 12),
    );
    expect(await world.invoke('drainer')).toMatchObject({ reason: { code: 'FLOWING' } });
    await until('a dead letter', 120_000, async () => {
      const { dead } = await engine.queue.figures();
      return dead > 0 ? true : undefined;
    });
    await until('the queue to be worked off', 120_000, async () => {
      const { ready, inFlight } = await engine.queue.figures();
      return ready + inFlight === 0 ? true : undefined;
    });
    const stopped = await world.invoke('drainer');
    expect(stopped).toMatchObject({ sent: 0, reason: { code: 'DEAD_LETTERS' } });
    const { letters } = (await world.cli('dlq', 'list')) as { letters: { isCurrent: boolean }[] };
    expect(letters.some(({ isCurrent }) => isCurrent)).toBe(true);
    await world.untilAlarm('dlq-not-empty', 'ALARM');
    await world.untilAlarm('overhead-high', 'ALARM');
    for (const { Bucket, Key, Body } of hidden) await world.s3.send(new PutObjectCommand({ Bucket, Key, Body }));
    expect((await world.cli('dlq', 'redrive'))['redriven']).toBe(letters.length);
    await until('the source to be drained', 120_000, async () => {
      await world.invoke('drainer');
      const now = await readVolume(components.panda, components.settings.cell, source);
      return now === undefined || now.state === 'trash' || now.state === 'erasing' ? true : undefined;
    });
  });

  it('goes on with a compactor that was cut off', async () => {
    const { compactor } = deployed().outputs;
    const { Timeout } = await world.lambda.send(new GetFunctionConfigurationCommand({ FunctionName: compactor }));
    const timeout = async (seconds: number | undefined): Promise<void> => {
      await world.lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: compactor, Timeout: seconds }));
      await until('the new configuration', 60_000, async () => {
        const now = await world.lambda.send(new GetFunctionConfigurationCommand({ FunctionName: compactor }));
        return now.LastUpdateStatus === 'Successful' ? true : undefined;
      });
    };
    await timeout(1);
    const { runs } = (await world.invoke('planner')) as { runs: { run: string }[] };
    expect(runs.length).toBeGreaterThan(0);
    const cut: string[] = [];
    for (const { run } of runs) {
      const answer = await world.invoke('compactor', { run });
      if ('functionError' in answer) cut.push(run);
      if (cut.length === 2) break;
    }
    expect(cut.length).toBeGreaterThan(0);
    await timeout(Timeout);
    const { components } = (await world.engine()).volumes;
    expect((await listJournal(components)).map(({ id }) => id as string)).toEqual(expect.arrayContaining(cut));
    await sleep(7_000); // until its time is over for everybody
    expect(await Promise.all([world.execute(), world.execute()])).toEqual(['SUCCEEDED', 'SUCCEEDED']);
    expect((await listJournal(components)).filter(({ task }) => task.strategy !== 'l3')).toEqual([]);
  });

  it('compacts until nothing is gained, and the overhead is back', { timeout: 1_200_000 }, async () => {
    // A volume is full at 0.955: of what it holds 0.16 are dead where it is filled to 0.8, which is the bound below.
    await world.cli('compact', '--until-stable', '--threshold', '0.16');
    const { components } = (await world.engine()).volumes;
    const leased = (await listVolumes(components.panda, components.settings.cell)).filter(
      ({ run }) => run !== undefined,
    );
    expect(leased).toEqual([]);
    const status = await world.status();
    expect(sealedOverhead(status)).toBeLessThanOrEqual(1.25 * CODE_OVERHEAD);
    expect(await world.cli('explain', [...world.survivors.keys()][0] ?? '')).toMatchObject({
      lines: expect.any(Array),
    });
    expect(await world.cli('keys', 'list')).toMatchObject({ versions: [{ state: 'current' }] });
    await world.invoke('tuner');
    // All of it is read below, without a drive.
    await world.readAll(10);
  });

  it('reads everything without one of its drives', async () => {
    const [first = ''] = deployed().outputs.drives.split(',');
    const { length } = await take(world, first, '');
    expect(length).toBeGreaterThan(10);
    await world.readAll();
  });

  it('has no alarm any more', async () => {
    // CloudWatch looked at them meanwhile.
    await world.untilAlarm('dlq-not-empty', 'OK');
    await world.untilAlarm('overhead-high', 'OK');
  });

  it('is upgraded in place with its data', async () => {
    await world.close();
    const { stage } = deployed();
    const fewer = await pocketful('deploy', stage, '--drives', '16', '--yes');
    expect(fewer).toMatchObject({ code: 2, stderr: expect.stringContaining('STAGE_CONTRADICTS') });
    const more = ['--drives', '18', '--context', 'functionMemoryMiB=1536', '--context', 'schedules=false'];
    expect(await pocketful('deploy', stage, ...more)).toMatchObject({ code: 2 }); // not without --yes
    const run = await pocketful('deploy', stage, ...more, '--json', '--yes');
    expect(run, run.stderr).toMatchObject({ code: 0 });
    expect(JSON.parse(run.stdout.toString())).toMatchObject({ stage, drives: 18, cost: expect.any(Array) });
    await world.readAll(10);
    expect((await world.status()).drives).toHaveLength(18);
    await world.close();
  });
}

interface Hidden {
  readonly Bucket: string;
  readonly Key: string;
  readonly Body: Uint8Array;
}

/** Takes the objects of these extents away; the answer brings them back. */
async function hide(
  world: World,
  extents: readonly { readonly drive: number; readonly zone: number; readonly zoneGeneration: number }[],
): Promise<Hidden[]> {
  const drives = world.deployed.outputs.drives.split(',');
  const hidden = extents.map(({ drive, zone, zoneGeneration }) =>
    take(world, present(drives[drive], 'a drive'), `${zone}/${zoneGeneration}/`),
  );
  return (await Promise.all(hidden)).flat();
}

async function take(world: World, Bucket: string, prefix: string): Promise<Hidden[]> {
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
