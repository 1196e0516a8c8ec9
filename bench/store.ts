// The main job on real disks: put, get and encode of incompressible files in a fresh embedded store (preset personal,
// 20 directory drives, SQLite, fsync), beside bounds that do only the primitives. Store and bound take turns in
// processes of their own, round by round, so that a busy machine slows both; ratios are medians of rounds.
// POCKETFUL_BENCH_SCALE (say 0.1) does less of it, POCKETFUL_BENCH_DIR says where.
import { type ChildProcess, fork } from 'node:child_process';
import { createCipheriv } from 'node:crypto';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEmbedded } from '../lib/engine/wire/embedded.ts';
import { SeededRandomness } from '../lib/foundation/randomness.ts';
import { PRESETS } from '../lib/settings/settings.ts';
import { type Benches, type BenchResult, type Figure, machine, median } from './bench.ts';
import type { SourceFile } from './bounds.ts';
import type { Answer, Order } from './store/rounds.ts';

const KIB = 1024;
const MIB = KIB * KIB;
const MB = 1e6;
const ROUNDS = 5;
const SMALL_FILES = 20_000;
const LONG_FILES = 20;
const LONG_BYTES = 50 * MB;

export const benches: Benches = { store };

class Child {
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess) {
    this.#process = process;
  }

  static async start(script: string, folder: string, says: 'open' | undefined): Promise<Child> {
    const process = fork(join(import.meta.dirname, 'store', script), [folder]);
    const child = new Child(process);
    if (says !== undefined) await child.#next();
    return child;
  }

  order(order: Order): Promise<Answer> {
    this.#process.send(order);
    return this.#next() as Promise<Answer>;
  }

  async end(): Promise<void> {
    await this.order({ what: 'end' });
    if (this.#process.exitCode === null) await once(this.#process, 'exit');
  }

  kill(): void {
    this.#process.kill();
  }

  async #next(): Promise<unknown> {
    const ended = new AbortController();
    try {
      return await Promise.race([
        once(this.#process, 'message', { signal: ended.signal }).then(([message]) => message as unknown),
        once(this.#process, 'exit', { signal: ended.signal }).then(([code]) => {
          throw new Error(`a process of the bench ended with ${code}`);
        }),
      ]);
    } finally {
      ended.abort();
    }
  }
}

interface Children {
  readonly bound: Child;
  readonly store: Child;
  readonly encoder: Child;
}

interface Round {
  readonly files: number;
  readonly put: Pair;
  readonly encode: Pair;
  readonly get: Answer;
}
interface Pair {
  readonly store: Answer;
  readonly bound: Answer;
}

