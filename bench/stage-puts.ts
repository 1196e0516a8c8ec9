// Puts into a deployed stage beside plain PutObject of the same files, through the same endpoint, in one run: files a
// second, and how long a call takes. The endpoint is a LocalStack that this starts, with two stages in it, so that only
// the ratios say something: there a request to S3, DynamoDB or Lambda costs milliseconds of one shared processor, and a
// put into the store is many of them.
import { fileURLToPath } from 'node:url';
import { freePort, startKit } from '../test/localstack/emulator.ts';
import { type Benches, type BenchResult, type Figure, machine } from './bench.ts';

const PRESETS = ['personal', 'thrifty'] as const;
const FILE_BYTES = 64 * 1024;
/** Of each round, and how they come in calls. */
const FILES = 256;
const PER_CALL = 64;
const ROUNDS = 3;
const AT_ONCE = 4;
const NODE_BIN = fileURLToPath(new URL('../node_modules/.bin/', import.meta.url));

export const benches: Benches = { 'stage-puts': stagePuts };

interface File {
  readonly key: string;
  readonly bytes: Uint8Array;
}
/** Puts some files in one call. */
type Put = (files: readonly File[]) => Promise<void>;

async function stagePuts(): Promise<BenchResult> {
  const emulator = startKit(await freePort(), process.execPath);
  try {
    for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name];
    Object.assign(process.env, emulator.variables, {
      AWS_CONFIG_FILE: '/dev/null',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    });
    process.env['PATH'] = `${NODE_BIN}:${process.env['PATH'] ?? ''}`;
    const { figures } = await measured();
    return { bench: 'stage-puts', machine: `LocalStack; ${machine()}`, figures };
  } finally {
    emulator.stop();
  }
}

/** Loaded only now: clients of the SDK are made by this environment. */
async function measured(): Promise<{ readonly figures: Figure[] }> {
  const { cdkOk } = await import('../test/localstack/cdk.ts');
  const { realPieces } = await import('../test/localstack/pieces.ts');
  const pieces = realPieces((ROUNDS + 1) * FILES * FILE_BYTES, FILE_BYTES);
  await cdkOk('bootstrap', 'aws://000000000000/us-east-1');
  const contenders = [{ name: 'PutObject', put: await plainPut(), perCall: 1 }];
  for (const preset of PRESETS) {
    const context = [
      '-c',
      `stage=${preset}`,
      '-c',
      `preset=${preset}`,
      '-c',
      'ephemeral=true',
      '-c',
      'schedules=false',
    ];
    await cdkOk('deploy', '--all', '--require-approval', 'never', ...context);
    const put = await stagePut(preset);
    contenders.push({ name: `${preset}, one a call`, put, perCall: 1 });
    contenders.push({ name: `${preset}, ${PER_CALL} a call`, put, perCall: PER_CALL });
  }
  const runs = contenders.map(({ name }) => ({ name, callMs: [] as number[], seconds: 0, files: 0 }));
  for (let round = 0; round <= ROUNDS; round++) {
    const files = pieces.slice(round * FILES, (round + 1) * FILES);
    for (const [i, { put, perCall, name }] of contenders.entries()) {
      // Other bytes for each: blocks that are known are not stored.
      const own = files.map(({ key, bytes }) => ({ key: `${name}/${key}`, bytes: marked(bytes, i) }));
      const { callMs, seconds } = await timed(own, put, perCall);
      const run = runs[i];
      if (round === 0 || run === undefined) continue; // warms functions up
      run.callMs.push(...callMs);
      run.seconds += seconds;
      run.files += files.length;
    }
  }
  const [plain, ...others] = runs as [(typeof runs)[number], ...typeof runs];
  return { figures: [...figuresOf(plain, plain), ...others.flatMap((run) => figuresOf(run, plain))] };
}

function marked(bytes: Uint8Array, mark: number): Uint8Array {
  const copy = new Uint8Array(bytes);
  copy[0] = mark;
  return copy;
}

async function plainPut(): Promise<Put> {
  const { CreateBucketCommand, PutObjectCommand, S3Client } = await import('@aws-sdk/client-s3');
  const client = new S3Client({ forcePathStyle: true });
  await client.send(new CreateBucketCommand({ Bucket: 'plain' }));
  return async (files) => {
    for (const { key, bytes } of files)
      await client.send(new PutObjectCommand({ Bucket: 'plain', Key: key, Body: bytes }));
  };
}

async function stagePut(stage: string): Promise<Put> {
  const { AwsClient } = await import('../lib/client/aws/aws-client.ts');
  const { systemClock } = await import('../lib/foundation/clock.ts');
  const { systemRandomness } = await import('../lib/foundation/randomness.ts');
  const client = await AwsClient.open({
    stage,
    namespace: 'default',
    clock: systemClock,
    randomness: systemRandomness,
  });
  return async (files) => {
    const requests = files.map(({ key, bytes }) => ({
      key,
      body: async function* () {
        yield bytes;
      },
    }));
    for await (const outcome of client.putAll(requests)) if (!outcome.ok) throw outcome.error;
  };
}

async function timed(
  files: readonly File[],
  put: Put,
  perCall: number,
): Promise<{ callMs: number[]; seconds: number }> {
  const calls: (readonly File[])[] = [];
  for (let at = 0; at < files.length; at += perCall) calls.push(files.slice(at, at + perCall));
  const callMs: number[] = [];
  const startMs = performance.now();
  const work = async (): Promise<void> => {
    for (let call = calls.shift(); call !== undefined; call = calls.shift()) {
      const sentMs = performance.now();
      await put(call);
      callMs.push(performance.now() - sentMs);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return { callMs, seconds: (performance.now() - startMs) / 1000 };
}

interface Run {
  readonly name: string;
  readonly callMs: readonly number[];
  readonly seconds: number;
  readonly files: number;
}

/** Ratios are to PutObject: of files a second, and of what one call takes, however many files are in it. */
function figuresOf(run: Run, plain: Run): Figure[] {
  const rate = (of: Run): number => of.files / of.seconds;
  const at = (of: Run, permille: number): number => {
    const sorted = of.callMs.toSorted((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * permille) / 1000))] as number;
  };
  const latency = (name: string, permille: number): Figure => ({
    name: `${run.name}: ${name} of a call`,
    value: at(run, permille),
    unit: 'ms',
    ratio: at(run, permille) / at(plain, permille),
  });
  return [
    { name: `${run.name}: files`, value: rate(run), unit: 'a second', ratio: rate(run) / rate(plain) },
    latency('p50', 500),
    latency('p99', 990),
  ];
}
