// `npm run bench -- peers`: Pocketful's command line beside restic, Kopia, borg and rclone's crypt, the same files, the
// same disk, one run. Each round every program in turn makes a store of its own and does everything once; the first
// moves on by one each round. Figures are medians of rounds. What is read was read before: it lies in the page cache.
//   --files=20000 --large=20 --rounds=5   so many files of 4 to 64 KiB, files of 50 MB, rounds
//   --small                               2000, 4 and 3: for a machine that has other work
//   --dir=DIR                             where (default: the folder for temporary files)
//   --doc=FILE --plot=FILE                writes the tables into the document, and the plot
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import os, { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Benches, type BenchResult, type Figure, type Flags, machine, median } from './bench.ts';
import { writePart } from './document-part.ts';
import { type Measured, peersSvg, peersTables } from './peers/report.ts';
import { type Taken, timed } from './peers/timed.ts';
import { OPERATIONS, type Places, type Tool, toolsHere } from './peers/tools.ts';
import { longFiles, smallFiles } from './store/source-files.ts';

const KNOWN = ['json', 'files', 'large', 'rounds', 'small', 'dir', 'doc', 'plot'];

export const benches: Benches = { peers };

interface Sizes {
  readonly files: number;
  readonly large: number;
  readonly rounds: number;
}

async function peers(options: Flags): Promise<BenchResult> {
  const unknown = Object.keys(options).filter((key) => !KNOWN.includes(key));
  if (unknown.length > 0) throw new Error(`peers knows no --${unknown.join(', --')}`);
  const sizes = sizesIn(options);
  const { found, missing } = toolsHere();
  for (const text of missing) console.error(text);
  const loadBefore = os.loadavg()[0] as number;
  const folder = fs.mkdtempSync(join(options['dir'] ?? tmpdir(), 'pocketful-peers-'));
  try {
    smallFiles(join(folder, 'small'), sizes.files);
    longFiles(join(folder, 'large'), sizes.large);
    const start = nodeAlone(sizes.rounds);
    const measured = rounds(
      folder,
      found.map(({ tool }) => tool),
      sizes.rounds,
    );
    const text = [
      `${sizes.files.toLocaleString('en')} files of 4 to 64 KiB and ${sizes.large} of 50 MB, medians of ${sizes.rounds} rounds.`,
      `${machine()}; load ${loadBefore.toFixed(1)} before and ${(os.loadavg()[0] as number).toFixed(1)} after.`,
      `${found.map(({ tool, version }) => `${tool.name}: ${version}`).join('; ')}.`,
      ...missing.map((one) => `${one}.`),
      '',
      ...peersTables(measured, start),
    ];
    if (options['doc']) writePart(options['doc'], 'peers', text.join('\n'));
    if (options['plot']) fs.writeFileSync(options['plot'], peersSvg(measured, machine()));
    return { bench: 'peers', machine: machine(), figures: figuresOf(measured, start), text };
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

function sizesIn(options: Flags): Sizes {
  const isSmall = options['small'] !== undefined;
  const count = (key: string, usual: number, small: number): number => {
    const value = Number(options[key] ?? (isSmall ? small : usual));
    if (!Number.isInteger(value) || value < 1) throw new Error(`--${key} is a number from 1`);
    return value;
  };
  return { files: count('files', 20_000, 2000), large: count('large', 20, 4), rounds: count('rounds', 5, 3) };
}

/** What no program on Node starts faster than. */
function nodeAlone(times: number): Taken {
  const runs = Array.from({ length: times + 1 }, () => timed({ args: [process.execPath, '-e', '0'] }, {})).slice(1);
  return middle(runs);
}

function rounds(folder: string, tools: readonly Tool[], count: number): Measured[] {
  const runs = new Map<string, Taken[]>();
  for (let round = 0; round < count; round++) {
    for (let turn = 0; turn < tools.length; turn++) {
      const tool = tools[(round + turn) % tools.length] as Tool;
      const home = join(folder, `home-${turn}`);
      fs.mkdirSync(home);
      const places: Places = { home, small: join(folder, 'small'), large: join(folder, 'large'), one: '1.bin' };
      for (const [operation, taken] of oneTurn(tool, places, round === 0)) {
        const key = JSON.stringify([tool.name, operation]);
        runs.set(key, [...(runs.get(key) ?? []), taken]);
      }
      fs.rmSync(home, { recursive: true });
    }
  }
  return tools.flatMap(({ name, isPeer }) =>
    OPERATIONS.flatMap((operation) => {
      const taken = runs.get(JSON.stringify([name, operation]));
      return taken === undefined ? [] : [{ tool: name, isPeer, operation, ...middle(taken) }];
    }),
  );
}

/** The first round proves that what came back is what was put. */
function oneTurn(tool: Tool, places: Places, isProven: boolean): Map<string, Taken> {
  const env = tool.env(places);
  timed(tool.make(places), env);
  const lines = tool.lines(places);
  const taken = new Map<string, Taken>();
  for (const operation of OPERATIONS) {
    const line = lines[operation];
    if (line === undefined) continue;
    taken.set(operation, timed(line, env));
    if (isProven && operation === 'get all') assertSame(tool, places);
    if (process.env['POCKETFUL_BENCH_TRACE']) console.error(tool.name, operation, JSON.stringify(taken.get(operation)));
  }
  return taken;
}

function assertSame(tool: Tool, places: Places): void {
  const { status, stdout } = spawnSync('diff', ['-rq', places.small, tool.restored(places)], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${tool.name} gave back something else: ${stdout.slice(0, 500)}`);
}

const middle = (taken: readonly Taken[]): Taken => ({
  wallSeconds: median(taken.map(({ wallSeconds }) => wallSeconds)),
  cpuSeconds: median(taken.map(({ cpuSeconds }) => cpuSeconds)),
});

/** Ratios are to the fastest of restic, Kopia and borg. */
function figuresOf(measured: readonly Measured[], start: Taken): Figure[] {
  return [
    { name: 'node -e 0', value: start.wallSeconds, unit: 's' },
    ...measured.flatMap(({ tool, operation, wallSeconds, cpuSeconds }) => {
      const fastest = Math.min(
        ...measured.filter((one) => one.isPeer && one.operation === operation).map((one) => one.wallSeconds),
      );
      return [
        {
          name: `${operation}, ${tool}`,
          value: wallSeconds,
          unit: 's',
          ...(Number.isFinite(fastest) ? { ratio: wallSeconds / fastest } : {}),
        },
        { name: `${operation}, ${tool}, processors`, value: cpuSeconds, unit: 's' },
      ];
    }),
  ];
}