async function store(): Promise<BenchResult> {
  const scale = Number(process.env['POCKETFUL_BENCH_SCALE'] ?? 1);
  const folder = fs.mkdtempSync(join(process.env['POCKETFUL_BENCH_DIR'] ?? tmpdir(), 'pocketful-bench-'));
  try {
    const small = smallFiles(join(folder, 'small'), Math.ceil(SMALL_FILES * scale));
    const long = longFiles(join(folder, 'long'), Math.max(ROUNDS - 1, Math.ceil(LONG_FILES * scale)));
    await (await createEmbedded(join(folder, 'store'), { settings: PRESETS.personal })).close();
    const figures = [
      ...figuresOf('4-64 KiB files', await inFreshChildren(folder, (children) => rounds(children, small))),
      ...figuresOf('50 MB files', await inFreshChildren(folder, (children) => rounds(children, long))),
    ];
    return { bench: 'store', machine: `${machine()}, ${folder}`, figures };
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

/** As every command is a process of its own; both work on the store in `folder`. */
async function inFreshChildren<T>(folder: string, work: (children: Children) => Promise<T>): Promise<T> {
  const place = join(folder, 'store');
  const children: Children = {
    bound: await Child.start('bound-process.ts', join(folder, 'bound'), undefined),
    store: await Child.start('store-process.ts', place, 'open'),
    encoder: await Child.start('store-process.ts', place, 'open'),
  };
  try {
    const result = await work(children);
    for (const child of Object.values(children)) await child.end();
    return result;
  } finally {
    for (const child of Object.values(children)) child.kill();
  }
}

async function rounds({ bound, store: body, encoder }: Children, files: readonly SourceFile[]): Promise<Round[]> {
  const done: Round[] = [];
  const each = Math.ceil(files.length / Math.min(ROUNDS, files.length));
  for (let at = 0; at < files.length; at += each) {
    const some = files.slice(at, at + each);
    const put: Order = { what: 'put', files: some };
    const puts = { bound: await bound.order(put), store: await body.order(put) };
    await body.order({ what: 'seal' });
    const encodes = {
      bound: await bound.order({ what: 'encode' }),
      store: await encoder.order({ what: 'encode' }),
    };
    const get = await body.order({ what: 'get', files: some });
    await Promise.all([bound.order({ what: 'clear' }), encoder.order({ what: 'clear' })]);
    done.push({ files: some.length, put: puts, encode: encodes, get });
    if (process.env['POCKETFUL_BENCH_TRACE']) trace(done.at(-1) as Round);
  }
  return done;
}

const speed = ({ bytes, ms }: Answer): number => bytes / MB / (ms / 1000);
const ratio = ({ store: body, bound }: Pair): number => speed(body) / speed(bound);

function figuresOf(what: string, of: readonly Round[]): Figure[] {
  const peak = (pick: (round: Round) => Answer): number =>
    Math.max(...of.map((round) => pick(round).peakRssBytes)) / MIB;
  const perSecond = (pick: (round: Round) => Answer): number =>
    median(of.map((round) => round.files / (pick(round).ms / 1000)));
  const speeds = (pick: (round: Round) => Answer): number => median(of.map((round) => speed(pick(round))));
  return [
    {
      name: `put ${what}`,
      value: speeds(({ put }) => put.store),
      unit: 'MB/s',
      ratio: median(of.map(({ put }) => ratio(put))),
    },
    { name: `put ${what}, files`, value: perSecond(({ put }) => put.store), unit: 'files/s' },
    { name: `put ${what}, bound`, value: speeds(({ put }) => put.bound), unit: 'MB/s' },
    { name: `put ${what}, peak RSS`, value: peak(({ put }) => put.store), unit: 'MiB' },
    {
      name: `encode ${what}`,
      value: speeds(({ encode }) => encode.store),
      unit: 'MB/s',
      ratio: median(of.map(({ encode }) => ratio(encode))),
    },
    { name: `encode ${what}, bound`, value: speeds(({ encode }) => encode.bound), unit: 'MB/s' },
    { name: `encode ${what}, peak RSS`, value: peak(({ encode }) => encode.store), unit: 'MiB' },
    { name: `get ${what}`, value: speeds(({ get }) => get), unit: 'MB/s' },
    { name: `get ${what}, files`, value: perSecond(({ get }) => get), unit: 'files/s' },
    { name: `get ${what}, peak RSS`, value: peak(({ get }) => get), unit: 'MiB' },
  ];
}

/** One round on standard error, while it runs: MB/s, and CPU milliseconds a MB, of the bound and the store. */
function trace({ put, encode, get }: Round): void {
  const shown = (answer: Answer): string =>
    `${speed(answer).toFixed(1)} (${((answer.cpuMs * MB) / answer.bytes).toFixed(1)})`;
  const pair = ({ bound, store: body }: Pair): string => `${shown(bound)} ${shown(body)}`;
  console.error(`put ${pair(put)}  encode ${pair(encode)}  get ${shown(get)}`);
}

function smallFiles(folder: string, count: number): SourceFile[] {
  const random = new SeededRandomness(1);
  return written(
    folder,
    Array.from({ length: count }, () => 4 * KIB + random.below(60 * KIB + 1)),
  );
}

const longFiles = (folder: string, count: number): SourceFile[] =>
  written(folder, new Array<number>(count).fill(LONG_BYTES));

/** Files of pseudo-random bytes, no two alike. */
function written(folder: string, sizes: readonly number[]): SourceFile[] {
  fs.mkdirSync(folder);
  const stream = createCipheriv('aes-128-ctr', Buffer.alloc(16, 1), Buffer.alloc(16, sizes.length % 251));
  return sizes.map((bytes, i) => {
    const path = join(folder, `${i}.bin`);
    fs.writeFileSync(path, stream.update(Buffer.alloc(bytes)));
    return { path, bytes };
  });
}
