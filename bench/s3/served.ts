// S3 servers for the benches, each a process of its own over a fresh folder: Pocketful's (of this checkout or another),
// SeaweedFS', MinIO's and versitygw's where there are such programs.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Key } from './lean-client.ts';

export interface Served {
  readonly name: string;
  readonly endpoint: URL;
  readonly key: Key;
  readonly pid: number;
  stop(): void;
}

/** This process's own Node: the memory is to be that of the server, not of what starts it. */
const PROGRAM = ['--disable-warning=ExperimentalWarning', 'bin/cli.mjs'];
const STARTS_MS = 60_000;
const LOOK_EVERY_MS = 200;

export async function pocketfulServer(name: string, folder: string, checkout = '.'): Promise<Served> {
  const store = ['--store', `file:${resolve(folder, 'store')}`];
  const of = { cwd: checkout };
  await answered([...store, 'init', '--json'], of);
  const key: Key = JSON.parse(await answered([...store, '--json', 'access', 'add', 'bench', '--allow', 'all'], of));
  const profiled = process.env['POCKETFUL_BENCH_PROFILE'];
  const profile = profiled === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${resolve(profiled)}`];
  const args = [...profile, ...PROGRAM, ...store, '--json', 'serve', '--port', '0', '--admin-port', '0'];
  const server = spawn(process.execPath, args, { ...of, stdio: ['ignore', 'pipe', 'ignore'] });
  const { endpoint } = JSON.parse(await firstLine(server)) as { endpoint: string };
  return {
    name,
    endpoint: new URL(endpoint),
    key,
    pid: server.pid as number,
    stop: () => void server.kill(profiled === undefined ? 'SIGKILL' : 'SIGTERM'),
  };
}

/**
 * One process that is master, volume server, filer and S3 gateway; `-fsync` of the filer's path makes it sync each
 * write before it answers, as Pocketful does. One copy: it has one drive.
 */
export async function seaweedServer(folder: string): Promise<Served> {
  const key: Key = { id: 'bench', secret: randomBytes(20).toString('hex') };
  const data = resolve(folder, 'seaweed');
  fs.mkdirSync(data, { recursive: true });
  const identity = {
    name: 'bench',
    credentials: [{ accessKey: key.id, secretKey: key.secret }],
    actions: ['Admin', 'Read', 'List', 'Tagging', 'Write'],
  };
  fs.writeFileSync(join(folder, 's3.json'), JSON.stringify({ identities: [identity] }));
  const [master, volume, filer, s3] = await freePorts();
  const args = [
    'server',
    `-dir=${data}`,
    '-ip=127.0.0.1',
    '-ip.bind=127.0.0.1',
    `-master.port=${master}`,
    `-volume.port=${volume}`,
    `-filer.port=${filer}`,
    '-s3',
    `-s3.port=${s3}`,
    `-s3.config=${resolve(folder, 's3.json')}`,
    '-volume.max=20',
  ];
  const log = fs.openSync(join(folder, 'weed.log'), 'w');
  const server = spawn('weed', args, { stdio: ['ignore', log, log] });
  const endpoint = new URL(`http://127.0.0.1:${s3}`);
  await started(new URL(`http://127.0.0.1:${filer}`));
  await started(endpoint);
  // Every bucket's volumes sync what they are given.
  await shell(`fs.configure -locationPrefix=/buckets/ -fsync=true -volumeGrowthCount=1 -apply`, master, filer);
  return { name: 'SeaweedFS', endpoint, key, pid: server.pid as number, stop: () => void server.kill('SIGKILL') };
}

/** Objects as files below a folder, which it does not sync; one copy. */
export async function versityServer(folder: string): Promise<Served> {
  const key: Key = { id: 'bench', secret: randomBytes(20).toString('hex') };
  const data = resolve(folder, 'versitygw');
  fs.mkdirSync(data, { recursive: true });
  const [port] = await freePorts();
  const args = ['--access', key.id, '--secret', key.secret, '--port', `127.0.0.1:${port}`, '--quiet', 'posix', data];
  const log = fs.openSync(join(folder, 'versitygw.log'), 'w');
  const server = spawn('versitygw', args, { stdio: ['ignore', log, log] });
  const endpoint = new URL(`http://127.0.0.1:${port}`);
  await started(endpoint);
  return { name: 'versitygw', endpoint, key, pid: server.pid as number, stop: () => void server.kill('SIGKILL') };
}

/**
 * One drive, as its documentation has it for one server with one drive: no parity. Nothing has to be said for syncs:
 * it calls fdatasync for each object before it answers (by `strace`), and syncs no folder.
 */
export async function minioServer(folder: string): Promise<Served> {
  const key: Key = { id: 'benchbench', secret: randomBytes(20).toString('hex') };
  const [port] = await freePorts();
  const env = { ...process.env, MINIO_ROOT_USER: key.id, MINIO_ROOT_PASSWORD: key.secret, MINIO_BROWSER: 'off' };
  const args = ['server', '--quiet', '--address', `127.0.0.1:${port}`, resolve(folder, 'minio')];
  const log = fs.openSync(join(folder, 'minio.log'), 'w');
  const server = spawn('minio', args, { env, stdio: ['ignore', log, log] });
  const endpoint = new URL(`http://127.0.0.1:${port}`);
  await started(new URL('/minio/health/ready', endpoint));
  return { name: 'MinIO', endpoint, key, pid: server.pid as number, stop: () => void server.kill('SIGKILL') };
}

async function started(url: URL): Promise<void> {
  const untilMs = performance.now() + STARTS_MS;
  while (!(await answers(url))) {
    if (performance.now() > untilMs) throw new Error(`nothing answers at ${url}`);
    await new Promise((done) => setTimeout(done, LOOK_EVERY_MS));
  }
}

async function shell(command: string, master: number, filer: number): Promise<void> {
  const args = ['shell', `-master=127.0.0.1:${master}`, `-filer=127.0.0.1:${filer}`];
  const child = spawn('weed', args, { stdio: ['pipe', 'ignore', 'ignore'] });
  child.stdin.end(`${command}\n`);
  const code = await new Promise((done) => child.once('close', done));
  if (code !== 0) throw new Error(`weed shell ended with ${code}`);
}

async function answers(url: URL): Promise<boolean> {
  return fetch(url, { headers: { accept: 'application/json' } }).then(
    async (answer) => {
      await answer.arrayBuffer();
      return answer.status < 500;
    },
    () => false,
  );
}

/** Of ports that are free together with that of gRPC, 10,000 above. */
async function freePorts(): Promise<[number, number, number, number]> {
  const ports: number[] = [];
  while (ports.length < 4) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    if (!ports.includes(port) && (await isFree(port)) && (await isFree(port + 10_000))) ports.push(port);
  }
  return ports as [number, number, number, number];
}

const isFree = (port: number): Promise<boolean> =>
  new Promise((done) => {
    const probe = createServer();
    probe.once('error', () => done(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => done(true)));
  });

async function answered(args: readonly string[], of: { readonly cwd: string }): Promise<string> {
  const child = spawn(process.execPath, [...PROGRAM, ...args], { ...of, stdio: ['ignore', 'pipe', 'ignore'] });
  const line = await firstLine(child);
  await new Promise((done) => child.once('close', done));
  return line;
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((done, reject) => {
    child.once('error', reject);
    child.once('exit', () => reject(new Error('the program said nothing')));
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).once('line', done);
  });
}
