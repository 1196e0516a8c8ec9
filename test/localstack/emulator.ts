// Starts and stops one LocalStack on a free port: the kit beside this file (no Docker), or the last image that needs no
// token. An emulator is its endpoint, the variables its clients need, the end of its log, and a stop.
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { homedir } from 'node:os';
import { fileURLToPath } from 'node:url';

const KIT = fileURLToPath(new URL('kit/', import.meta.url));
const IMAGE = 'localstack/localstack:4.14.0';
const START_MS = 180_000;
/** Log lines of functions are long JSON. */
const LINE_CHARACTERS_MAX = 400;

export interface Emulator {
  /** The kit fills some holes of LocalStack; a test that needs one asks. */
  readonly name: 'kit' | 'docker';
  /** AWS_ENDPOINT_URL, credentials and region of the emulator. */
  readonly variables: Readonly<Record<string, string>>;
  logTail(lines: number): string;
  stop(): void;
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

const lastLines = (text: string, lines: number): string =>
  text
    .trimEnd()
    .split('\n')
    .slice(-lines)
    .map((line) => line.slice(0, LINE_CHARACTERS_MAX))
    .join('\n');

/** The kit. `node` is the Node that runs the functions. */
export function startKit(port: number, node: string): Emulator {
  const { LOCALSTACK_HOME: home = `${homedir()}/.cache/pocketful-localstack` } = process.env;
  const env = { ...process.env, LOCALSTACK_HOME: home, LAMBDA_LOCAL_NODE: node };
  const stop = (): void => {
    spawnSync(`${KIT}down`, [String(port)], { env, stdio: 'inherit' });
  };
  const up = spawnSync(`${KIT}up`, [String(port)], { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  if (up.status !== 0) {
    stop();
    throw new Error(`LocalStack did not start on port ${port} (exit ${up.status ?? up.signal})`);
  }
  const pairs = up.stdout.matchAll(/([A-Z_]+)=(\S+)/g);
  return {
    name: 'kit',
    variables: Object.fromEntries([...pairs].map(([, name, value]) => [name, value])),
    logTail: (lines) => {
      try {
        return lastLines(readFileSync(`${home}/log-${port}`, 'utf8'), lines);
      } catch {
        return '(no log)';
      }
    },
    stop,
  };
}

export async function startDocker(port: number): Promise<Emulator> {
  const docker = (...args: string[]): SpawnSyncReturns<string> => spawnSync('docker', args, { encoding: 'utf8' });
  const run = docker(
    ...['run', '--detach', '--rm', '--publish', `127.0.0.1:${port}:4566`],
    ...['--volume', '/var/run/docker.sock:/var/run/docker.sock', '--env', 'SQS_ENDPOINT_STRATEGY=path', IMAGE],
  );
  if (run.status !== 0) throw new Error(`docker cannot start ${IMAGE}: ${lastLines(run.stderr ?? 'no docker', 1)}`);
  const container = run.stdout.trim();
  const endpoint = `http://127.0.0.1:${port}`;
  const emulator: Emulator = {
    name: 'docker',
    variables: {
      AWS_ENDPOINT_URL: endpoint,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_REGION: 'us-east-1',
      AWS_DEFAULT_REGION: 'us-east-1',
    },
    logTail: (lines) => {
      const logs = docker('logs', '--tail', String(lines), container);
      return `${logs.stdout}${logs.stderr}`;
    },
    stop: () => {
      docker('stop', '--time', '10', container);
    },
  };
  const deadlineMs = performance.now() + START_MS;
  while (performance.now() < deadlineMs) {
    const answer = await fetch(`${endpoint}/_localstack/info`).catch(() => undefined);
    if (answer?.ok) return emulator;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  const log = emulator.logTail(20);
  emulator.stop();
  throw new Error(`${IMAGE} did not answer within ${START_MS / 1000} s\n${log}`);
}
