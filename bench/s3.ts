// Puts and gets a second over the S3 endpoint, by a client in this process and a server in another, with the disk's own
// syncs: small objects one by one and sixteen at once, one large body, and objects of 8 MiB by a hundred connections at
// once; with the processor time that the server takes for one, and its memory.
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { SeededRandomness } from '../lib/foundation/randomness.ts';
import { canonicalRequests } from '../lib/s3/auth/canonical.ts';
import { signatureOf, signingKey } from '../lib/s3/auth/signature.ts';
import { type Benches, type BenchResult, type Figure, machine } from './bench.ts';

const KIB = 1024;
const LARGE_BYTES = 256 * KIB * KIB;
const CROWD = { connections: 100, bytes: 8 * KIB * KIB } as const;
/** Of `/proc/PID/stat`, on every Linux. */
const TICKS_PER_SECOND = 100;
const SMALL = [
  { bytes: 4 * KIB, atOnce: 1, count: 300 },
  { bytes: 4 * KIB, atOnce: 16, count: 4000 },
  { bytes: 64 * KIB, atOnce: 16, count: 1500 },
] as const;
/** This process's own Node: the memory is to be that of the server, not of what starts it. */
const PROGRAM = ['--disable-warning=ExperimentalWarning', 'bin/cli.mjs'];

export const benches: Benches = { s3: benchS3 };

interface Key {
  readonly id: string;
  readonly secret: string;
}

async function benchS3(): Promise<BenchResult> {
  const folder = fs.mkdtempSync(join(process.env['POCKETFUL_BENCH_DIR'] ?? tmpdir(), 'pocketful-bench-'));
  const store = ['--store', `file:${join(folder, 'store')}`];
  let server: ChildProcess | undefined;
  try {
    await answered([...store, 'init', '--json']);
    const key: Key = JSON.parse(await answered([...store, '--json', 'access', 'add', 'bench', '--allow', 'all']));
    server = spawn(process.execPath, [...PROGRAM, ...store, '--json', 'serve', '--port', '0', '--admin-port', '0'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const { endpoint } = JSON.parse(await firstLine(server)) as { endpoint: string };
    const figures = await figuresOf(new Client(endpoint, key), server.pid as number);
    return { bench: 's3', machine: `${machine()}, ${folder}`, figures };
  } finally {
    server?.kill('SIGKILL');
    fs.rmSync(folder, { recursive: true });
  }
}

async function figuresOf(client: Client, pid: number): Promise<Figure[]> {
  await client.send('PUT', '/bench', new Uint8Array(0));
  const figures: Figure[] = [];
  const add = async (name: string, count: number, atOnce: number, one: (i: number) => Promise<void>): Promise<void> => {
    const before = processorSeconds(pid);
    figures.push(...(await paced(name, count, atOnce, one)));
    const value = ((processorSeconds(pid) - before) / count) * 1e6;
    figures.push({ name: `${name}, processor time of the server for one`, value, unit: 'us' });
  };
  for (const { bytes, atOnce, count } of SMALL) {
    const random = new SeededRandomness(bytes + atOnce);
    const bodies = Array.from({ length: count }, () => random.bytes(bytes));
    const name = `${bytes / KIB} KiB, ${atOnce} at once`;
    const at = (i: number): string => `/bench/${bytes}/${atOnce}/${i}`;
    await add(`put ${name}`, count, atOnce, (i) => client.send('PUT', at(i), bodies[i]));
    await add(`get ${name}`, count, atOnce, (i) => client.send('GET', at(i)));
  }
  figures.push(peakOf(pid, 'small objects'));
  const large = new SeededRandomness(9).bytes(LARGE_BYTES);
  const whole = await largeFigures('one of 256 MiB', LARGE_BYTES, (method) =>
    client.send(method, '/bench/large', method === 'PUT' ? large : undefined),
  );
  figures.push(...whole, peakOf(pid, 'one of 256 MiB'));
  const { connections, bytes } = CROWD;
  // No two have a block in common.
  const apart = Math.floor((LARGE_BYTES - bytes) / connections) - 1;
  const crowd = await largeFigures('8 MiB, 100 at once', connections * bytes, (method) =>
    Promise.all(
      Array.from({ length: connections }, (_, i) => {
        const body = method === 'PUT' ? large.subarray(i * apart, i * apart + bytes) : undefined;
        return client.send(method, `/bench/crowd/${i}`, body);
      }),
    ),
  );
  figures.push(...crowd, peakOf(pid, '8 MiB, 100 at once'));
  return figures;
}

async function largeFigures(
  name: string,
  bytes: number,
  send: (method: 'PUT' | 'GET') => Promise<unknown>,
): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const method of ['PUT', 'GET'] as const) {
    const startMs = performance.now();
    await send(method);
    const value = bytes / 1e6 / ((performance.now() - startMs) / 1000);
    figures.push({ name: `${method.toLowerCase()} ${name}`, value, unit: 'MB/s' });
  }
  return figures;
}

