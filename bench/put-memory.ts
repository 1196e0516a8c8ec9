// `npm run bench -- put-memory`: what `put` and `encode` hold in memory at the most, each a process of its own, by the
// kernel's figure of its peak. Sizes are such that what grows with them would be seen.
//   --files=20000 --long=300              so many files of 2 to 11 KiB; MB of one long file
//   --small                               4000 and 150: for a machine that has other work
//   --dir=DIR                             where (default: the folder for temporary files)
import { spawnSync } from 'node:child_process';
import { createCipheriv } from 'node:crypto';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Benches, type BenchResult, type Figure, type Flags, machine } from './bench.ts';
import { smallFiles } from './store/source-files.ts';

const KNOWN = ['json', 'files', 'long', 'small', 'dir'];
const MB = 1e6;
const KIB = 1024;
const PIECE_BYTES = 10 * MB;
const ROOT = join(import.meta.dirname, '..');
const PRESETS = ['thrifty', 'personal'] as const;
/** Puts of so many bytes are no bulk ones: they are what there is to encode. */
const HOT_PUTS = 4;
const HOT_PUT_FILES = 1000;

export const benches: Benches = { 'put-memory': putMemory };

interface Peak {
  readonly peakMib: number;
  readonly seconds: number;
}

async function putMemory(options: Flags): Promise<BenchResult> {
  const unknown = Object.keys(options).filter((key) => !KNOWN.includes(key));
  if (unknown.length > 0) throw new Error(`put-memory knows no --${unknown.join(', --')}`);
  const isSmall = options['small'] !== undefined;
  const files = Number(options['files'] ?? (isSmall ? 4000 : 20_000));
  const longMb = Number(options['long'] ?? (isSmall ? 150 : 300));
  const folder = fs.mkdtempSync(join(options['dir'] ?? tmpdir(), 'pocketful-put-memory-'));
  try {
    const trees = treesIn(folder, files, longMb);
    const rows: { readonly what: string; readonly peaks: readonly (Peak | undefined)[] }[] = trees.map(
      ({ what, path }) => ({ what, peaks: PRESETS.map((preset) => peakOfPut(folder, preset, [path]).at(-1)) }),
    );
    rows.push({
      what: `encode of ${HOT_PUTS * HOT_PUT_FILES} files of 4 to 64 KiB`,
      peaks: [undefined, encoded(folder)],
    });
    const figures = rows.flatMap(({ what, peaks }) =>
      peaks.flatMap((peak, i): Figure[] =>
        peak === undefined ? [] : [{ name: `${what}, ${PRESETS[i]}`, value: peak.peakMib, unit: 'MiB' }],
      ),
    );
    const text = [
      `| peak, MiB (seconds) | ${PRESETS.join(' | ')} |`,
      `| --- | ${PRESETS.map(() => '---').join(' | ')} |`,
      ...rows.map(({ what, peaks }) => `| ${what} | ${peaks.map(shown).join(' | ')} |`),
    ];
    return { bench: 'put-memory', machine: machine(), figures, text };
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

const shown = (peak: Peak | undefined): string =>
  peak === undefined ? '' : `${peak.peakMib.toFixed(0)} (${peak.seconds.toFixed(1)})`;

function treesIn(folder: string, files: number, longMb: number): { readonly what: string; readonly path: string }[] {
  const tree = (name: string): string => join(folder, name);
  const bytes = createCipheriv('aes-128-ctr', Buffer.alloc(16, 3), Buffer.alloc(16, 5));
  const write = (path: string, count: number): void => {
    const fd = fs.openSync(path, 'w');
    for (let left = count; left > 0; left -= PIECE_BYTES)
      fs.writeSync(fd, bytes.update(Buffer.alloc(Math.min(left, PIECE_BYTES))));
    fs.closeSync(fd);
  };
  smallFiles(tree('small'), 2000);
  for (const name of ['tiny', 'long', 'mixed']) fs.mkdirSync(tree(name));
  for (let i = 0; i < files; i++) write(join(tree('tiny'), `${i}`), 2 * KIB + ((i * 7919) % (9 * KIB)));
  write(join(tree('long'), 'one'), longMb * MB);
  for (let i = 0; i < 18; i++) write(join(tree('mixed'), `long-${i}`), 10 * MB);
  for (let i = 0; i < 1500; i++) write(join(tree('mixed'), `short-${i}`), 3 * KIB + ((i * 7919) % (9 * KIB)));
  return [
    { what: 'put of 2,000 files of 4 to 64 KiB', path: tree('small') },
    { what: `put of ${files.toLocaleString('en')} files of 2 to 11 KiB`, path: tree('tiny') },
    { what: `put of one file of ${longMb} MB`, path: tree('long') },
    { what: 'put of 18 files of 10 MB and 1,500 of 3 to 12 KiB', path: tree('mixed') },
  ];
}

/** A new store; then each path is put, by a process of its own. `last` may do something with the store after that. */
function peakOfPut(
  folder: string,
  preset: string,
  paths: readonly string[],
  last: readonly (readonly string[])[] = [],
): Peak[] {
  const store = join(folder, 'store');
  pocketful(store, ['init', '--preset', preset]);
  const puts = paths.map((path, i) => ['put', '--as', `tree-${i}`, path]);
  const peaks = [...puts, ...last].map((args) => pocketful(store, args));
  fs.rmSync(store, { recursive: true });
  return peaks;
}

function encoded(folder: string): Peak | undefined {
  const paths = Array.from({ length: HOT_PUTS }, (_, i) => {
    const path = join(folder, `hot-${i}`);
    const files = smallFiles(path, HOT_PUT_FILES);
    // They are the same in each: a byte makes them others.
    for (const file of files) fs.appendFileSync(file.path, `${i}`);
    return path;
  });
  return peakOfPut(folder, 'personal', paths, [['encode', '--all']]).at(-1);
}

/** The peak is asked for when the process ends: whatever it is told to do, it does that itself. */
const HOOK = `data:text/javascript,${encodeURIComponent(
  "import fs from 'node:fs'; import { isMainThread } from 'node:worker_threads';" +
    "if (isMainThread) process.on('exit', () => fs.writeSync(3, String(process.resourceUsage().maxRSS)));",
)}`;

function pocketful(store: string, args: readonly string[]): Peak {
  const startMs = performance.now();
  const all = [`--import=${HOOK}`, join(ROOT, 'bin/pocketful.mjs'), '--store', `file:${store}`, ...args];
  const { status, output } = spawnSync(process.execPath, all, {
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
  });
  if (status !== 0)
    throw new Error(`pocketful ${args.join(' ')} ended with ${status}: ${String(output[2]).slice(-2000)}`);
  return { peakMib: Number(output[3]) / KIB, seconds: (performance.now() - startMs) / 1000 };
}
