// `get --to` of erasure-coded files with as many drives away as the code can lose, beside the same with all drives
// there, in turns: each volume of a `personal` store with nine drives lacks three of its nine columns.
//   --files=2000 --rounds=5   so many files of 4 to 64 KiB, rounds
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { codecShape } from '../lib/codec/shape.ts';
import { PRESETS } from '../lib/settings/settings.ts';
import { type Benches, type BenchResult, type Flags, machine, median } from './bench.ts';
import { type Taken, timed } from './peers/timed.ts';
import { smallFiles } from './store/source-files.ts';

const { dataColumns, parityColumns } = codecShape(PRESETS.personal.warmCodec);
const PROGRAM = join(import.meta.dirname, '../bin/pocketful.mjs');

export const benches: Benches = { degraded };

async function degraded(options: Flags): Promise<BenchResult> {
  const files = Number(options['files'] ?? 2000);
  const rounds = Number(options['rounds'] ?? 5);
  const folder = fs.mkdtempSync(join(tmpdir(), 'pocketful-degraded-'));
  try {
    const store = join(folder, 'store');
    const cli = (...args: readonly string[]): Taken =>
      timed({ args: [process.execPath, PROGRAM, '--store', `file:${store}`, ...args] }, {});
    const sources = smallFiles(join(folder, 'small'), files);
    cli('init', '--preset', 'personal', '--drives', String(dataColumns + parityColumns));
    cli('put', join(folder, 'small'));
    cli('encode', '--all');
    const drives = fs.readdirSync(join(store, 'drives')).slice(0, parityColumns);
    const healthy: Taken[] = [];
    const away: Taken[] = [];
    for (let round = 0; round < rounds; round++) {
      healthy.push(get(cli, folder));
      for (const drive of drives) fs.renameSync(join(store, 'drives', drive), join(folder, drive));
      away.push(get(cli, folder));
      for (const drive of drives) fs.renameSync(join(folder, drive), join(store, 'drives', drive));
    }
    const bytes = sources.reduce((sum, one) => sum + one.bytes, 0);
    return { bench: 'degraded', machine: machine(), figures: figuresOf(bytes, healthy, away) };
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

function get(cli: (...args: readonly string[]) => Taken, folder: string): Taken {
  const out = join(folder, 'out');
  fs.rmSync(out, { recursive: true, force: true });
  return cli('get', '', '--to', out);
}

/** `ratio`: the rate of a round with drives away to that of the same round without, medians of rounds. */
function figuresOf(bytes: number, healthy: readonly Taken[], away: readonly Taken[]): BenchResult['figures'] {
  const ratio = (of: (taken: Taken) => number): number =>
    median(healthy.map((one, i) => of(one) / of(away[i] as Taken)));
  const wall = (taken: readonly Taken[]): number => median(taken.map(({ wallSeconds }) => wallSeconds));
  const cpu = (taken: readonly Taken[]): number => median(taken.map(({ cpuSeconds }) => cpuSeconds));
  const name = `${parityColumns} drives away`;
  return [
    { name: 'get', value: bytes / 1e6 / wall(healthy), unit: 'MB/s' },
    { name: `get, ${name}`, value: bytes / 1e6 / wall(away), unit: 'MB/s', ratio: ratio((one) => one.wallSeconds) },
    { name: 'get, processors', value: cpu(healthy), unit: 's' },
    { name: `get, ${name}, processors`, value: cpu(away), unit: 's', ratio: ratio((one) => one.cpuSeconds) },
  ];
}