/** User and system time of all of its threads. */
function processorSeconds(pid: number): number {
  const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

function peakOf(pid: number, after: string): Figure {
  const kib = /^VmHWM:\s+(\d+) kB$/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return { name: `peak memory of the server after ${after}`, value: Number(kib) / KIB, unit: 'MiB' };
}

async function paced(
  name: string,
  count: number,
  atOnce: number,
  one: (i: number) => Promise<void>,
): Promise<Figure[]> {
  const times: number[] = [];
  let next = 0;
  const startMs = performance.now();
  const worker = async (): Promise<void> => {
    while (next < count) {
      const beganMs = performance.now();
      await one(next++);
      times.push(performance.now() - beganMs);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  const seconds = (performance.now() - startMs) / 1000;
  const sorted = times.toSorted((a, b) => a - b);
  return [
    { name, value: count / seconds, unit: '/s' },
    { name: `${name}, median`, value: sorted[sorted.length >> 1] as number, unit: 'ms' },
    { name: `${name}, 99 %`, value: sorted[Math.floor(sorted.length * 0.99)] as number, unit: 'ms' },
  ];
}

class Client {
  readonly #endpoint: URL;
  readonly #key: Key;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: CROWD.connections });

  constructor(endpoint: string, key: Key) {
    this.#endpoint = new URL(endpoint);
    this.#key = key;
  }

  send(method: string, path: string, body: Uint8Array = new Uint8Array(0)): Promise<void> {
    const headers = this.#signed(method, path, body);
    const { hostname, port } = this.#endpoint;
    return new Promise((resolve, reject) => {
      const sent = request({ hostname, port, method, path, headers, agent: this.#agent });
      sent.on('error', reject);
      sent.on('response', (response) => {
        response.resume();
        response.on('end', () => {
          if (response.statusCode === 200) resolve();
          else reject(new Error(`${method} ${path}: ${response.statusCode}`));
        });
      });
      sent.end(body);
    });
  }

  #signed(method: string, path: string, body: Uint8Array): Record<string, string> {
    const payloadHash = createHash('sha256').update(body).digest('hex');
    const timestamp = `${new Date().toISOString().replace(/[-:]/g, '').slice(0, 15)}Z`;
    const scope = { date: timestamp.slice(0, 8), region: 'us-east-1', service: 's3' };
    const headers = { host: this.#endpoint.host, 'x-amz-content-sha256': payloadHash, 'x-amz-date': timestamp };
    const signedHeaders = Object.keys(headers);
    const choice = { signedHeaders, payloadHash, withoutQuery: 'X-Amz-Signature' };
    const [canonical = ''] = canonicalRequests(
      { method, path, query: '', headers: new Map(Object.entries(headers)) },
      choice,
    );
    const signature = signatureOf(signingKey(this.#key.secret, scope), timestamp, scope, canonical);
    const credential = `${this.#key.id}/${scope.date}/us-east-1/s3/aws4_request`;
    return {
      ...headers,
      'content-length': String(body.length),
      authorization: `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${signedHeaders.join(';')}, Signature=${signature}`,
    };
  }
}

async function answered(args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [...PROGRAM, ...args], { stdio: ['ignore', 'pipe', 'ignore'] });
  const line = await firstLine(child);
  await new Promise((resolve) => child.once('close', resolve));
  return line;
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', () => reject(new Error('the program said nothing')));
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).once('line', resolve);
  });
}
