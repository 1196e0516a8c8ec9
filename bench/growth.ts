// `npm run bench -- growth`: what a store of many tiny objects takes as it grows: its put rate and its memory up to
// 100,000 and in each tenth, and after the first of these and at the end the time of gets, `status` and a plan, and the
// time and the peak memory of commands that read all of it. Rates are by the processor time of this process and its
// threads as well, which a busy machine slows less.
//   --objects=1000000 --bytes=2048 --preset=thrifty
//   --dir=DIR                             where (default: the folder for temporary files); takes 6 KiB an object
import { spawnSync } from 'node:child_process';
import { createCipheriv, createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PocketfulStore, PutRequest } from '../lib/client/face.ts';
import { createStore } from '../lib/client/file/create-store.ts';
import { keepHeapSmall } from '../lib/engine/wire/system-memory.ts';
import { type Benches, type BenchResult, elapsedMs, type Figure, type Flags, machine, median } from './bench.ts';

const KNOWN = ['json', 'objects', 'bytes', 'preset', 'dir'];
const ROOT = join(import.meta.dirname, '..');
const PARTS = 10;
const FIRST_OBJECTS = 100_000;
const GETS = 200;
const PLANS = 3;
const MIB = 1024 * 1024;
const KIB = 1024;

export const benches: Benches = { growth };

async function growth(options: Flags): Promise<BenchResult> {
  const unknown = Object.keys(options).filter((key) => !KNOWN.includes(key));
  if (unknown.length > 0) throw new Error(`growth knows no --${unknown.join(', --')}`);
  const objects = Number(options['objects'] ?? 1_000_000);
  const bytes = Number(options['bytes'] ?? 2048);
  keepHeapSmall(); // as the CLI does
  const folder = fs.mkdtempSync(join(options['dir'] ?? tmpdir(), 'pocketful-growth-'));
  const figures: Figure[] = [];
  // It takes long: what is known is said at once.
  const tell = (found: readonly Figure[]): void => {
    figures.push(...found);
    for (const { name, value, unit } of found) process.stderr.write(`${name}: ${value.toFixed(1)} ${unit}\n`);
  };
  try {
    const dir = join(folder, 'store');
    const store = await createStore(dir, { preset: options['preset'] ?? 'thrifty' });
    let from = 0;
    for (const until of stations(objects)) {
      tell(await putRates(store, from, until - from, bytes));
      tell([{ name: `memory at ${until}`, value: process.memoryUsage.rss() / MIB, unit: 'MiB' }]);
      if (from === 0 || until === objects)
        tell([...(await readTimes(store, until)), ...commandPeaks(folder, dir, until)]);
      from = until;
    }
    tell([{ name: 'peak of the process that puts', value: (process.resourceUsage().maxRSS * KIB) / MIB, unit: 'MiB' }]);
    await store.close();
    return { bench: 'growth', machine: machine(), figures };
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** Where rates are said: at each tenth, and before that at what they are held against. */
function stations(objects: number): number[] {
  const tenths = Array.from({ length: PARTS }, (_, i) => Math.ceil((objects * (i + 1)) / PARTS));
  return objects / PARTS > FIRST_OBJECTS ? [FIRST_OBJECTS, ...tenths] : tenths;
}

/** A thousand in each folder. */
const keyOf = (i: number): string => `f${Math.floor(i / 1000)}/o${i}`;

function* requests(from: number, count: number, bytes: number): Generator<PutRequest> {
  const noise = createCipheriv('aes-128-ctr', Buffer.alloc(16, 3), createHash('md5').update(`${from}`).digest());
  const zeros = Buffer.alloc(bytes);
  for (let i = from; i < from + count; i++) {
    const body = noise.update(zeros);
    const sha256 = createHash('sha256').update(body).digest('hex');
    const asked = async () => ({ bytes: body, sha256 });
    yield { key: keyOf(i), body: () => one(body), whole: asked, sizeBytes: bytes };
  }
}

async function* one(body: Uint8Array) {
  yield body;
}

async function putRates(store: PocketfulStore, from: number, count: number, bytes: number): Promise<Figure[]> {
  const before = process.cpuUsage();
  const ms = await elapsedMs(async () => {
    for await (const outcome of store.putAll(requests(from, count, bytes))) if (!outcome.ok) throw outcome.error;
  });
  const { user, system } = process.cpuUsage(before);
  const name = `put of ${from} to ${from + count}`;
  return [
    { name, value: (count / ms) * 1000, unit: '/s' },
    { name: `${name}, processor`, value: (user + system) / count, unit: 'µs each' },
  ];
}

async function readTimes(store: PocketfulStore, count: number): Promise<Figure[]> {
  const gets: number[] = [];
  for (let i = 0; i < GETS; i++)
    gets.push(
      await elapsedMs(async () => {
        const { body } = await store.get(keyOf((i * 7919 * 104_729) % count));
        for await (const _ of body);
      }),
    );
  const status = await medianCpuMs(() => store.admin.status());
  const plan = await medianCpuMs(() => store.admin.plan());
  return [
    { name: `get of one of ${count}`, value: median(gets), unit: 'ms' },
    { name: `status of ${count}, processor`, value: status, unit: 'ms' },
    { name: `plan of ${count}, processor`, value: plan, unit: 'ms' },
  ];
}

async function medianCpuMs(work: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < PLANS; i++) {
    const before = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(before);
    times.push((user + system) / 1000);
  }
  return median(times);
}

/** Of its own memory: `maxRSS` begins with that of the process that started it. Elsewhere than on Linux it is that. */
const HOOK = `data:text/javascript,${encodeURIComponent(
  "import fs from 'node:fs'; import { isMainThread } from 'node:worker_threads';" +
    "if (isMainThread) process.on('exit', () => { const r = process.resourceUsage(); const file = '/proc/self/status';" +
    "const peak = fs.existsSync(file) ? Number(/VmHWM:\\s+(\\d+)/.exec(fs.readFileSync(file, 'utf8'))[1]) : r.maxRSS;" +
    'fs.writeSync(3, JSON.stringify([peak, r.userCPUTime + r.systemCPUTime])); });',
)}`;

function commandPeaks(folder: string, dir: string, count: number): Figure[] {
  const commands = [
    ['ls'],
    ['ls', '-r', '--json'],
    ['status'],
    ['doctor'],
    ['backup', join(folder, `backup-${count}`)],
  ];
  return commands.flatMap((args): Figure[] => {
    const all = [`--import=${HOOK}`, join(ROOT, 'bin/pocketful.mjs'), '--store', `file:${dir}`, ...args];
    const { status, output } = spawnSync(process.execPath, all, { stdio: ['ignore', 'ignore', 'pipe', 'pipe'] });
    if (status !== 0) throw new Error(`pocketful ${args.join(' ')} ended with ${status}: ${output[2]}`);
    const [peakKib, cpuMicros] = JSON.parse(String(output[3])) as [number, number];
    const name = `${args.slice(0, args[0] === 'backup' ? 1 : 3).join(' ')} of ${count}`;
    return [
      { name: `${name}, peak`, value: (peakKib * KIB) / MIB, unit: 'MiB' },
      { name: `${name}, processor`, value: cpuMicros / 1e6, unit: 's' },
    ];
  });
}
