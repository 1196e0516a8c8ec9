// The main job on real disks: put, get and encode of incompressible files in a fresh embedded store (preset personal,
// 20 directory drives, SQLite, fsync), beside bounds that do only the primitives. Store and bound take turns in
// processes of their own, round by round, so that a busy machine slows both; ratios are medians of rounds.
// POCKETFUL_BENCH_SCALE (say 0.1) does less of it, POCKETFUL_BENCH_DIR says where.
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEmbedded } from '../lib/engine/wire/embedded.ts';
import { PRESETS } from '../lib/settings/settings.ts';
import { type Benches, type BenchResult, type Figure, machine, median } from './bench.ts';
import type { SourceFile } from './bounds.ts';
import type { Answer, Order } from './store/rounds.ts';
import { longFiles, smallFiles } from './store/source-files.ts';
import { StoreChild } from './store/store-child.ts';

const KIB = 1024;
const MIB = KIB * KIB;
const MB = 1e6;
const ROUNDS = 5;
const SMALL_FILES = 20_000;
const LONG_FILES = 20;

export const benches: Benches = { store };

interface Children {
  readonly bound: StoreChild;
  readonly store: StoreChild;
  readonly encoder: StoreChild;
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
    bound: await StoreChild.start('bound-process.ts', [join(folder, 'bound')], undefined),
    store: await StoreChild.start('store-process.ts', [place], 'open'),
    encoder: await StoreChild.start('store-process.ts', [place], 'open'),
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
